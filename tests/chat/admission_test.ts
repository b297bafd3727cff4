/**
 * Admission of WebSockets by address, count and rate, at each limit and one past it, PROTOCOL.md §7.5.
 *
 * @module
 */
import { assert, assertEquals } from "@std/assert";
import {
  Admission,
  type AdmissionRules,
  type Admitted,
  HTTP_CONNECTIONS_PER_ADDRESS_MIN,
} from "../../chat/gateway/admission.ts";
import { BURSTS_PER_ADDRESS, IDLE_SHARES_MAX } from "../../chat/gateway/address_shares.ts";
import { fault } from "../../src/protocol/faults.ts";

const LIMITS = {
  floodBurst: 60,
  floodRatePerAddress: 80,
  maxSockets: 1_000_000,
  maxSocketsPerAddress: 3,
  socketBurstPerAddress: 100,
  socketRatePerAddress: 10,
};

function admission(rules: Partial<AdmissionRules> = {}): Admission {
  return new Admission({
    limits: LIMITS,
    trustProxy: false,
    limitLoopback: false,
    ...rules,
  });
}

/** How many of `count` handshakes are admitted at one moment. */
function letIn(gate: Admission, address: string, count: number, nowMs = 0): number {
  return Array.from({ length: count }, () => gate.admit(address, nowMs)).filter((it) => it.isAdmitted).length;
}

Deno.test("admission lets an address have as many sockets as it may, and no more until one is gone", () => {
  const gate = admission();
  const sockets = [1, 2, 3].map(() => gate.admit("192.0.2.1", 0)) as Admitted[];
  assertEquals(sockets.map(({ isAdmitted }) => isAdmitted), [true, true, true]);
  assertEquals(gate.admit("192.0.2.1", 0), {
    isAdmitted: false,
    reason: "sockets",
    status: 429,
    text: "Too many connections from this address: at most 3 are allowed",
    retryAfterSeconds: undefined,
  });
  assert(gate.admit("192.0.2.2", 0).isAdmitted, "another address has its own");
  sockets[0]!.leave();
  sockets[0]!.leave();
  assertEquals(letIn(gate, "192.0.2.1", 5), 1, "it left once, however often that was said");
});

Deno.test("admission lets in as many sockets in all as there may be, those of this machine included", () => {
  const gate = admission({ limits: { ...LIMITS, maxSockets: 3, socketBurstPerAddress: 1 } });
  const [first] = ["127.0.0.1", "::1", "192.0.2.1"].map((address) => gate.admit(address, 0));
  const refused = {
    isAdmitted: false as const,
    reason: "full" as const,
    status: 503 as const,
    text: "Too many connections to this server: at most 3 are allowed, try again later",
    retryAfterSeconds: undefined,
  };
  for (const address of ["192.0.2.2", "127.0.0.1"]) assertEquals(gate.admit(address, 0), refused);
  (first as Admitted).leave();
  (first as Admitted).leave();
  assertEquals(letIn(gate, "192.0.2.2", 5), 1, "who was refused has lost no token by it");
  assertEquals(gate.admit("192.0.2.3", 0), refused);
});

Deno.test("admission keeps no count of an address whose sockets are gone", () => {
  const gate = admission();
  const sockets = Array.from({ length: 1000 }, (_, i) => gate.admit(`10.0.${i >> 8}.${i & 255}`, 0));
  assertEquals(gate.addresses, 1000);
  for (const socket of sockets as Admitted[]) socket.leave();
  assertEquals(gate.addresses, 0);
});

Deno.test("admission counts what one user may have as one: a /64, and IPv4 also where it is mapped", () => {
  const alike: [string, string][] = [
    ["2001:db8:1:2::1", "2001:db8:1:2:ffff::9"],
    ["192.0.2.1", "::ffff:192.0.2.1"],
    ["192.0.2.1", "::ffff:c000:201"],
    ["fe80::1%eth0", "fe80::2"],
  ];
  for (const [one, other] of alike) {
    const gate = admission();
    assertEquals(letIn(gate, one, 2), 2);
    assertEquals(letIn(gate, other, 2), 1, `${one} and ${other}`);
  }
  const gate = admission();
  assertEquals(letIn(gate, "2001:db8:1:2::1", 4), 3);
  assertEquals(letIn(gate, "2001:db8:1:3::1", 4), 3, "the next /64 is another client");
});

Deno.test("an address may have as many HTTP connections as sockets, and enough for a page", () => {
  const of = (rules: Partial<AdmissionRules>, address = "192.0.2.1") => admission(rules).httpLimitOf(address);
  assertEquals(of({}), HTTP_CONNECTIONS_PER_ADDRESS_MIN);
  for (const more of [0, 1]) {
    const maxSocketsPerAddress = HTTP_CONNECTIONS_PER_ADDRESS_MIN + more;
    assertEquals(of({ limits: { ...LIMITS, maxSocketsPerAddress } }), maxSocketsPerAddress);
  }
  assertEquals(of({}, "127.0.0.1"), undefined);
  assertEquals(of({ limitLoopback: true }, "127.0.0.1"), HTTP_CONNECTIONS_PER_ADDRESS_MIN);
  assertEquals(of({ trustProxy: true }), undefined, "a proxy's connections are those of its clients");
});

Deno.test("admission lets a burst in at once, then as many a second as the rate says", () => {
  const gate = admission({ limits: { ...LIMITS, maxSocketsPerAddress: 1000, socketBurstPerAddress: 4 } });
  assertEquals(letIn(gate, "192.0.2.1", 4), 4);
  assertEquals(gate.admit("192.0.2.1", 0), {
    isAdmitted: false,
    reason: "rate",
    status: 429,
    text: "Too many new connections from this address: the sustained rate limit is 10 per second",
    retryAfterSeconds: 1,
  });
  assertEquals(letIn(gate, "192.0.2.1", 10, 99), 0);
  assertEquals(letIn(gate, "192.0.2.1", 10, 100), 1);
  assertEquals(letIn(gate, "192.0.2.1", 10, 300), 2);
  assertEquals(letIn(gate, "192.0.2.1", 10, 60_000), 4, "no more than a burst is saved up");
  assertEquals(letIn(gate, "192.0.2.2", 10), 4);
});

Deno.test("admission with a rate of 0 has no limit of the rate", () => {
  const limits = {
    ...LIMITS,
    maxSocketsPerAddress: 1000,
    socketBurstPerAddress: 1,
    socketRatePerAddress: 0,
  };
  assertEquals(letIn(admission({ limits }), "192.0.2.1", 1000), 1000);
});

Deno.test("admission takes no token for a handshake that is refused for another reason", () => {
  const limits = {
    ...LIMITS,
    maxSocketsPerAddress: 1,
    socketBurstPerAddress: 2,
    socketRatePerAddress: 10,
  };
  const gate = admission({ limits });
  const first = gate.admit("192.0.2.1", 0) as Admitted;
  assertEquals(letIn(gate, "192.0.2.1", 50), 0);
  first.leave();
  assertEquals(letIn(gate, "192.0.2.1", 1), 1);
});

Deno.test("admission exempts this machine, unless it is told not to", () => {
  for (const address of ["127.0.0.1", "127.8.9.1", "::1", "::ffff:127.0.0.1"]) {
    assertEquals(letIn(admission(), address, 500), 500, address);
    assertEquals(letIn(admission({ limitLoopback: true }), address, 500), 3, address);
  }
});

Deno.test("admission believes X-Forwarded-For only where a proxy is trusted, and of it the last entry", () => {
  const forwardedFor = "203.0.113.9, 198.51.100.7";
  assertEquals(admission().addressOf("127.0.0.1", forwardedFor), "127.0.0.1");
  assertEquals(admission().addressOf("::ffff:192.0.2.1", null), "192.0.2.1");
  const behindProxy = admission({ trustProxy: true });
  assertEquals(behindProxy.addressOf("127.0.0.1", forwardedFor), "198.51.100.7");
  assertEquals(behindProxy.addressOf("127.0.0.1", "[2001:db8::1]:443"), "2001:db8::1");
  for (const nobody of [null, "", "unknown", "203.0.113.9, _hidden"]) {
    assertEquals(behindProxy.addressOf("127.0.0.1", nobody), "127.0.0.1");
  }
});

Deno.test("admission gives a /48 four times what a /64 may have, sockets and new ones a second alike", () => {
  const sockets = admission();
  const arrivals = Array.from({ length: 5 }, (_, i) => `2001:db8:1:${i}::1`);
  assertEquals(arrivals.map((arrival) => letIn(sockets, arrival, 4)), [3, 3, 3, 3, 0]);
  assertEquals(letIn(sockets, "2001:db8:2::1", 4), 3, "another site has its own");
  const limits = { ...LIMITS, maxSocketsPerAddress: 1000, socketBurstPerAddress: 2 };
  const rates = admission({ limits });
  assertEquals(arrivals.map((arrival) => letIn(rates, arrival, 3)), [2, 2, 2, 2, 0]);
  assertEquals(letIn(rates, arrivals[4]!, 3, 100), 1);
});

Deno.test("admission gives the sessions of an address one share, after their sockets are gone too", () => {
  const gate = admission({ limits: { ...LIMITS, floodBurst: 2, floodRatePerAddress: 10 } });
  const [one, other] = ["2001:db8::1", "2001:db8::2"].map((address) => gate.shareOf(address)!);
  assert(one === other, "the same object, which sessions keep");
  const socket = gate.admit("2001:db8::1", 0) as Admitted;
  for (let n = 0; n < 2 * BURSTS_PER_ADDRESS; n++) assertEquals(one!.refuses(0, 1), undefined);
  socket.leave();
  const again = gate.shareOf("2001:db8::3")!;
  assertEquals(again.refuses(0, 1), fault("ADDRESS_FLOOD", 10));
  assertEquals([again.refuses(100, 1), again.refuses(100, 1)?.fault], [undefined, "ADDRESS_FLOOD"]);
  assertEquals(gate.shareOf("2001:db8:0:1::1")!.refuses(0, 1), undefined);
  assertEquals(gate.shareOf("127.0.0.1"), undefined);
  assert(admission({ limitLoopback: true }).shareOf("127.0.0.1") !== undefined);
});

Deno.test("a /48 may send four times as many frames as a /64, and one address at a rate of 0 any number", () => {
  const limits = { ...LIMITS, floodBurst: 1, floodRatePerAddress: 10 };
  const gate = admission({ limits });
  const taken = (i: number) => {
    const share = gate.shareOf(`2001:db8:1:${i}::1`)!;
    return Array.from({ length: 100 }, () => share.refuses(0, 1)).filter((refusal) => !refusal).length;
  };
  assertEquals([0, 1, 2, 3, 4].map(taken), [4, 4, 4, 4, 0]);
  const free = admission({ limits: { ...limits, floodRatePerAddress: 0 } }).shareOf("192.0.2.1")!;
  for (let n = 0; n < 1000; n++) assertEquals(free.refuses(0, 1), undefined);
});

Deno.test("admission's memory of shares is bounded: the address that left longest ago is forgotten", () => {
  const limits = { ...LIMITS, maxSocketsPerAddress: 9, socketBurstPerAddress: 1, socketRatePerAddress: 1 };
  const gate = admission({ limits });
  const address = (i: number) => `10.${i >> 16}.${(i >> 8) & 255}.${i & 255}`;
  const visit = (i: number) => (gate.admit(address(i), 0) as Admitted).leave();
  for (let i = 0; i < IDLE_SHARES_MAX; i++) visit(i);
  assertEquals(letIn(gate, address(1), 1), 0, "all are remembered up to the limit");
  const stays = gate.shareOf(address(IDLE_SHARES_MAX));
  assert(gate.admit(address(IDLE_SHARES_MAX), 0).isAdmitted);
  assert(gate.admit(address(0), 0).isAdmitted, "the least recent was forgotten for the one past it");
  for (let i = 2; i < IDLE_SHARES_MAX; i++) visit(IDLE_SHARES_MAX + i);
  assert(gate.shareOf(address(IDLE_SHARES_MAX)) === stays, "a share with a socket stays");
});

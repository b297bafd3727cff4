/**
 * The sequencer's end of the link to a gateway: how it translates inputs, how far a gateway may fall behind, and the
 * loss of its thread.
 *
 * @module
 */
import { assertEquals, assertRejects } from "@std/assert";
import { Hono } from "hono";
import { DEFAULT_LIMITS, type Limits } from "../../../src/protocol/limits.ts";
import { Admission } from "../../../chat/gateway/admission.ts";
import type { Participant } from "../../../chat/delivery/participant.ts";
import { ChatMeters } from "../../../chat/meters.ts";
import type { Input } from "../../../chat/room/decision.ts";
import { ThreadLink, TURNS_BEHIND_MAX } from "../../../chat/gateway/threads/link.ts";
import { Downlink, type Packed, Uplink } from "../../../chat/gateway/threads/messages.ts";
import { fault } from "../../../src/protocol/faults.ts";
import { recordedLog } from "../../support/recorded_log.ts";

const OPENED: Packed = [Uplink.opened, 1, "alice's", 0, "192.0.2.1"];

function stage(limits: Partial<Limits> = {}) {
  const posted: unknown[] = [];
  const submitted: (readonly [Participant, Input])[] = [];
  const log = recordedLog();
  const admission = new Admission({
    limits: { ...DEFAULT_LIMITS, maxSocketsPerAddress: 1, ...limits },
    trustProxy: false,
    limitLoopback: false,
  });
  const link = new ThreadLink({
    post: (message) => posted.push(message),
    inbox: { submit: (participant, input) => submitted.push([participant, input]) },
    admission,
    serverId: 7,
    meters: new ChatMeters(),
    steadyMs: () => 0,
    isReady: () => Promise.resolve(true),
    countUsers: () => 3,
    admin: new Hono(),
    metrics: () => Promise.resolve(new Response()),
    log: log.log,
  });
  return { link, posted, submitted, admission, log };
}

Deno.test("a gateway may be so many turns behind, and one more has to be waited for", async () => {
  const { link } = stage();
  for (let turn = 1; turn < TURNS_BEHIND_MAX; turn++) {
    link.flush();
    assertEquals(link.caughtUp(), undefined, `${turn} turns`);
  }
  link.flush();
  let isCaughtUp = false;
  const caughtUp = link.caughtUp()!.then(() => isCaughtUp = true);
  link.receive([0]);
  await Promise.resolve();
  assertEquals(isCaughtUp, false);
  link.receive([1]);
  await caughtUp;
  assertEquals([link.caughtUp(), link.turnsBehind], [undefined, TURNS_BEHIND_MAX - 1]);
});

Deno.test("nobody waits for a thread that is lost", async () => {
  const { link } = stage();
  for (let turn = 0; turn < TURNS_BEHIND_MAX; turn++) link.flush();
  const caughtUp = link.caughtUp();
  link.lost("gone");
  await caughtUp;
  assertEquals(link.caughtUp(), undefined);
});

Deno.test("a session is submitted for under its id, and its PING is answered behind what was told", () => {
  const { link, posted, submitted } = stage();
  link.receive([0, ...OPENED, Uplink.message, 1, "5", "hello"]);
  assertEquals(submitted.map(([{ id }, input]) => [id, input]), [
    ["alice's", { type: "MSG", timestamp: "5", text: "hello" }],
  ]);
  // Its message is unanswered: the PING is answered after it.
  link.receive([0, Uplink.input, 1, { type: "PING", timestamp: "6" }]);
  assertEquals([submitted.length, posted.length], [2, 0]);
  const [session] = link.sessions;
  session!.settled();
  session!.settled();
  link.flush();
  link.receive([0, Uplink.input, 1, { type: "PING", timestamp: "7" }]);
  assertEquals(posted, [
    [Downlink.settled, 1, Downlink.settled, 1],
    [Downlink.one, 1, "c2/PING 7; 7", Downlink.settled, 1],
  ]);
  assertEquals(submitted.length, 2);
});

Deno.test("a fault of a session is answered at once where nothing of it is unanswered", () => {
  const { link, posted, submitted } = stage();
  const refused = fault("BINARY_FRAME");
  link.receive([0, ...OPENED, Uplink.input, 1, { type: "FAULT", fault: refused }]);
  assertEquals(posted, [[Downlink.one, 1, `c2/ERROR ${refused.text}`, Downlink.settled, 1]]);
  assertEquals(submitted, []);
});

Deno.test("sessions of one address on a gateway share its rate of frames, and LOST and FLOOD take none of it", () => {
  const { link, posted, submitted } = stage({ floodBurst: 1, floodRatePerAddress: 5 });
  const of = (session: number, input: Input): Packed => [Uplink.input, session, input];
  const flood: Input = { type: "FAULT", fault: fault("FLOOD", 1) };
  const other: Packed = [Uplink.opened, 2, "bob's", 0, "192.0.2.1"];
  link.receive([0, ...OPENED, ...other, ...of(1, flood), ...of(2, flood)]);
  const text = (n: number): Packed => [Uplink.message, n, "5", "hello"];
  link.receive([0, ...text(1), ...text(2), ...text(1), ...text(2), ...text(1)]);
  const refusal = fault("ADDRESS_FLOOD", 5);
  assertEquals(
    submitted.splice(0).map(([{ id }, input]) => [id, input.type === "FAULT" ? input.fault : input.type]),
    [
      ["alice's", "MSG"],
      ["bob's", "MSG"],
      ["alice's", "MSG"],
      ["bob's", "MSG"],
      ["alice's", refusal],
    ],
  );
  posted.length = 0;
  for (const session of link.sessions) {
    while (session.unanswered > 0) session.settled();
  }
  link.flush();
  posted.length = 0;
  link.receive([0, ...text(1)]);
  assertEquals(
    posted,
    [[Downlink.one, 1, `c2/ERROR ${refusal.text}`, Downlink.settled, 1]],
    "at once, as a fault",
  );
  link.receive([0, ...of(1, { type: "LOST" })]);
  assertEquals(submitted.map(([, { type }]) => type), ["LOST"]);
});

Deno.test("a faulty frame takes of the rate of its address as much as its length says", () => {
  const { link, submitted } = stage({ floodBurst: 4, floodRatePerAddress: 5 });
  const faulty = (
    units: number,
  ): Packed => [Uplink.input, 1, { type: "FAULT", fault: fault("NOT_C2"), units }];
  // Of 16 tokens MSG leaves 15: the first fault asks for 16, the second for 15, the third for one more.
  link.receive([
    0,
    ...OPENED,
    Uplink.message,
    1,
    "5",
    "hi",
    ...faulty(60 * 1024),
    ...faulty(60 * 1024 - 1),
    ...faulty(1),
  ]);
  const refusal = fault("ADDRESS_FLOOD", 5).fault;
  assertEquals(
    submitted.map(([, input]) => input.type === "FAULT" ? input.fault.fault : input.type),
    ["MSG", refusal, "NOT_C2", refusal],
  );
});

Deno.test("with its thread a session has lost its connection, and its socket counts no more", async () => {
  const { link, posted, submitted, admission } = stage();
  link.receive({ call: 1, name: "admit", args: ["192.0.2.1"] });
  link.receive({ call: 2, name: "admit", args: ["192.0.2.1"] });
  await new Promise((resolve) => setTimeout(resolve));
  assertEquals(
    posted.map((answer) => (answer as { value: { isAdmitted: boolean } }).value.isAdmitted),
    [true, false],
  );
  link.receive([0, ...OPENED]);
  assertEquals(admission.addresses, 1);
  const asked = link.calls.ask("close");
  link.lost("it is gone");
  assertEquals(submitted.map(([{ id }, input]) => [id, input]), [["alice's", { type: "LOST" }]]);
  assertEquals([admission.addresses, [...link.sessions]], [0, []]);
  await assertRejects(() => asked, Error, "it is gone");
  await assertRejects(() => link.calls.ask("close"), Error, "it is gone");
  // A post that arrives after its end has no effect.
  link.receive([0, Uplink.message, 1, "5", "hello"]);
  assertEquals(submitted.length, 1);
});

Deno.test("a place is given back when the socket that had it is gone", async () => {
  const { link, posted, admission } = stage();
  link.receive({ call: 1, name: "admit", args: ["192.0.2.1"] });
  await new Promise((resolve) => setTimeout(resolve));
  const { ticket } = (posted[0] as { value: { ticket: number } }).value;
  link.receive([0, Uplink.left, ticket]);
  assertEquals(admission.addresses, 0);
});

Deno.test("what a gateway submits for no session is logged, and what is behind it is dealt with", () => {
  const { link, submitted, log } = stage();
  link.receive([0, ...OPENED, Uplink.message, 9, "5", "who?", Uplink.message, 1, "5", "hello"]);
  assertEquals(submitted.map(([{ id }]) => id), ["alice's"]);
  assertEquals(log.events("error"), ["bug"]);
});

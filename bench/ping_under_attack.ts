/**
 * Measures how long a client waits for the answer to PING during attacks: median, 99th percentile and maximum per
 * attack, over both transports, and the longest turn of the server's event loop. The attacker is a separate process
 * under the limits of one address (`--limit-loopback`). All traffic is on loopback, and it ends by itself.
 *
 *     deno run -A bench/ping_under_attack.ts [seconds per attack [transport]]
 *
 * @module
 */
import { type ServerProgram, startServer } from "../tests/support/program.ts";
import { pingProbe } from "../tests/support/probe.ts";
import { HOSTILE_FRAMES, HOSTILE_HEADS } from "../tests/support/hostile_inputs.ts";
import { frame, OPCODE, RawPeer } from "../tests/support/raw_peer.ts";
import { TRANSPORT_NAMES } from "../tests/support/chat_server.ts";
import { number, optionsOrEnd } from "./comparison/options.ts";

/** Milliseconds between two PINGs, within the default flood limit of 20 frames per second. */
const PAUSE_MS = 55;
const SOCKETS = 40;

type Attack = (url: string, until: () => boolean) => Promise<void>;

const ATTACKS: Record<string, Attack> = {
  "nothing": () => Promise.resolve(),
  "40 sockets that flood frames": many(SOCKETS, async (url, until) => {
    const peer = await RawPeer.open(url);
    const flood = repeat(frame(encode("c2/QUERY active_users")), 100);
    void drain(peer);
    while (!until()) await peer.write(flood);
  }),
  "40 sockets that send the largest frames": many(SOCKETS, async (url, until) => {
    const peer = await RawPeer.open(url);
    const large = frame(encode("c2/MSG 1; " + "x".repeat(65_000)));
    void drain(peer);
    while (!until()) await peer.write(large);
  }),
  "sockets opened and dropped, 8 at a time": many(8, async (url) => {
    const peer = await RawPeer.open(url);
    await peer.sendText("c2/CONNECT x" + Math.floor(Math.random() * 1e9));
    peer.close();
  }),
  "handshakes of garbage, 8 at a time": many(8, async (url) => {
    const peer = await RawPeer.connect(url);
    await peer.write(
      encode("GET / HTTP/1.1\r\nHost: x\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\r\n"),
    );
    await peer.readHead();
    peer.close();
  }),
  "3,000 pipelined requests on each of 8 connections": many(8, async (url) => {
    const peer = await RawPeer.connect(url);
    await peer.write(repeat(encode("GET / HTTP/1.1\r\nHost: localhost\r\n\r\n"), 3000));
    peer.close();
  }),
  "40 sockets that never read": many(SOCKETS, async (url, until) => {
    const peer = await RawPeer.open(url);
    const pings = repeat(frame(new Uint8Array(125), { opcode: OPCODE.ping }), 100);
    while (!until()) await peer.write(pings);
  }),
};

for (const { what, connect, bytes } of [...HOSTILE_HEADS, ...HOSTILE_FRAMES]) {
  ATTACKS[what] = many(8, async (url) => {
    const peer = await connect(url);
    await peer.write(bytes());
    peer.close();
  });
}

/** Runs `count` attacks in parallel; each starts again when it ends. */
function many(count: number, one: Attack): Attack {
  return async (url, until) => {
    await Promise.all(Array.from({ length: count }, async () => {
      while (!until()) await one(url, until).catch(() => {/* Cut off: again. */});
    }));
  };
}

async function drain(peer: RawPeer): Promise<void> {
  while (await peer.readFrame() !== undefined);
}

function repeat(bytes: Uint8Array, times: number): Uint8Array {
  const all = new Uint8Array(bytes.length * times);
  for (let i = 0; i < times; i++) all.set(bytes, i * bytes.length);
  return all;
}

function encode(text: string): Uint8Array {
  return new TextEncoder().encode(text);
}

async function measure(url: string, seconds: number): Promise<number[]> {
  await using probe = await pingProbe(url);
  const waits: number[] = [];
  const end = performance.now() + seconds * 1000;
  while (performance.now() < end) {
    waits.push(await probe.wait());
    await new Promise((resolve) => setTimeout(resolve, PAUSE_MS));
  }
  return waits.toSorted((a, b) => a - b);
}

function say(line: string): void {
  Deno.stdout.writeSync(encode(line + "\n"));
}

/** Waits until the program's start is over, which does not count. */
async function turnsAreWatched(server: ServerProgram): Promise<void> {
  await server.event("longest_turn", 4);
}

async function bench(seconds: number, transports: readonly string[]): Promise<void> {
  say(
    "| transport | attack | pings | median ms | p99 ms | longest ms | longest turn, CPU ms | the same, wall ms |",
  );
  say("| --- | --- | --- | --- | --- | --- | --- | --- |");
  for (const transport of transports) {
    for (const attack of Object.keys(ATTACKS)) {
      // On both families: the client that behaves well has another address, and so its own share.
      const flags = ["--transport", transport, "--limit-loopback", "--hostname", "::"];
      await using server = await startServer("chat", flags, {}, { main: "bench/longest_turn.ts" });
      const [attacked, asked] = [`http://127.0.0.1:${server.port}/`, `http://[::1]:${server.port}/`];
      await turnsAreWatched(server);
      const attacker = new Deno.Command(Deno.execPath(), {
        args: ["run", "-A", "--quiet", import.meta.filename!, "attack", attack, attacked, String(seconds)],
      }).spawn();
      const waits = await measure(asked, seconds);
      await attacker.status;
      const turn = server.events.findLast(({ message }) => message === "longest_turn")!;
      const at = (share: number) =>
        waits[Math.min(waits.length - 1, Math.floor(waits.length * share))]!.toFixed(1);
      say(
        `| ${transport} | ${attack} | ${waits.length} | ${at(0.5)} | ${at(0.99)} | ${
          at(1)
        } | ${turn.cpuMs} | ${turn.wallMs} |`,
      );
    }
  }
}

if (import.meta.main) {
  const [role, attack, url, seconds] = Deno.args;
  if (role === "attack") {
    const end = performance.now() + Number(seconds) * 1000;
    // A write to a peer that stopped reading waits forever.
    setTimeout(() => Deno.exit(0), Number(seconds) * 1000 + 100);
    await ATTACKS[attack!]!(url!, () => performance.now() > end);
    Deno.exit(0);
  }
  const each = optionsOrEnd("ping_under_attack", () => number("seconds", role, 4, { min: 1, max: 600 }));
  await bench(each, attack === undefined ? TRANSPORT_NAMES : [attack]);
}

/**
 * While a hostile head or frame arrives, the program answers others within 200 ms: a chat server another client's PING on
 * both transports, a listing another request. On a busy machine 200 ms can pass by the load alone: each input has
 * several tries, and a wait may be longer by as much as the load lengthens any work.
 *
 * @module
 */
import { assertEquals } from "@std/assert";
import { HOSTILE_FRAMES, HOSTILE_HEADS, type HostileInput } from "../support/hostile_inputs.ts";
import { healthProbe, pingProbe, type Probe } from "../support/probe.ts";
import { PROGRAM_TRANSPORTS, startServer } from "../support/program.ts";

/** Milliseconds to the answer of another client. */
const WAIT_MAX_MS = 200;
const TRIES = 6;
/** Milliseconds of work by which the load is measured: many turns of the system's scheduler. */
const CROWDING_MS = 200;
/** Rounds of a loop of some tenths of a millisecond. */
const PIECE = 300_000;
/** Connections that send the input at once. */
const AT_ONCE = 4;
/** Probes in one try, and while the input has not arrived. */
const PROBES = 3;
const PROBES_MAX = 20;

/** The longest wait of a probe while an input arrives. */
async function longestWait(url: string, probe: Probe, { connect, bytes }: HostileInput): Promise<number> {
  const input = bytes();
  const peers = await Promise.all(Array.from({ length: AT_ONCE }, () => connect(url)));
  let arriving = peers.length;
  // Cut in the end, as it may be before: a server reads no further from a peer that reads no answers.
  for (const peer of peers) peer.write(input).catch(() => {}).finally(() => arriving--);
  let longest = 0;
  for (let probes = 0; probes < PROBES || (arriving > 0 && probes < PROBES_MAX); probes++) {
    longest = Math.max(longest, await probe.wait());
  }
  for (const peer of peers) peer.close();
  return longest;
}

/**
 * How many times as long work takes now as on cores of its own: a piece shorter than a turn of the system's scheduler
 * seldom has to wait.
 */
function crowding(): number {
  const pieces: number[] = [];
  const began = performance.now();
  for (let at = began; at - began < CROWDING_MS; at = performance.now()) {
    for (let n = 0; n < PIECE; n++);
    pieces.push(performance.now() - at);
  }
  const usual = pieces.sort((a, b) => a - b)[pieces.length >> 1]!;
  return (performance.now() - began) / (pieces.length * usual);
}

async function slowInputs(url: string, probe: Probe, inputs: readonly HostileInput[]): Promise<string[]> {
  const slow: string[] = [];
  for (const input of inputs) {
    const waits: string[] = [];
    while (waits.length < TRIES) {
      const wait = await longestWait(url, probe, input);
      if (wait <= WAIT_MAX_MS) break;
      const crowded = crowding();
      if (wait <= WAIT_MAX_MS * crowded) break;
      waits.push(`${Math.round(wait)} (load ${crowded.toFixed(1)})`);
    }
    if (waits.length === TRIES) slow.push(`${input.what}: ${waits.join(", ")} ms`);
  }
  return slow;
}

for (const transport of PROGRAM_TRANSPORTS) {
  Deno.test(`${transport}: a PING is answered in 200 ms while another client sends hostile heads and frames`, async () => {
    // The probe answers no heartbeat, and asks more often than a flood limit allows.
    const limits = ["--max-users", "500", "--ping-interval", "3600", "--flood-rate", "0"];
    await using server = await startServer("chat", ["--transport", transport, "--trust-proxy", ...limits]);
    await using probe = await pingProbe(server.url);
    assertEquals(await slowInputs(server.url, probe, [...HOSTILE_HEADS, ...HOSTILE_FRAMES]), []);
  });
}

Deno.test("a listing answers in 200 ms while another client sends hostile heads", async () => {
  await using server = await startServer("listing", ["--trust-proxy"]);
  await using probe = await healthProbe(server.url);
  assertEquals(await slowInputs(server.url, probe, HOSTILE_HEADS), []);
});

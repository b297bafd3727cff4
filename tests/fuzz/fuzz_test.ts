/**
 * A short run of the fuzzer, with the same frames and requests in each run of the tests. `deno task fuzz` is the long
 * one.
 *
 * @module
 */
import { assert, assertEquals } from "@std/assert";
import { PROGRAM_TRANSPORTS } from "../support/program.ts";
import { runs } from "../support/property_runs.ts";
import { fuzz } from "./run.ts";

const FRAMES = runs(300).numRuns;

for (const [i, transport] of PROGRAM_TRANSPORTS.entries()) {
  Deno.test(`${transport}: hundreds of fuzzed frames and requests are all answered, and nothing breaks`, async () => {
    const { chat, listing, problems } = await fuzz({
      seed: 20_261_124,
      frames: FRAMES,
      // The listing has one transport.
      requests: { chat: runs(100).numRuns, listing: i === 0 ? runs(600).numRuns : 0 },
      sockets: 12,
      // 6 to 15 are usual. This finds retained frames; the long run finds leaks.
      growthMebibytesMax: 48,
      // The load of the machine would decide: hostile_inputs_test.ts has several tries.
      waitMsMax: Infinity,
      chatFlags: ["--transport", transport],
    });
    assertEquals(problems, []);
    // The frames were as intended: valid ones, faulty ones, and all kinds of answers.
    for (const kind of ["ACKNOWLEDGE", "ERROR", "PING", "MSG", "UPDATE", "DISCONNECT"]) {
      assert((chat.counts[`got ${kind}`] ?? 0) > 0, `${kind}: ${JSON.stringify(chat.counts)}`);
    }
    assert((chat.counts["raw frames cut"] ?? 0) > 0 && (chat.counts["closed 1000 goodbye"] ?? 0) > 0);
    for (const status of listing === undefined ? [] : [200, 201, 400, 401, 404, 405, 413]) {
      assert((listing!.counts[`http ${status}`] ?? 0) > 0, `${status}: ${JSON.stringify(listing!.counts)}`);
    }
    assert(chat.sent >= FRAMES, String(chat.sent));
  });
}

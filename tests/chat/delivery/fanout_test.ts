/**
 * The fan-out beside a plain model: each participant receives what was broadcast to its mode while it was added, and
 * what was sent to it, in one order.
 *
 * @module
 */
import { assertEquals, assertStrictEquals } from "@std/assert";
import fc from "fast-check";
import { Fanout } from "../../../chat/delivery/fanout.ts";
import type { TurnFrames } from "../../../chat/delivery/turn_frames.ts";
import { ChatMeters } from "../../../chat/meters.ts";
import { toFrame } from "../../../chat/room/frame.ts";
import { NotingParticipant } from "../../support/order_stage.ts";
import { runs } from "../../support/property_runs.ts";
import { recordedLog } from "../../support/recorded_log.ts";

const SESSIONS = [0, 1, 2, 3];
const MISSED = [toFrame("missed"), toFrame("missed too")];
const isExtended = (session: number) => session % 2 === 1;

const step = fc.record({
  what: fc.constantFrom("add", "delete", "all", "plain", "extended", "others", "send", "replay", "flush"),
  session: fc.constantFrom(...SESSIONS),
});

Deno.test("each participant receives its broadcasts and its own frames in order, but no ephemeral of its own", () => {
  fc.assert(
    fc.property(fc.array(step, { maxLength: 40 }), (steps) => {
      const fanout = new Fanout({ meters: new ChatMeters(), steadyMs: () => 0, log: recordedLog().log });
      const participants = SESSIONS.map((n) => new NotingParticipant(`s${n}`, [], undefined, isExtended(n)));
      const expected: string[][] = SESSIONS.map(() => []);
      const here = new Set<number>();
      const note = (text: string, receives: (n: number) => boolean) => {
        for (const n of SESSIONS) if (here.has(n) && receives(n)) expected[n]!.push(text);
      };
      for (const [i, { what, session }] of steps.entries()) {
        const [participant, text, frame] = [participants[session]!, `${i}`, toFrame(`${i}`)];
        if (what === "add" && !here.has(session)) {
          here.add(session);
          fanout.add(participant);
        } else if (what === "delete") {
          here.delete(session);
          fanout.delete(participant);
        } else if (what === "all") {
          note(text, () => true);
          fanout.broadcast(frame);
        } else if (what === "plain") {
          note(text, (n) => !isExtended(n));
          fanout.broadcastPlain(frame);
        } else if (what === "extended") {
          note(text, isExtended);
          fanout.broadcastExtended(frame);
        } else if (what === "others") {
          note(text, (n) => isExtended(n) && n !== session);
          fanout.broadcastExtendedBut(participant, frame);
        } else if (what === "send") {
          expected[session]!.push(text);
          fanout.send(participant, frame);
        } else if (what === "replay") {
          const from = i % (MISSED.length + 1);
          expected[session]!.push(...MISSED.slice(from).map(({ text }) => text));
          fanout.replay(participant, { frames: MISSED, from });
        } else if (what === "flush") fanout.flush();
      }
      fanout.flush();
      assertEquals(participants.map((participant) => participant.frames()), expected);
    }),
    runs(200),
  );
});

Deno.test("participants that are sent a replay share its bytes, also from another frame on", () => {
  const fanout = new Fanout({ meters: new ChatMeters(), steadyMs: () => 0, log: recordedLog().log });
  const given: TurnFrames[] = [];
  for (const n of [0, 1]) {
    const participant = new NotingParticipant(`s${n}`, []);
    participant.pushTurn = (frames) => given.push(frames);
    fanout.replay(participant, { frames: MISSED, from: n });
  }
  assertEquals(given.length, 2);
  assertStrictEquals(given[0], given[1]);
});

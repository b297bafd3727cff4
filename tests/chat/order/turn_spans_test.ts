/**
 * The spans of a batch of messages as values: which messages are traced, with which times and outcome.
 *
 * @module
 */
import { assertEquals } from "@std/assert";
import { Batch } from "../../../chat/order/batch.ts";
import type { Submission } from "../../../chat/delivery/participant.ts";
import type { Decision } from "../../../chat/room/decision.ts";
import { TRACED_PER_BATCH_MAX, TurnSpans } from "../../../chat/order/turn_spans.ts";
import { fault, type FaultName } from "../../../src/protocol/faults.ts";
import type { Course } from "../../../src/metrics/tracing.ts";
import { input, NotingParticipant } from "../../support/order_stage.ts";

const MSG = "c2/MSG 1; hello";

/** Traces one batch of `frames` with these decisions; each step takes a millisecond. */
function traced(frames: readonly string[], decisions: readonly Decision[]): Course[] {
  const courses: Course[] = [];
  let nowMs = 1000;
  const tracing = {
    record: (course: Course) => void courses.push(course),
    within: <T>(_name: string, _attributes: unknown, work: () => Promise<T>) => work(),
  };
  const spans = new TurnSpans(tracing, () => nowMs);
  const submissions = frames.map((frame): Submission => ({
    participant: new NotingParticipant("alice", []),
    input: input(frame),
  }));
  for (const submission of submissions) spans.received(submission);
  const batch = new Batch(submissions);
  nowMs++;
  spans.deciding(batch);
  batch.decisions = decisions;
  nowMs++;
  spans.decided(batch);
  nowMs++;
  spans.stored(batch);
  nowMs++;
  spans.sending(batch);
  nowMs++;
  spans.finished(batch);
  return courses;
}

function refused(name: FaultName): Decision {
  return { kind: "refused", fault: fault(name) };
}

Deno.test("a message is traced by its stages, one after the other", () => {
  const [course, ...others] = traced([MSG, "c2/QUERY active_users"], [refused("FLOOD"), refused("FLOOD")]);
  assertEquals(others, []);
  assertEquals(course, {
    name: "MSG",
    startMs: 1000,
    endMs: 1005,
    attributes: {
      "chatter.session": "alice",
      "chatter.batch.inputs": 2,
      "chatter.outcome": "refused",
      "chatter.fault": "FLOOD",
    },
    isFailed: false,
    stages: [
      { name: "wait", startMs: 1000, endMs: 1001 },
      { name: "decide", startMs: 1001, endMs: 1002 },
      { name: "commit", startMs: 1002, endMs: 1003 },
      { name: "fan-out", startMs: 1004, endMs: 1005 },
    ],
  });
});

Deno.test("a message has failed where the server is to blame", () => {
  const isFailed = (...decisions: Decision[]) => traced([MSG], decisions)[0]?.isFailed;
  assertEquals(isFailed(refused("STORE_FAILED")), true);
  assertEquals(isFailed(refused("INTERNAL")), true);
  assertEquals(isFailed(), true);
  assertEquals(isFailed(refused("MESSAGE_EMPTY")), false);
});

Deno.test("of a batch as many messages are traced as the limit says, and no more", () => {
  const count = (messages: number) => traced(new Array(messages).fill(MSG), []).length;
  assertEquals(count(TRACED_PER_BATCH_MAX), TRACED_PER_BATCH_MAX);
  assertEquals(count(TRACED_PER_BATCH_MAX + 1), TRACED_PER_BATCH_MAX);
});

/**
 * OpenTelemetry spans of messages: one from arrival to end, with a stage each for waiting, decision, commit and
 * fan-out. A turn only notes times; spans are made after its batch was sent. No span has a name or a text. Used only
 * while traces are collected.
 *
 * @module
 */
import type { Course, Stage, Tracing } from "../../src/metrics/tracing.ts";
import type { Batch } from "./batch.ts";
import type { Submission } from "../delivery/participant.ts";
import type { Decision } from "../room/decision.ts";

/** Messages traced in one batch: those of a busy room are alike, and each is five spans. */
export const TRACED_PER_BATCH_MAX = 16;

/** Milliseconds since 1970, with their fraction. */
interface Times {
  readonly decidingMs: number;
  decidedMs: number;
  storedMs: number;
  sendingMs: number;
}

export class TurnSpans {
  readonly #tracing: Tracing;
  readonly #nowMs: () => number;
  readonly #received = new WeakMap<Submission, number>();
  readonly #times = new WeakMap<Batch, Times>();

  constructor(tracing: Tracing, nowMs: () => number) {
    this.#tracing = tracing;
    this.#nowMs = nowMs;
  }

  received(submission: Submission): void {
    if (isMessage(submission)) this.#received.set(submission, this.#nowMs());
  }

  deciding(batch: Batch): void {
    const nowMs = this.#nowMs();
    this.#times.set(batch, { decidingMs: nowMs, decidedMs: nowMs, storedMs: nowMs, sendingMs: nowMs });
  }

  /** Call when the batch is decided and its storing has not begun. */
  decided(batch: Batch): void {
    const times = this.#times.get(batch);
    if (times !== undefined) times.decidedMs = this.#nowMs();
  }

  stored(batch: Batch): void {
    const times = this.#times.get(batch);
    if (times !== undefined) times.storedMs = this.#nowMs();
  }

  sending(batch: Batch): void {
    const times = this.#times.get(batch);
    if (times !== undefined) times.sendingMs = this.#nowMs();
  }

  /** Call when all frames of the batch are sent, after a bug too. Records its spans. */
  finished(batch: Batch): void {
    const times = this.#times.get(batch);
    if (times === undefined) return;
    const endMs = this.#nowMs();
    let traced = 0;
    for (let i = 0; i < batch.submissions.length && traced < TRACED_PER_BATCH_MAX; i++) {
      const submission = batch.submissions[i]!;
      const startMs = this.#received.get(submission);
      if (startMs === undefined) continue;
      traced++;
      const message = { ...submission, decision: batch.decisions[i], inputs: batch.submissions.length };
      this.#tracing.record(courseOf(message, [
        { name: "wait", startMs, endMs: times.decidingMs },
        { name: "decide", startMs: times.decidingMs, endMs: times.decidedMs },
        { name: "commit", startMs: times.decidedMs, endMs: times.storedMs },
        { name: "fan-out", startMs: times.sendingMs, endMs },
      ]));
    }
  }
}

/** A message whose frames are sent. */
export interface TracedMessage extends Pick<Submission, "participant" | "input"> {
  /** Undefined if a bug left it without one. */
  readonly decision: Decision | undefined;
  /** Inputs of its whole batch. */
  readonly inputs: number;
}

/** The trace of a message: from the beginning of its first stage to the end of its last. */
export function courseOf(
  { participant, input, decision, inputs }: TracedMessage,
  stages: readonly Stage[],
): Course {
  return {
    name: input.type,
    startMs: stages[0]!.startMs,
    endMs: stages.at(-1)!.endMs,
    attributes: {
      "chatter.session": participant.id,
      "chatter.batch.inputs": inputs,
      ...attributesOf(decision),
    },
    isFailed: isFailed(decision),
    stages,
  };
}

export function isMessage({ input: { type } }: Pick<Submission, "input">): boolean {
  return type === "MSG" || type === "SEND";
}

function attributesOf(decision: Decision | undefined): Record<string, string> {
  if (decision === undefined) return { "chatter.outcome": "undecided" };
  if (decision.kind === "refused") {
    return { "chatter.outcome": "refused", "chatter.fault": decision.fault.fault };
  }
  if (decision.kind !== "stored") return { "chatter.outcome": decision.kind };
  return { "chatter.outcome": "stored", "chatter.message": decision.entry.message.uuid };
}

function isFailed(decision: Decision | undefined): boolean {
  if (decision === undefined) return true;
  return decision.kind === "refused" &&
    (decision.fault.fault === "STORE_FAILED" || decision.fault.fault === "INTERNAL");
}

/**
 * What OpenTelemetry is told of messages: for each a span from its arrival to its end, and in it how long it waited for
 * its turn, the decision, the commit and the fan-out, which it shares with the others of its batch.
 *
 * While a batch is under way only the time is noted; spans are made when it was told. It is there only where traces are
 * collected. No span has a name or a text.
 *
 * @module
 */
import type { Tracing } from "../../src/metrics/tracing.ts";
import type { Batch } from "./batch.ts";
import type { Submission } from "../delivery/participant.ts";
import type { Decision } from "../room/decision.ts";

/** Messages of one batch that are traced: those of a busy room are alike, and each is five spans. */
export const TRACED_PER_BATCH_MAX = 16;

/** When a batch was how far, in milliseconds since 1970, with their fraction. */
interface Times {
  readonly decidingMs: number;
  decidedMs: number;
  storedMs: number;
  tellingMs: number;
}

export class TurnSpans {
  readonly #tracing: Tracing;
  readonly #nowMs: () => number;
  readonly #received = new WeakMap<Submission, number>();
  readonly #times = new WeakMap<Batch, Times>();

  /** `nowMs`: milliseconds since 1970, with their fraction. */
  constructor(tracing: Tracing, nowMs: () => number) {
    this.#tracing = tracing;
    this.#nowMs = nowMs;
  }

  received(submission: Submission): void {
    if (isMessage(submission)) this.#received.set(submission, this.#nowMs());
  }

  deciding(batch: Batch): void {
    const nowMs = this.#nowMs();
    this.#times.set(batch, { decidingMs: nowMs, decidedMs: nowMs, storedMs: nowMs, tellingMs: nowMs });
  }

  /** It was decided, and is being stored. */
  decided(batch: Batch): void {
    const times = this.#times.get(batch);
    if (times !== undefined) times.decidedMs = this.#nowMs();
  }

  stored(batch: Batch): void {
    const times = this.#times.get(batch);
    if (times !== undefined) times.storedMs = this.#nowMs();
  }

  telling(batch: Batch): void {
    const times = this.#times.get(batch);
    if (times !== undefined) times.tellingMs = this.#nowMs();
  }

  /** Everybody was told, or was answered for what went wrong. */
  told(batch: Batch): void {
    const times = this.#times.get(batch);
    if (times === undefined) return;
    const endMs = this.#nowMs();
    let traced = 0;
    for (let i = 0; i < batch.submissions.length && traced < TRACED_PER_BATCH_MAX; i++) {
      const submission = batch.submissions[i]!;
      const startMs = this.#received.get(submission);
      if (startMs === undefined) continue;
      traced++;
      const { input, participant } = submission;
      this.#tracing.record({
        name: input.type,
        startMs,
        endMs,
        attributes: {
          "chatter.session": participant.id,
          "chatter.batch.inputs": batch.submissions.length,
          ...attributesOf(batch.decisions[i]),
        },
        isFailed: isFailed(batch.decisions[i]),
        stages: [
          { name: "wait", startMs, endMs: times.decidingMs },
          { name: "decide", startMs: times.decidingMs, endMs: times.decidedMs },
          { name: "commit", startMs: times.decidedMs, endMs: times.storedMs },
          { name: "fan-out", startMs: times.tellingMs, endMs },
        ],
      });
    }
  }
}

function isMessage({ input: { type } }: Submission): boolean {
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

/** Whether it is the server's to answer for. */
function isFailed(decision: Decision | undefined): boolean {
  if (decision === undefined) return true;
  return decision.kind === "refused" &&
    (decision.fault.fault === "STORE_FAILED" || decision.fault.fault === "INTERNAL");
}

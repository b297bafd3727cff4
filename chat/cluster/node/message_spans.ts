/**
 * OpenTelemetry spans of the messages of this node's sessions: one from arrival to the end of its broadcast here, with a
 * stage until its record is applied and one for the fan-out. No span has a name or a text. Used only while traces are
 * collected.
 *
 * @module
 */
import type { Tracing } from "../../../src/metrics/tracing.ts";
import type { Participant } from "../../delivery/participant.ts";
import { courseOf, isMessage, TRACED_PER_BATCH_MAX, type TracedMessage } from "../../order/turn_spans.ts";
import type { Decision, Input } from "../../room/decision.ts";

interface Applied extends Omit<TracedMessage, "inputs"> {
  readonly receivedMs: number;
  readonly appliedMs: number;
}

export class MessageSpans {
  readonly #tracing: Tracing;
  readonly #nowMs: () => number;
  readonly #received = new WeakMap<Input, number>();
  #applied: Applied[] = [];

  /** `nowMs` has fractions. */
  constructor(tracing: Tracing, nowMs: () => number) {
    this.#tracing = tracing;
    this.#nowMs = nowMs;
  }

  /** Call again for an input that waited behind a page: it arrived the first time. */
  received(input: Input): void {
    if (isMessage({ input }) && !this.#received.has(input)) this.#received.set(input, this.#nowMs());
  }

  /** Call when the record with the message's decision is applied, before its frames are sent. */
  applied(input: Input, participant: Participant, decision: Decision): void {
    const receivedMs = this.#received.get(input);
    if (receivedMs === undefined || this.#applied.length >= TRACED_PER_BATCH_MAX) return;
    this.#applied.push({ input, participant, decision, receivedMs, appliedMs: this.#nowMs() });
  }

  /** Call when all frames of the record, which has so many decisions, are sent. */
  sent(inputs: number): void {
    const endMs = this.#nowMs();
    for (const { receivedMs, appliedMs, ...message } of this.#applied.splice(0)) {
      this.#tracing.record(courseOf({ ...message, inputs }, [
        { name: "order", startMs: receivedMs, endMs: appliedMs },
        { name: "fan-out", startMs: appliedMs, endMs },
      ]));
    }
  }
}

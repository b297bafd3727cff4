/**
 * A batch: what one turn decides, stores in one commit and broadcasts; and how much fits into one.
 *
 * Pure. What is in it comes from the sequencer's queue, in order.
 *
 * @module
 */
import type { Fault } from "../../src/protocol/faults.ts";
import type { Submission } from "../delivery/participant.ts";
import type { Decision, Input } from "../room/decision.ts";
import { broadcastsOf } from "../room/effects.ts";
import {
  APPEND_CHANGE_UNITS,
  APPEND_ENTRIES_MAX,
  APPEND_TEXT_MAX,
  type StoredMessage,
} from "../room/message.ts";

/**
 * Older pages of history in one turn. Each is read whole before it is answered: up to 200 messages, some 3 MiB at
 * the default length of a text, and the memory of a turn is that times the pages.
 */
export const TURN_PAGES_MAX = 16;

/** One batch on its way through a turn: how far it came. */
export class Batch {
  readonly submissions: readonly Submission[];
  decisions: readonly Decision[] = [];
  /** The older pages of history that it asks for, as of its beginning. */
  pages: ReadonlyMap<Submission, StoredMessage[]> = new Map();
  /** Why it could not be stored; a promise where there is something to wait for. */
  storing: Fault | undefined | Promise<Fault | undefined>;
  /** How many decisions the teller has dealt with, from the first. */
  told = 0;

  constructor(submissions: readonly Submission[]) {
    this.submissions = submissions;
  }

  /** How many broadcasts it causes. */
  get broadcasts(): number {
    return this.decisions.reduce((sum, decision) => sum + broadcastsOf(decision), 0);
  }

  /** It could not be stored: the messages are refused, and so is what was judged by them. */
  fail(storeFault: Fault): void {
    this.decisions = this.decisions.map((decision) =>
      decision.kind === "stored" || "isProvisional" in decision && decision.isProvisional
        ? { kind: "refused", fault: storeFault }
        : decision
    );
  }
}

/** Counts what a batch takes: no more than fits one append of the journal, and memory at once. */
export class BatchSize {
  readonly #maxMessageLength: number;
  #inputs = 0;
  #text = 0;
  #pages = 0;

  /** `maxMessageLength`: characters of a message that a change may be of. */
  constructor(maxMessageLength: number) {
    this.#maxMessageLength = maxMessageLength;
  }

  /** Whether the next input still fits. The first one does, whatever it is. */
  takes(input: Input): boolean {
    const isFirst = this.#inputs === 0;
    this.#inputs++;
    this.#text += this.#textOf(input);
    if (asksForOlder(input)) this.#pages++;
    return isFirst || this.#inputs <= APPEND_ENTRIES_MAX && this.#text <= APPEND_TEXT_MAX &&
        this.#pages <= TURN_PAGES_MAX;
  }

  /** What an append holds of an input, in UTF-16 units: of a change also the message before and after it. */
  #textOf(input: Input): number {
    const text = "text" in input ? input.text.length : 0;
    return isChange(input) ? 2 * (text + this.#maxMessageLength) + APPEND_CHANGE_UNITS : text;
  }
}

/**
 * Whether the input can be decided before the previous batch has been broadcast: its decision reads neither the
 * listeners, nor the history window, nor the replay buffer, nor which sessions have begun or ended.
 */
export function canOverlap({ type }: Input): boolean {
  return type === "MSG" || type === "SEND" || type === "PING" || type === "TYPING" || type === "FAULT";
}

/** Whether it changes a message. */
function isChange(input: Input): boolean {
  return input.type === "QUERY" && (input.query === "update_message" || input.query === "delete_message");
}

/** Whether it wants a page that memory may not hold. Without `before` it wants the newest, which memory always has. */
export function asksForOlder(input: Input): input is Input & { query: "history"; before: string } {
  return input.type === "QUERY" && input.query === "history" && input.before !== undefined;
}

/**
 * A batch: the inputs that one turn of the sequencer decides, stores in one commit and sends; and the limits of a
 * batch.
 *
 * @module
 */
import type { Fault } from "../../src/protocol/faults.ts";
import { HISTORY_PAGE_MAX } from "../../src/protocol/limits.ts";
import type { Submission } from "../delivery/participant.ts";
import { type Decision, ifNotStored, type Input } from "../room/decision.ts";
import { broadcastsOf } from "../room/effects.ts";
import { REPLAY_BROADCASTS_MAX } from "../room/replay_buffer.ts";
import {
  APPEND_CHANGE_UNITS,
  APPEND_ENTRIES_MAX,
  APPEND_TEXT_MAX,
  type StoredMessage,
} from "../room/message.ts";

/** Older pages of history in one turn. A page has up to 200 messages, about 3 MiB at the default message length. */
export const TURN_PAGES_MAX = 16;

/** Messages of history in one turn, which takes some 20 ms to write. */
export const TURN_HISTORY_MAX = TURN_PAGES_MAX * HISTORY_PAGE_MAX;

/** Names in the answers to `roster` and `active_users` of one turn, which take some 20 ms if the roster has changed. */
export const TURN_NAMES_MAX = 25_000;

/** Broadcasts and AWAY that one turn replays to sessions that resume, in some 20 to 40 ms: 2 to 4 µs each. */
export const TURN_REPLAYS_MAX = REPLAY_BROADCASTS_MAX;

/**
 * The same where sessions share the bytes of a replay, some 0.3 µs each, and for a record of a cluster. A message between
 * two of them has the second made again, which takes 1 µs each: 90 ms at most.
 */
export const TURN_SHARED_REPLAYS_MAX = 64_000;

export class Batch {
  readonly submissions: readonly Submission[];
  decisions: readonly Decision[] = [];
  /** Pages of older history that the batch asks for, as of its beginning. */
  pages: ReadonlyMap<Submission, StoredMessage[]> = new Map();
  /** Undefined if stored, a fault if not; a promise while the journal is writing. */
  storing: Fault | undefined | Promise<Fault | undefined>;
  /** Decisions that the teller has sent: the first `sentCount`. */
  sentCount = 0;
  /** Milliseconds that sending them took. */
  sendingMs = 0;

  constructor(submissions: readonly Submission[]) {
    this.submissions = submissions;
  }

  get broadcasts(): number {
    return this.decisions.reduce((sum, decision) => sum + broadcastsOf(decision), 0);
  }

  /** Call if the batch could not be stored: refuses its messages and every decision that depends on them. */
  fail(storeFault: Fault): void {
    this.decisions = this.decisions.map((decision) => ifNotStored(decision, storeFault));
  }
}

/** Measures a batch while it is taken from the queue: it must fit one append of the journal, and memory. */
export class BatchSize {
  #inputs = 0;
  #text = 0;
  #pages = 0;
  #history = 0;
  #replays = 0;
  #names = 0;
  readonly #missedAfter: (position: number) => number;
  readonly #replaysMax: number;
  readonly #users: number;

  /**
   * `missedAfter` returns how many broadcasts a session that resumes is sent at most; `users` are in the room, held ones
   * included.
   */
  constructor(missedAfter: (position: number) => number, replaysMax = TURN_REPLAYS_MAX, users = 0) {
    this.#missedAfter = missedAfter;
    this.#replaysMax = replaysMax;
    this.#users = users;
  }

  /** Adds the next input; false if it no longer fits. The first input always fits. */
  accepts(input: Input): boolean {
    const isFirst = this.#inputs === 0;
    this.#inputs++;
    this.#text += textOf(input);
    if (asksForHistory(input)) this.#history += input.limit;
    if (asksForOlder(input)) this.#pages++;
    if (asksForNames(input)) this.#names += this.#users;
    if (input.type === "RESUME") this.#replays += this.#missedAfter(input.position);
    return isFirst || this.#inputs <= APPEND_ENTRIES_MAX && this.#text <= APPEND_TEXT_MAX &&
        this.#pages <= TURN_PAGES_MAX && this.#history <= TURN_HISTORY_MAX &&
        this.#replays <= this.#replaysMax && this.#names <= TURN_NAMES_MAX;
  }
}

/** UTF-16 units that an input takes in an append. */
function textOf(input: Input): number {
  const text = "text" in input ? input.text.length : 0;
  return isChange(input) ? text + APPEND_CHANGE_UNITS : text;
}

/**
 * Whether the input can be decided before the previous batch has been broadcast: its decision does not read the
 * audience, the history window, the replay buffer, or which sessions have begun or ended.
 */
export function canOverlap({ type }: Input): boolean {
  return type === "MSG" || type === "SEND" || type === "PING" || type === "TYPING" || type === "FAULT";
}

function isChange(input: Input): boolean {
  return input.type === "QUERY" && (input.query === "update_message" || input.query === "delete_message");
}

type HistoryQuery = Extract<Input, { query: "history" }>;

export function asksForHistory(input: Input): input is HistoryQuery {
  return input.type === "QUERY" && input.query === "history";
}

/** Whether its answer has the names of all users. */
export function asksForNames(input: Input): boolean {
  return input.type === "QUERY" && (input.query === "roster" || input.query === "active_users");
}

/** Whether it asks for a page that memory may not hold. Without `before` it asks for the newest, which memory holds. */
export function asksForOlder(input: Input): input is HistoryQuery & { before: string } {
  return asksForHistory(input) && input.before !== undefined;
}

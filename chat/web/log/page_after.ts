/**
 * Reads the messages after a given one with the query of the protocol, which asks for those before an id, PROTOCOL.md
 * §5.4: since ids begin with a time (§4.2), it asks for those before a later time, and comes closer where that was too
 * late. Pure: it says what to ask and takes the answers.
 *
 * @module
 */
interface Identified {
  readonly uuid: string;
}

/** Milliseconds of the first guess, and by how much it is extended or shortened until both sides are known. */
const FIRST_MS = 600_000;
const FACTOR = 8;
/** Pages that are read one by one rather than from an earlier time. */
const PAGES = 3;
/** Hexadecimal digits of an id that are its time. */
const TIME_DIGITS = 12;

/** Messages without a gap, oldest first, that reach down to the given one or begin after it. */
export interface Found<M> {
  readonly messages: readonly M[];
  /** True if no message is left between these and `until`. */
  readonly isJoined: boolean;
}

export class PageAfter<M extends Identified> {
  /** What to ask `history` for. */
  before: string;
  readonly #after: string;
  readonly #until: string;
  /** Milliseconds after `after`: no message before the first, and some before the second. */
  #emptyMs = 0;
  #someMs: number | undefined;
  #ms: number;
  /** Messages that do not reach down to `after`, and the `before` of the last of them. */
  #above: readonly M[] = [];
  #aboveBefore: string | undefined;

  /**
   * `after` is any id; `until` is the first message that is not wanted. `guessMs` is a time in which about a page of
   * messages was sent.
   */
  constructor(after: string, until: string, guessMs: number = FIRST_MS) {
    this.#after = after;
    this.#until = until;
    this.#ms = Math.max(1, Math.ceil(guessMs));
    this.before = this.#guess();
  }

  /** Takes the answer to `before`, oldest first. Returns undefined if `before` is to be asked now. */
  add(page: readonly M[]): Found<M> | undefined {
    const first = page[0];
    if (first !== undefined && first.uuid > this.#after) {
      this.#shorten(page, first.uuid);
      return undefined;
    }
    const isEmpty = (page.at(-1)?.uuid ?? "") <= this.#after && this.#above.length === 0;
    if (isEmpty && this.before < this.#until) {
      this.#extend();
      return undefined;
    }
    const end = this.#aboveBefore ?? this.before;
    return { messages: [...page, ...this.#above], isJoined: end === this.#until };
  }

  /** The page begins too late: what lies before it is read page by page if it seems little, else from an earlier time. */
  #shorten(page: readonly M[], first: string): void {
    // To the end of its millisecond.
    const ms = timeOf(first) - timeOf(this.#after) + 1;
    const pageMs = timeOf(this.before) - timeOf(first);
    const isLittle = this.#someMs === undefined || ms - this.#emptyMs <= Math.max(1, PAGES * pageMs);
    this.#someMs = ms;
    if (isLittle) {
      this.#aboveBefore ??= this.before;
      this.#above = [...page, ...this.#above];
      this.before = first;
      return;
    }
    this.#above = [];
    this.#aboveBefore = undefined;
    this.#ms = this.#emptyMs === 0 ? Math.ceil(ms / FACTOR) : this.#middle(ms);
    this.before = this.#guess();
  }

  #extend(): void {
    this.#emptyMs = this.#ms;
    this.#ms = this.#someMs === undefined ? this.#ms * FACTOR : this.#middle(this.#someMs);
    this.before = this.#guess();
  }

  #middle(someMs: number): number {
    return Math.ceil((this.#emptyMs + someMs) / 2);
  }

  #guess(): string {
    const id = idAt(timeOf(this.#after) + this.#ms);
    return id > this.#until ? this.#until : id;
  }
}

/** The milliseconds in an id. */
export function timeOf(uuid: string): number {
  return parseInt(uuid.slice(0, 8) + uuid.slice(9, 13), 16) || 0;
}

/** The least id of a time. */
export function idAt(ms: number): string {
  const digits = Math.min(Math.max(0, ms), 16 ** TIME_DIGITS - 1).toString(16).padStart(TIME_DIGITS, "0");
  return `${digits.slice(0, 8)}-${digits.slice(8)}-7000-8000-000000000000`;
}

/**
 * Which history pages a new session reads, PROTOCOL.md §5.4: the newest page, or after a lost session the pages back
 * to the last message that was shown. Broadcasts that arrive meanwhile are held back, so that messages keep the
 * server's order.
 *
 * @module
 */
import type { BroadcastFrame, HistoryEntry } from "../../protocol/frames.ts";
import type { Wish } from "./session_events.ts";

/** Messages per page: the first one, and those that fill a hole; then the number of pages that fill a hole. */
const FIRST_PAGE = 100;
const HOLE_PAGE = 200;
const HOLE_PAGES_MAX = 5;
/**
 * Broadcasts held back: twice the replay buffer of a server, §12.3. A server that sends more has not answered the
 * history query.
 */
export const HELD_MAX = 20_000;
/** UTF-16 units of their frames: 32 MiB, and several times what a server replays by default. */
export const HELD_UNITS_MAX = 16_777_216;

/** A broadcast that is held back, with its flags as of its arrival. */
export interface HeldBroadcast {
  readonly frame: BroadcastFrame;
  readonly isOwn: boolean;
  readonly isNew: boolean;
  /** UTF-16 units of the frame as text. */
  readonly units: number;
}

export class CatchUp {
  held: HeldBroadcast[] = [];
  #heldUnits = 0;
  /** True for the first history of a client that has shown nothing yet. */
  readonly isStart: boolean;
  /** True if the entries reach back to the last message that was shown. */
  isJoined = false;
  isOldest = false;
  pages = 0;
  entries: HistoryEntry[] = [];
  /** The id of the last message that was shown; "" for none. */
  readonly target: string;

  constructor(target: string, isStart: boolean) {
    this.target = target;
    this.isStart = isStart;
  }

  get nextPage(): Wish {
    return { kind: "history", limit: this.isStart ? FIRST_PAGE : HOLE_PAGE, before: this.entries[0]?.uuid };
  }

  /**
   * Starts again on a new connection. In a new session the history is newer than the held messages, so these are
   * dropped.
   */
  restart(isResumed: boolean): void {
    if (!isResumed) this.held = this.held.filter(({ frame }) => frame.type !== "MSG");
    this.#heldUnits = this.held.reduce((sum, { units }) => sum + units, 0);
    this.entries = [];
    this.pages = 0;
    this.isOldest = false;
    this.isJoined = false;
  }

  /** Holds back a broadcast. False if that is more than the limits allow; then all of them are dropped. */
  hold(held: HeldBroadcast): boolean {
    this.#heldUnits += held.units;
    if (this.held.push(held) <= HELD_MAX && this.#heldUnits <= HELD_UNITS_MAX) return true;
    this.held = [];
    this.#heldUnits = 0;
    return false;
  }

  /** Adds an older page. Returns true if it was the last one to read. */
  addPage(page: readonly HistoryEntry[]): boolean {
    this.pages++;
    this.isOldest = page.length === 0;
    this.entries = [...page, ...this.entries];
    const oldest = this.entries[0];
    this.isJoined = this.isOldest || (oldest !== undefined && oldest.uuid <= this.target);
    return this.isStart || this.isJoined || this.pages >= HOLE_PAGES_MAX;
  }

  /**
   * The held broadcasts to emit after the entries. A message that is among the entries is emitted only if its last
   * text differs.
   */
  get remaining(): HeldBroadcast[] {
    const texts = new Map(this.entries.map(({ uuid, message }) => [uuid, message]));
    const last = new Map<string, HeldBroadcast>();
    for (const held of this.held) if (held.frame.type === "MSG") last.set(held.frame.uuid, held);
    const oldest = this.entries[0]?.uuid ?? "";
    return this.held.flatMap((held) => {
      const { frame } = held;
      // Older than all that is shown: it comes with its page, if the person scrolls so far.
      if (frame.type === "MSG" && !this.isJoined && frame.uuid < oldest) return [];
      if (frame.type !== "MSG" || !texts.has(frame.uuid)) return [held];
      if (last.get(frame.uuid) !== held || texts.get(frame.uuid) === frame.text) return [];
      return [{ ...held, isNew: false }];
    });
  }
}

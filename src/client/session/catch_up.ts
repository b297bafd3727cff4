/**
 * What a new session reads of the history before it goes on with what is told: the newest page at first, and after a
 * session that could not be resumed as many pages as it takes to join up with what was seen, PROTOCOL.md §5.4.
 *
 * Broadcasts that come meanwhile are held back, so that everything is told in its order.
 *
 * @module
 */
import type { BroadcastFrame, HistoryEntry } from "../../protocol/frames.ts";
import type { Wish } from "./session_events.ts";

/** Messages of the first page, and of each page that fills a hole, and pages of which a hole is filled at most. */
export const FIRST_PAGE = 100;
export const HOLE_PAGE = 200;
export const HOLE_PAGES_MAX = 5;
/** Broadcasts that are held back: twice what a server replays, §12.3. One that tells more and no history owes an answer. */
export const HELD_MAX = 20_000;

/** A broadcast that is held back, with what was known of it when it came. */
export interface HeldBroadcast {
  readonly frame: BroadcastFrame;
  readonly isOwn: boolean;
  readonly isNew: boolean;
}

export class CatchUp {
  held: HeldBroadcast[] = [];
  /** Whether it is the history of somebody who has seen nothing yet. */
  readonly isStart: boolean;
  /** Whether the entries reach back to what was seen before. */
  isJoined = false;
  isOldest = false;
  pages = 0;
  /** Oldest first. */
  entries: HistoryEntry[] = [];
  /** The newest message that was seen before, or "" where there was none to see. */
  readonly target: string;

  constructor(target: string, isStart: boolean) {
    this.target = target;
    this.isStart = isStart;
  }

  /** The page that is to be asked for. */
  get nextPage(): Wish {
    return { kind: "history", limit: this.isStart ? FIRST_PAGE : HOLE_PAGE, before: this.entries[0]?.uuid };
  }

  /**
   * Begins anew on a new connection. What is held back stays; but messages of a session that is no more are older than
   * what the history will say of them.
   */
  restart(isResumed: boolean): void {
    if (!isResumed) this.held = this.held.filter(({ frame }) => frame.type !== "MSG");
    this.entries = [];
    this.pages = 0;
    this.isOldest = false;
    this.isJoined = false;
  }

  /** Adds a page; answers whether that was the last one. */
  addPage(page: readonly HistoryEntry[]): boolean {
    this.pages++;
    this.isOldest = page.length === 0;
    this.entries = [...page, ...this.entries];
    const oldest = this.entries[0];
    this.isJoined = this.isOldest || (oldest !== undefined && oldest.uuid <= this.target);
    return this.isStart || this.isJoined || this.pages >= HOLE_PAGES_MAX;
  }

  /**
   * The held broadcasts that are left to be told after the entries: a message that the history told already is told
   * again only where it has changed since, and then as it was at last.
   */
  get remaining(): HeldBroadcast[] {
    const texts = new Map(this.entries.map(({ uuid, message }) => [uuid, message]));
    const last = new Map<string, HeldBroadcast>();
    for (const held of this.held) if (held.frame.type === "MSG") last.set(held.frame.uuid, held);
    const oldest = this.entries[0]?.uuid ?? "";
    return this.held.flatMap((held) => {
      const { frame } = held;
      // Of before what is shown: it comes with its page, if anybody reads that far.
      if (frame.type === "MSG" && !this.isJoined && frame.uuid < oldest) return [];
      if (frame.type !== "MSG" || !texts.has(frame.uuid)) return [held];
      if (last.get(frame.uuid) !== held || texts.get(frame.uuid) === frame.text) return [];
      return [{ ...held, isNew: false }];
    });
  }
}

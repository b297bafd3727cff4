/**
 * The messages and the roster of a session: turns broadcasts and history, PROTOCOL.md §4 to §6, into events, each
 * message once and in the server's order. It does not know about connections.
 *
 * @module
 */
import { readHistory, readReceipt, readRoster, readSearch, readUsers } from "../../protocol/codec.ts";
import type { BroadcastFrame } from "../../protocol/frames.ts";
import { CatchUp, type HeldBroadcast } from "./catch_up.ts";
import { OwnMessages } from "./own_messages.ts";
import { endOf, type SessionEnd } from "./reconnect.ts";
import { Roster } from "./roster.ts";
import type { Draft, SavedSession, SessionEvent, Wish } from "./session_events.ts";

export class Conversation {
  username = "";
  newest = "";
  /** Why the server ended this session, as its broadcast says. */
  end: SessionEnd | undefined;
  own: OwnMessages;
  readonly #emit: (event: SessionEvent) => void;
  readonly #roster = new Roster();
  /** Whether the roster is the server's, by its answer and by every broadcast since. */
  hasRoster = false;
  #hasHistory = false;
  #catchUp: CatchUp | undefined;

  constructor(
    emit: (event: SessionEvent) => void,
    random: () => number,
    wallMs: () => number,
    saved?: SavedSession,
  ) {
    this.#emit = emit;
    this.own = new OwnMessages(random, wallMs, saved);
    if (saved === undefined) return;
    this.username = saved.username;
    this.newest = saved.newest;
    for (const draft of saved.drafts) if (draft.fate === "offered") this.own.offer(draft);
  }

  get users(): readonly string[] {
    return this.#roster.present;
  }

  get away(): readonly string[] {
    return this.#roster.away;
  }

  /**
   * Call when a session is let in. With `isResumed` no broadcast was missed. Returns the first history page to ask
   * for, if any.
   */
  begin(isResumed: boolean): Wish | undefined {
    this.end = undefined;
    this.hasRoster &&= isResumed;
    if (isResumed && this.#hasHistory && this.#catchUp === undefined) return undefined;
    this.#catchUp ??= new CatchUp(this.newest, !this.#hasHistory);
    this.#catchUp.restart(isResumed);
    return this.#catchUp.nextPage;
  }

  typing(username: string): void {
    if (this.#catchUp === undefined) this.#emit({ type: "typing", username });
  }

  /** Call when the session is resumed: AWAY is broadcast for all who are away. */
  resumed(): void {
    this.#changeRoster((roster) => roster.allHere());
  }

  /** A session is held, or is back. The roster that is asked for after catching up includes it. */
  setAway(username: string, isAway: boolean): void {
    this.#changeRoster((roster) => roster.setAway(username, isAway));
  }

  /**
   * Receives a broadcast of `units` UTF-16 units. Its effect on our own name and messages is immediate, even if the
   * event is held back. False if more would be held back than the limits allow; then all of them are dropped.
   */
  receive(frame: BroadcastFrame, units: number): boolean {
    const held = { ...this.#note(frame), units };
    if (this.#catchUp !== undefined) return this.#catchUp.hold(held);
    this.#broadcast(held);
    return true;
  }

  #note(frame: BroadcastFrame): Omit<HeldBroadcast, "units"> {
    const isOwn = frame.username === this.username;
    if (frame.type === "UPDATE" && isOwn && frame.property === "username") this.username = frame.value;
    if (frame.type === "DISCONNECT" && isOwn) this.end = endOf(frame);
    if (frame.type !== "MSG") return { frame, isOwn, isNew: false };
    const isNew = frame.uuid > this.newest;
    if (isNew) this.newest = frame.uuid;
    const draft = isNew && isOwn ? this.own.claim(frame) : undefined;
    if (draft !== undefined) this.#emit({ type: "acknowledged", draft, uuid: frame.uuid });
    return { frame, isOwn, isNew };
  }

  #broadcast({ frame, isOwn, isNew }: HeldBroadcast): void {
    const { username } = frame;
    switch (frame.type) {
      case "MSG": {
        const { uuid, text } = frame;
        const entry = { uuid, username, message: text, timestamp: Number(frame.timestamp), edited: !isNew };
        this.#emit({ type: "message", message: this.own.message(entry), isNew, isMissed: false });
        return;
      }
      case "UPDATE":
        if (frame.property !== "username") return;
        this.#emit({ type: "renamed", from: username, to: frame.value, isOwn });
        return this.#changeRoster((roster) => roster.rename(username, frame.value));
      case "JOIN":
        this.#emit({ type: "came", username, isOwn });
        return this.#changeRoster((roster) => roster.add(username));
      case "DISCONNECT": {
        const { kind, message } = frame;
        this.#emit({ type: "left", username, kind, message, isOwn });
        return this.#changeRoster((roster) => roster.remove(username));
      }
    }
  }

  /** The server acknowledged a draft. Without `c2.live` the id of its message is unknown until the message arrives. */
  delivered({ nonce, text, timestamp }: Draft, sentAs: string, content: string | undefined): void {
    const draft = { nonce, text, timestamp };
    const receipt = readReceipt(content);
    if (receipt === undefined) return this.own.awaitEcho(draft, sentAs);
    this.own.add(receipt.uuid);
    this.#emit({ type: "acknowledged", draft, uuid: receipt.uuid });
  }

  receiveUsers(content: string | undefined): void {
    const entries = readRoster(content);
    const users = entries?.map(({ username }) => username) ?? readUsers(content);
    const away = entries?.filter(({ away }) => away).map(({ username }) => username) ?? [];
    // The list would be ahead of the held broadcasts; the session asks again after catching up.
    if (users !== undefined && this.#catchUp === undefined) {
      this.hasRoster = true;
      this.#changeRoster((roster) => roster.replace(users, away), true);
    }
  }

  receivePage(content: string | undefined, before: string | undefined): void {
    const page = readHistory(content) ?? [];
    const messages = page.map((entry) => this.own.message(entry));
    const isOldest = page.length === 0;
    const flags = { isStart: false, isReset: false, isOldest, newCount: 0 };
    this.#emit({ type: "history", messages, before, ...flags });
  }

  receiveSearch(content: string | undefined, wish: Extract<Wish, { kind: "search" }>): void {
    const { messages: entries, searchedTo } = readSearch(content) ?? { messages: [], searchedTo: null };
    const messages = entries.map((entry) => this.own.message(entry));
    this.#emit({ type: "found", wish, messages, searchedTo: searchedTo ?? undefined });
  }

  /** Receives a page that `begin` or `catchUp` asked for; undefined if it was refused. Returns the next query, if any. */
  catchUp(content: string | undefined): Wish | undefined {
    const page = readHistory(content);
    if (this.#catchUp === undefined) return undefined;
    if (page !== undefined && !this.#catchUp.addPage(page)) return this.#catchUp.nextPage;
    return this.#caughtUp(this.#catchUp);
  }

  #caughtUp(catchUp: CatchUp): Wish | undefined {
    this.#catchUp = undefined;
    this.#hasHistory = true;
    const { entries } = catchUp;
    for (const { draft, uuid, isOffered } of this.own.resolveUnsure(entries)) {
      this.#emit(
        isOffered ? { type: "unsent", draft, wasSent: true } : { type: "acknowledged", draft, uuid },
      );
    }
    const isReset = !catchUp.isStart && entries.length > 0 && !catchUp.isJoined;
    if (catchUp.isStart || isReset) this.#emitStart(catchUp, isReset);
    else this.#emitMissed(catchUp);
    const last = entries.at(-1);
    if (last !== undefined && last.uuid > this.newest) this.newest = last.uuid;
    for (const held of catchUp.remaining) this.#broadcast(held);
    return catchUp.pages > 1 ? { kind: "users" } : undefined;
  }

  #emitStart({ entries, isOldest, held }: CatchUp, isReset: boolean): void {
    const broadcast = new Set(
      held.flatMap(({ frame, isNew }) => isNew && "uuid" in frame ? [frame.uuid] : []),
    );
    // What is edited may be older.
    const oldEnd = entries.findLastIndex(({ uuid, edited }) => edited || !broadcast.has(uuid)) + 1;
    const messages = entries.map((entry) => this.own.message(entry));
    const flags = { isStart: true, isReset, isOldest, newCount: entries.length - oldEnd };
    this.#emit({ type: "history", messages, before: undefined, ...flags });
  }

  #emitMissed({ entries, target }: CatchUp): void {
    for (const entry of entries) {
      const isNew = entry.uuid > target;
      if (!isNew && !this.own.hasChanged(entry)) continue;
      this.#emit({ type: "message", message: this.own.message(entry), isNew, isMissed: true });
    }
  }

  /** `change` returns whether it changed the roster. */
  #changeRoster(change: (roster: Roster) => boolean, isWhole = false): void {
    if (change(this.#roster)) this.#emit({ type: "users", isWhole });
  }
}

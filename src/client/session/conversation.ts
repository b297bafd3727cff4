/**
 * What is said and who is there, as a client tells it: broadcasts and history made into events, each message once and
 * in the order of the server.
 *
 * It knows nothing of connections; it is told when a session began and which answers came.
 *
 * @module
 */
import { readHistory, readReceipt, readUsers } from "../../protocol/codec.ts";
import type { BroadcastFrame } from "../../protocol/frames.ts";
import { CatchUp, HELD_MAX, type HeldBroadcast } from "./catch_up.ts";
import { OwnMessages } from "./own_messages.ts";
import { Roster } from "./roster.ts";
import type { Draft, SavedSession, SessionEvent, Wish } from "./session_events.ts";

export class Conversation {
  /** The present name, which is the wished one until the session is let in. */
  username = "";
  /** The id of the newest message that came. */
  newest = "";
  /** Why the server puts us out. */
  ban: string | undefined;
  own: OwnMessages;
  readonly #emit: (event: SessionEvent) => void;
  readonly #roster = new Roster();
  #hasHistory = false;
  #catchUp: CatchUp | undefined;
  /** Texts of an earlier program, of which nobody was told yet. */
  #drafts: SavedSession["drafts"] = [];

  constructor(emit: (event: SessionEvent) => void, random: () => number, saved?: SavedSession) {
    this.#emit = emit;
    this.own = new OwnMessages(random, saved);
    if (saved === undefined) return;
    this.username = saved.username;
    this.newest = saved.newest;
    this.#drafts = saved.drafts;
    for (const draft of saved.drafts) if (draft.fate === "offered") this.own.offer(draft);
  }

  get users(): readonly string[] {
    return this.#roster.names;
  }

  /**
   * A session is let in; answers the page of the history to ask for, if one is needed. `isResumed`: it is the same
   * session as before, and nothing is missed.
   */
  begin(isResumed: boolean): Wish | undefined {
    this.ban = undefined;
    for (const { nonce, text, timestamp, fate } of this.#drafts) {
      const draft = { nonce, text, timestamp };
      this.#emit(fate === "offered" ? { type: "unsure", draft } : { type: "queued", draft });
    }
    this.#drafts = [];
    if (isResumed && this.#hasHistory && this.#catchUp === undefined) return undefined;
    this.#catchUp ??= new CatchUp(this.newest, !this.#hasHistory);
    this.#catchUp.restart(isResumed);
    return this.#catchUp.nextPage;
  }

  /** Somebody is typing. */
  typing(username: string): void {
    if (this.#catchUp === undefined) this.#emit({ type: "typing", username });
  }

  /**
   * Takes a broadcast: what it means for oneself counts at once, whenever it is told. False where it is one more than can
   * be held back, and all of those are dropped.
   */
  receive(frame: BroadcastFrame): boolean {
    const held = this.#note(frame);
    if (this.#catchUp === undefined) this.#broadcast(held);
    else if (this.#catchUp.held.push(held) > HELD_MAX) {
      this.#catchUp.held = [];
      return false;
    }
    return true;
  }

  #note(frame: BroadcastFrame): HeldBroadcast {
    const isOwn = frame.username === this.username;
    if (frame.type === "UPDATE" && isOwn && frame.property === "username") this.username = frame.value;
    if (frame.type === "DISCONNECT" && isOwn && frame.kind === "ban") {
      this.ban = `You are banned from this server: ${frame.message ?? ""}`;
    }
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

  /** A text is acknowledged, by `c2.live` with the id of its message; else that comes with the message. */
  delivered({ nonce, text, timestamp }: Draft, sentAs: string, content: string | undefined): void {
    const draft = { nonce, text, timestamp };
    const receipt = readReceipt(content);
    if (receipt === undefined) return this.own.awaitEcho(draft, sentAs);
    this.own.add(receipt.uuid);
    this.#emit({ type: "acknowledged", draft, uuid: receipt.uuid });
  }

  /** Takes the answer to `active_users`. */
  receiveUsers(content: string | undefined): void {
    const users = readUsers(content);
    // While broadcasts are held back it would be ahead of them; it is asked for again then.
    if (users !== undefined && this.#catchUp === undefined) {
      this.#changeRoster((roster) => roster.replace(users));
    }
  }

  /** Takes a page that somebody asked for. */
  receivePage(content: string | undefined, before: string | undefined): void {
    const page = readHistory(content) ?? [];
    const messages = page.map((entry) => this.own.message(entry));
    const isOldest = page.length === 0;
    this.#emit({ type: "history", messages, before, isStart: false, isReset: false, isOldest });
  }

  /**
   * Takes a page that `begin` or this asked for, undefined where it was refused. Answers what is to be asked next: another
   * page; who is there, where that was held back; or nothing.
   */
  catchUp(content: string | undefined): Wish | undefined {
    const page = readHistory(content);
    if (this.#catchUp === undefined) return undefined;
    if (page !== undefined && !this.#catchUp.addPage(page)) return this.#catchUp.nextPage;
    return this.#caughtUp(this.#catchUp);
  }

  /** Tells what the history has, then what was held back. */
  #caughtUp(catchUp: CatchUp): Wish | undefined {
    this.#catchUp = undefined;
    this.#hasHistory = true;
    const { entries } = catchUp;
    for (const { draft, uuid, isOffered } of this.own.resolveUnsure(entries)) {
      this.#emit(isOffered ? { type: "unsure", draft } : { type: "acknowledged", draft, uuid });
    }
    const isReset = !catchUp.isStart && entries.length > 0 && !catchUp.isJoined;
    if (catchUp.isStart || isReset) this.#emitStart(catchUp, isReset);
    else this.#emitMissed(catchUp);
    const last = entries.at(-1);
    if (last !== undefined && last.uuid > this.newest) this.newest = last.uuid;
    for (const held of catchUp.remaining) this.#broadcast(held);
    return catchUp.pages > 1 ? { kind: "users" } : undefined;
  }

  #emitStart({ entries, isOldest }: CatchUp, isReset: boolean): void {
    const messages = entries.map((entry) => this.own.message(entry));
    this.#emit({ type: "history", messages, before: undefined, isStart: true, isReset, isOldest });
  }

  #emitMissed({ entries, target }: CatchUp): void {
    for (const entry of entries) {
      const isNew = entry.uuid > target;
      if (!isNew && !this.own.hasChanged(entry)) continue;
      this.#emit({ type: "message", message: this.own.message(entry), isNew, isMissed: true });
    }
  }

  #changeRoster(change: (roster: Roster) => void): void {
    const before = this.#roster.names;
    change(this.#roster);
    if (this.#roster.names.join() !== before.join()) this.#emit({ type: "users", users: this.#roster.names });
  }
}

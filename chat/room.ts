/**
 * The room: who is in it, and what each frame brings about, in one order for all, PROTOCOL.md §3 to §6.
 *
 * Pure: inputs come in, decisions come out; no sockets, no store, no clock. It knows the roster. It does not
 * hold messages: the caller finds the ones that an edit names, and stores what was decided before it tells it.
 *
 * @module
 */
import { type Fault, fault } from "../src/protocol/faults.ts";
import type { ClientFrame, DepartureKind } from "../src/protocol/frames.ts";
import type { Limits } from "../src/protocol/limits.ts";
import { areTooAlike, nameKeys } from "../src/lookalikes.ts";
import type { Username } from "../src/protocol/names.ts";
import type { Bar } from "./bans.ts";
import type { HistoryRange, JournalEntry, StoredMessage } from "./journal.ts";

/** A session's id: its own, never shown to anyone, and the author of its messages. */
export type SessionId = string;

/** The author of what the server itself says. No session has it: theirs are UUIDs. */
export const SERVER_AUTHOR: SessionId = "server";

/** What can happen to a session: a frame, a faulty one, or something that is no frame. */
export type Input =
  | ClientFrame
  | { readonly type: "FAULT"; readonly fault: Fault }
  | { readonly type: "LOST" }
  | { readonly type: "KICK" }
  | { readonly type: "BAN"; readonly message: string }
  /** The server's own word, from no session. */
  | { readonly type: "ANNOUNCE"; readonly text: string };

/** How a session ended, which is more than everyone is told. */
export type Departure = DepartureKind | "kick";

/** Who is in the room. */
export interface Member {
  readonly username: Username;
  readonly connectedAtMs: number;
}

/** What an input brought about. Everything but `stored` has happened in the roster already. */
export type Decision =
  /** Happens once the entry is stored; if it cannot be, nothing happened. */
  | { readonly kind: "stored"; readonly entry: JournalEntry }
  /** `isProvisional`: judged by a message of this batch, and void where that cannot be stored. */
  | { readonly kind: "refused"; readonly fault: Fault; readonly isProvisional?: true }
  /** Refused, and no other try on this connection would do. */
  | { readonly kind: "barred"; readonly fault: Fault }
  | { readonly kind: "joined"; readonly username: string }
  | { readonly kind: "renamed"; readonly from: string; readonly to: string }
  | {
    readonly kind: "left";
    readonly departure: Departure;
    readonly username: string;
    readonly message: string | undefined;
  }
  /** A session without a name is put out: nobody knew of it, nobody is told. */
  | { readonly kind: "expelled" }
  | { readonly kind: "answered"; readonly content: string }
  | { readonly kind: "asked_history"; readonly range: HistoryRange }
  | { readonly kind: "pinged"; readonly timestamp: string | undefined }
  | { readonly kind: "nothing" };

/** What the caller knows at the moment of a decision. */
export interface Circumstances {
  readonly nowMs: number;
  /** Ids smaller than this are past their age, §5.4. */
  readonly historyFrom: string;
  /** The message of this id as it is stored, for edits. */
  readonly find: (uuid: string) => StoredMessage | undefined;
  /** What keeps whoever sent this input out of the room under a name. */
  readonly bar: (username: Username) => Bar | undefined;
}

export interface RoomOptions {
  readonly serverId: number;
  readonly serverName: string;
  /** The name under which the server speaks, which nobody else may have. */
  readonly ownName: Username;
  readonly version: string;
  readonly startedAtMs: number;
  readonly limits: Limits;
  /** Makes message ids, each greater than the one before. */
  readonly mintId: () => string;
}

export class Room {
  readonly #options: RoomOptions;
  /** In order of joining. */
  readonly #roster = new Map<SessionId, Member>();
  /** Who holds each key of the names in the roster: a name is taken where one of its keys is. */
  readonly #holders = new Map<string, SessionId>();
  /** Messages of this batch, not settled yet: the later of two changes has to see the first. */
  readonly #unsettled = new Map<string, StoredMessage>();

  constructor(options: RoomOptions) {
    this.#options = options;
  }

  get connectedUsers(): number {
    return this.#roster.size;
  }

  /** Decides one input. Inputs are decided in the order in which everyone is to see what came of them. */
  decide(session: SessionId, input: Input, now: Circumstances): Decision {
    switch (input.type) {
      case "FAULT":
        return { kind: "refused", fault: input.fault };
      case "PING":
        return { kind: "pinged", timestamp: input.timestamp };
      case "CONNECT":
        return this.#connect(session, input.username, now);
      case "LOST":
        return this.#leave(session, "lost_connection");
      case "BAN":
        return this.#roster.has(session) ? this.#leave(session, "ban", input.message) : { kind: "expelled" };
      case "KICK":
        return this.#leave(session, "kick");
      case "ANNOUNCE":
        return this.#say(SERVER_AUTHOR, this.#options.ownName, String(now.nowMs), input.text);
    }
    const username = this.#roster.get(session)?.username;
    if (username === undefined) return refused("NOT_CONNECTED");
    switch (input.type) {
      case "MSG":
        return this.#say(session, username, input.timestamp, input.text);
      case "UPDATE":
        return this.#rename(session, input.username, now);
      case "DISCONNECT":
        return this.#leave(session, "disconnect");
      case "QUERY":
        break;
    }
    switch (input.query) {
      case "active_users":
        return { kind: "answered", content: `[${this.usernames().join(",")}]` };
      case "update_message":
        return this.#change(session, username, input.uuid, input.text, now);
      case "delete_message":
        return this.#change(session, username, input.uuid, "", now);
      case "history":
        return {
          kind: "asked_history",
          range: { limit: input.limit, before: input.before, from: now.historyFrom },
        };
      case "server_info":
        return { kind: "answered", content: JSON.stringify(this.#serverInfo(now.nowMs)) };
    }
  }

  /** Call when the fate of all stored decisions so far is known: they are in what `find` gives, or never will be. */
  settle(): void {
    this.#unsettled.clear();
  }

  /** Names of those connected, in order of joining. */
  usernames(): string[] {
    return Array.from(this.#roster.values(), ({ username }) => username.shown);
  }

  /** Those connected with what is known of them, in order of joining. */
  members(): ReadonlyMap<SessionId, Member> {
    return this.#roster;
  }

  #connect(session: SessionId, username: Username, { nowMs, bar }: Circumstances): Decision {
    if (this.#roster.has(session)) return refused("ALREADY_CONNECTED");
    const barred = bar(username);
    if (barred?.isAddress) return { kind: "barred", fault: fault("BANNED", barred.message) };
    const notFree = this.#nameFault(session, username, barred);
    if (notFree !== undefined) return { kind: "refused", fault: notFree };
    const { maxUsers } = this.#options.limits;
    if (this.#roster.size >= maxUsers) return refused("SERVER_FULL", maxUsers);
    this.#roster.set(session, { username, connectedAtMs: nowMs });
    this.#hold(username, session);
    return { kind: "joined", username: username.shown };
  }

  #rename(session: SessionId, to: Username, { bar }: Circumstances): Decision {
    const member = this.#roster.get(session)!;
    const notFree = this.#nameFault(session, to, bar(to));
    if (notFree !== undefined) return { kind: "refused", fault: notFree };
    this.#free(member.username);
    this.#hold(to, session);
    this.#roster.set(session, { ...member, username: to });
    return { kind: "renamed", from: member.username.shown, to: to.shown };
  }

  /** Why a session may not have a name; undefined where it may. */
  #nameFault(session: SessionId, username: Username, barred: Bar | undefined): Fault | undefined {
    if (areTooAlike(username, this.#options.ownName)) return fault("NAME_RESERVED");
    if (barred !== undefined) return fault("NAME_BANNED", barred.message);
    return this.#isTaken(username, session) ? fault("NAME_TAKEN") : undefined;
  }

  /** By somebody else: one's own name may be changed for one that looks like it. */
  #isTaken(username: Username, session: SessionId): boolean {
    return nameKeys(username).some((key) => (this.#holders.get(key) ?? session) !== session);
  }

  #hold(username: Username, session: SessionId): void {
    for (const key of nameKeys(username)) this.#holders.set(key, session);
  }

  #free(username: Username): void {
    for (const key of nameKeys(username)) this.#holders.delete(key);
  }

  #leave(session: SessionId, departure: Departure, message?: string): Decision {
    const username = this.#roster.get(session)?.username;
    // A socket that goes before it connected, or after its notice went out: nobody is told.
    if (username === undefined) return { kind: "nothing" };
    this.#roster.delete(session);
    this.#free(username);
    return { kind: "left", departure, username: username.shown, message };
  }

  #say(session: SessionId, username: Username, timestamp: string, text: string): Decision {
    const message = {
      uuid: this.#options.mintId(),
      author: session,
      username: username.shown,
      timestamp,
      text,
      edited: false,
    };
    this.#unsettled.set(message.uuid, message);
    return { kind: "stored", entry: { kind: "said", message } };
  }

  #change(session: SessionId, username: Username, uuid: string, text: string, now: Circumstances): Decision {
    const unsettled = this.#unsettled.get(uuid);
    const message = unsettled ?? now.find(uuid);
    if (message === undefined || uuid < now.historyFrom) return refused("MESSAGE_UNKNOWN");
    const refusal = message.author !== session
      ? refused("NOT_YOUR_MESSAGE")
      : message.text === ""
      ? refused("MESSAGE_DELETED")
      : undefined;
    if (refusal !== undefined) return unsettled === undefined ? refusal : { ...refusal, isProvisional: true };
    const changed = { ...message, username: username.shown, text, edited: true };
    this.#unsettled.set(uuid, changed);
    return { kind: "stored", entry: { kind: "changed", message: changed } };
  }

  #serverInfo(nowMs: number): object {
    const { serverId, serverName, version, startedAtMs, limits } = this.#options;
    return {
      id: serverId,
      serverName,
      connectedUsers: this.#roster.size,
      maxUsers: limits.maxUsers,
      version,
      uptime: Math.max(0, Math.floor((nowMs - startedAtMs) / 1000)),
      limits,
    };
  }
}

function refused(...args: Parameters<typeof fault>): Decision & { kind: "refused" } {
  return { kind: "refused", fault: fault(...args) };
}

/**
 * The room: applies the rules of PROTOCOL.md §3 to §6 and §12 to one input at a time and returns a decision. Pure: no
 * sockets, no store, no clock. It changes the roster as it decides, but holds no messages: the sequencer looks up those
 * that an edit names, and has each decision stored before the teller sends it.
 *
 * @module
 */
import { isLoopback, placesOf } from "../../src/address.ts";
import { type Fault, fault } from "../../src/protocol/faults.ts";
import type { ClientFrame } from "../../src/protocol/frames.ts";
import { type Limits, TYPING_INTERVAL_MS } from "../../src/protocol/limits.ts";
import { areTooAlike } from "../../src/lookalikes.ts";
import type { Username } from "../../src/protocol/names.ts";
import type { Bans, Bar } from "./bans.ts";
import type { StoredMessage } from "./message.ts";
import { MessageWindow } from "./message_window.ts";
import { type HoldId, type Occupant, Roster, type SessionId } from "./roster.ts";
import {
  type Decision,
  type Departure,
  type Input,
  type Left,
  type Moment,
  type Sender,
  SERVER_AUTHOR,
} from "./decision.ts";
import { broadcastsOf } from "./effects.ts";
import type { RoomState } from "./room_state.ts";

/**
 * Milliseconds for which a session is held whose page was closed or reloaded: a browser does not say which, and a
 * reload takes less.
 */
const GOING_AWAY_MS = 20_000;

/** Read at each use, since they may change. */
export interface RoomSettings {
  readonly name: string;
  /** The server's own author name: no client may use it. */
  readonly ownName: Username;
  readonly limits: Limits;
  /** Whether limits by address include clients on this machine. */
  readonly limitLoopback: boolean;
}

export interface RoomOptions {
  readonly serverId: number;
  readonly settings: RoomSettings;
  readonly version: string;
  /** The start on the steady clock. */
  readonly startedSteadyMs: number;
  /** Returns message ids, each greater than the one before. */
  readonly mintId: () => string;
  /** What was sent so far. The room reads it; the teller advances it. */
  readonly state: RoomState;
  readonly bans: Pick<Bans, "bar">;
  /** Whether a token is of a session that an operator ended. */
  readonly isOfKicked?: (token: string) => boolean;
  readonly sessionOfToken: (
    token: string,
  ) => { readonly id: SessionId; readonly firstPosition: number } | undefined;
  /** The answer to a listing's challenge; undefined if the server has no proof for it. */
  readonly prove: (challenge: string) => string | undefined;
}

export class Room {
  readonly #options: RoomOptions;
  readonly #roster: Roster;
  /** Messages that this batch has decided: a later input of the batch may edit one. */
  #unsettledSaid = new MessageWindow();
  /** Edits that this batch has decided, by message id: a second edit of a message builds on the first. */
  readonly #unsettledChanges = new Map<string, StoredMessage>();
  /** Ids of this batch's messages, by session and nonce. */
  readonly #unsettledNonces = new Map<string, string>();
  /** When each session's last typing notice was broadcast, on the steady clock. */
  readonly #typedMs = new Map<SessionId, number>();
  /** The position of the newest broadcast decided so far. */
  #position = 0;

  /** `roster` has the sessions that are here already. */
  constructor(options: RoomOptions, roster: Roster = new Roster()) {
    this.#options = options;
    this.#roster = roster;
  }

  /** Connected sessions; held sessions are not counted. */
  get connectedUsers(): number {
    return this.#roster.size - this.#roster.held.size;
  }

  /**
   * Adds a held session from an earlier run until `heldUntilMs` of the steady clock; `address` was its last. Undefined if
   * the room is full, or the name is taken or reserved.
   */
  restore(
    session: SessionId,
    username: Username,
    { connectedAtMs, heldUntilMs, address }: {
      readonly connectedAtMs: number;
      readonly heldUntilMs: number;
      readonly address: string;
    },
  ): HoldId | undefined {
    if (this.#roster.size >= this.#options.settings.limits.maxUsers) return undefined;
    if (this.#nameFault(session, username, undefined, 0) !== undefined) return undefined;
    this.#roster.add(session, { username, connectedAtMs, isExtended: true, places: placesOf(address) });
    return this.#roster.hold(session, { heldUntilMs });
  }

  /**
   * Call before the first input of a batch, when the outcome of the one before is in the state. `pending` counts
   * broadcasts that are decided and not sent yet.
   */
  beginBatch(pending: number): void {
    this.#position = this.#options.state.position + pending;
    if (this.#unsettledSaid.size > 0) this.#unsettledSaid = new MessageWindow();
    this.#unsettledChanges.clear();
    this.#unsettledNonces.clear();
  }

  /** Decides one input. Call in submission order: broadcasts leave in the order of the decisions. */
  decide(session: SessionId, input: Input, sender: Sender, now: Moment): Decision {
    const decision = this.#decide(session, input, sender, now);
    this.#position += broadcastsOf(decision);
    return decision;
  }

  #decide(session: SessionId, input: Input, sender: Sender, now: Moment): Decision {
    switch (input.type) {
      case "FAULT":
        return { kind: "refused", fault: input.fault };
      case "PING":
        return this.#answerPing(input);
      case "CONNECT":
        return this.#connect(session, input.username, sender, now);
      case "RESUME":
        return this.#resume(session, input, sender, now);
      case "LOST":
        return this.#lose(session, input, now.steadyMs);
      case "HOLD_EXPIRED":
        return this.#expire(session, input.hold);
      case "BAN":
        return this.#roster.get(session) ? this.#leave(session, "ban", input.message) : { kind: "expelled" };
      case "KICK":
        return this.#leave(session, "kick");
      case "ANNOUNCE":
        return this.#say(SERVER_AUTHOR, this.#options.settings.ownName, now.nowMs, {
          timestamp: String(now.nowMs),
          text: input.text,
        });
    }
    const username = this.#roster.get(session)?.username;
    if (username === undefined) return refused("NOT_CONNECTED");
    switch (input.type) {
      case "MSG":
        return this.#say(session, username, now.nowMs, input);
      case "SEND":
        return this.#send(session, username, now.nowMs, input);
      case "TYPING":
        return this.#type(session, username, now.steadyMs);
      case "UPDATE":
        return this.#rename(session, input.username, sender, now);
      case "DISCONNECT":
        return this.#leave(session, "disconnect");
      case "QUERY":
        break;
    }
    switch (input.query) {
      case "active_users":
        return { kind: "answered", content: `[${this.usernames().join(",")}]` };
      case "roster":
        return { kind: "answered", content: this.#roster.answer };
      case "update_message":
        return this.#change(session, username, input.uuid, input.text, now);
      case "delete_message":
        return this.#change(session, username, input.uuid, "", now);
      case "history":
        return {
          kind: "asked_history",
          range: { limit: input.limit, before: input.before, receivedFrom: now.historyFromMs() },
        };
      case "search":
        return { kind: "asked_search", query: input };
      case "server_info":
        return { kind: "answered", content: JSON.stringify(this.#serverInfo(now.steadyMs)) };
    }
  }

  /** Removes the session of a lost connection after a bug: without this its name would stay taken. */
  forget(session: SessionId): Decision {
    const occupant = this.#roster.forget(session);
    if (occupant === undefined) return { kind: "nothing" };
    this.#typedMs.delete(session);
    const username = occupant.username.shown;
    return { kind: "left", session, departure: "lost_connection", username, message: undefined };
  }

  /** Names of the connected sessions in order of joining, §5.1. Held ones are in the answer to `roster` only. */
  usernames(): string[] {
    const occupants = [...this.#roster.occupants.values()];
    return occupants.filter(({ hold }) => hold === undefined).map(({ username }) => username.shown);
  }

  get heldCount(): number {
    return this.#roster.held.size;
  }

  /** Names of the held sessions. */
  awayNames(): string[] {
    return this.#roster.awayNames;
  }

  /** All sessions, held ones included, in order of joining. */
  occupants(): ReadonlyMap<SessionId, Occupant> {
    return this.#roster.occupants;
  }

  #answerPing({ timestamp, challenge }: ClientFrame & { type: "PING" }): Decision {
    const answer = challenge === undefined ? undefined : this.#options.prove(challenge);
    return { kind: "pinged", timestamp, answer };
  }

  #connect(session: SessionId, username: Username, sender: Sender, now: Moment): Decision {
    if (this.#roster.get(session)) return refused("ALREADY_CONNECTED");
    const barred = this.#bar(username, sender, now);
    if (barred?.isAddress) return { kind: "barred", fault: fault("BANNED", barred.message) };
    const notFree = this.#nameFault(session, username, barred, now.steadyMs);
    if (notFree !== undefined) return { kind: "refused", fault: notFree };
    const giving = this.#placeFor(sender);
    if (typeof giving === "object") return { kind: "refused", fault: giving };
    const displaced = giving === undefined ? undefined : this.#remove(giving, "lost_connection");
    this.#roster.add(session, {
      username,
      connectedAtMs: now.nowMs,
      isExtended: sender.isExtended,
      places: placesOf(sender.remoteAddress),
    });
    const position = this.#position + (displaced === undefined ? 0 : 1);
    return { kind: "joined", username: username.shown, connectedAtMs: now.nowMs, position, displaced };
  }

  /**
   * The held session that gives its place to a client that is connecting, which takes precedence: one of its own address
   * if that has its share, else one of the address that has most. Undefined if there is a free place.
   */
  #placeFor({ remoteAddress }: Sender): SessionId | Fault | undefined {
    const { limits: { maxUsers, maxUsersPerAddress }, limitLoopback } = this.#options.settings;
    const roster = this.#roster;
    if (limitLoopback || !isLoopback(remoteAddress)) {
      const full = placesOf(remoteAddress).find((place) =>
        place !== undefined && roster.countFrom(place.key) >= place.times * maxUsersPerAddress
      );
      if (full !== undefined) {
        return roster.longestHeldFrom(full.key) ?? fault("ADDRESS_FULL", maxUsersPerAddress);
      }
    }
    if (roster.size < maxUsers) return undefined;
    return roster.longestHeldOfGreediest() ?? fault("SERVER_FULL", maxUsers);
  }

  #lose(
    session: SessionId,
    { isFinal, isGoingAway }: Input & { type: "LOST" },
    steadyMs: number,
  ): Decision {
    const occupant = this.#roster.get(session);
    const { resumeWindow } = this.#options.settings.limits;
    if (occupant === undefined || !occupant.isExtended || isFinal || resumeWindow === 0) {
      return this.#leave(session, "lost_connection");
    }
    const windowMs = Math.min(resumeWindow * 1000, isGoingAway ? GOING_AWAY_MS : Infinity);
    const heldUntilMs = steadyMs + windowMs;
    const hold = this.#roster.hold(session, { heldUntilMs, isGoingAway: isGoingAway === true });
    return { kind: "held", session, hold, username: occupant.username.shown, windowMs };
  }

  #expire(session: SessionId, hold: HoldId): Decision {
    const occupant = this.#roster.get(session);
    if (occupant?.hold !== hold) return { kind: "nothing" };
    return this.#leave(session, occupant.isGoingAway === true ? "disconnect" : "lost_connection");
  }

  /** The session may still seem connected: a client often notices a broken connection before the server does. */
  #resume(
    session: SessionId,
    { token, position }: ClientFrame & { type: "RESUME" },
    sender: Sender,
    now: Moment,
  ): Decision {
    if (this.#roster.get(session)) return refused("ALREADY_CONNECTED");
    const { state, sessionOfToken } = this.#options;
    const claimed = sessionOfToken(token);
    const occupant = claimed === undefined ? undefined : this.#roster.get(claimed.id);
    if (claimed === undefined || occupant === undefined) {
      return refused(this.#options.isOfKicked?.(token) ? "RESUME_KICKED" : "RESUME_UNKNOWN");
    }
    const barred = this.#bar(occupant.username, sender, now);
    if (barred?.isAddress) return { kind: "barred", fault: fault("BANNED", barred.message) };
    const refusal = state.replayRefusal(position, claimed.firstPosition);
    if (refusal !== undefined) {
      const left = this.#remove(claimed.id, "lost_connection")!;
      return { kind: "unresumable", fault: fault(refusal), left };
    }
    const wasHeld = occupant.hold !== undefined;
    // Never refused for its new address: it may have moved with its user.
    this.#roster.resume(claimed.id, placesOf(sender.remoteAddress));
    return {
      kind: "resumed",
      session: claimed.id,
      username: occupant.username.shown,
      wasHeld,
      token,
      position,
    };
  }

  #bar(username: Username, { remoteAddress }: Sender, { nowMs }: Moment): Bar | undefined {
    return this.#options.bans.bar(username, remoteAddress, nowMs);
  }

  #rename(session: SessionId, to: Username, sender: Sender, now: Moment): Decision {
    const occupant = this.#roster.get(session)!;
    const notFree = this.#nameFault(session, to, this.#bar(to, sender, now), now.steadyMs);
    if (notFree !== undefined) return { kind: "refused", fault: notFree };
    this.#roster.rename(session, to);
    return { kind: "renamed", from: occupant.username.shown, to: to.shown };
  }

  #nameFault(
    session: SessionId,
    username: Username,
    barred: Bar | undefined,
    steadyMs: number,
  ): Fault | undefined {
    if (areTooAlike(username, this.#options.settings.ownName)) return fault("NAME_RESERVED");
    if (barred !== undefined) return fault("NAME_BANNED", barred.message);
    const holder = this.#roster.otherHolder(username, session);
    if (holder?.hold === undefined) return holder && fault("NAME_TAKEN");
    const ms = (holder.heldUntilMs ?? Infinity) - steadyMs;
    const seconds = Math.min(this.#options.settings.limits.resumeWindow, Math.ceil(ms / 1000));
    return fault("NAME_HELD", Math.max(1, seconds));
  }

  #leave(session: SessionId, departure: Departure, message?: string): Decision {
    // No broadcast for a socket that closes before CONNECT or after its session has left.
    return this.#remove(session, departure, message) ?? { kind: "nothing" };
  }

  #remove(session: SessionId, departure: Departure, message?: string): Left | undefined {
    const occupant = this.#roster.remove(session);
    if (occupant === undefined) return undefined;
    this.#typedMs.delete(session);
    return { kind: "left", session, departure, username: occupant.username.shown, message };
  }

  #say(
    session: SessionId,
    username: Username,
    receivedMs: number,
    { timestamp, text, nonce }: {
      readonly timestamp: string;
      readonly text: string;
      readonly nonce?: string;
    },
  ): Decision & { kind: "stored" } {
    const message = {
      uuid: this.#options.mintId(),
      author: session,
      username: username.shown,
      timestamp,
      receivedMs,
      text,
      edited: false,
      position: this.#position + 1,
      nonce,
    };
    this.#unsettledSaid.push(message);
    return { kind: "stored", entry: { kind: "said", message } };
  }

  #send(
    session: SessionId,
    username: Username,
    receivedMs: number,
    input: ClientFrame & { type: "SEND" },
  ): Decision {
    const { nonce } = input;
    const key = `${session} ${nonce}`;
    const unsettled = this.#unsettledNonces.get(key);
    const earlier = unsettled ?? this.#options.state.sentAs(session, nonce);
    if (earlier !== undefined) {
      return { kind: "repeated", nonce, uuid: earlier, isProvisional: unsettled !== undefined };
    }
    const decision = this.#say(session, username, receivedMs, input);
    this.#unsettledNonces.set(key, decision.entry.message.uuid);
    return decision;
  }

  #type(session: SessionId, username: Username, steadyMs: number): Decision {
    const isBroadcast = steadyMs - (this.#typedMs.get(session) ?? -Infinity) >= TYPING_INTERVAL_MS;
    if (isBroadcast) this.#typedMs.set(session, steadyMs);
    return { kind: "typing", username: username.shown, isBroadcast };
  }

  #change(session: SessionId, username: Username, uuid: string, text: string, now: Moment): Decision {
    const unsettled = this.#unsettledChanges.get(uuid) ?? this.#unsettledSaid.get(uuid);
    const message = unsettled ?? this.#options.state.find(uuid) ?? now.found.get(uuid);
    if (message === undefined || message.receivedMs < now.historyFromMs()) return refused("MESSAGE_UNKNOWN");
    const refusal = message.author !== session
      ? refused("NOT_YOUR_MESSAGE")
      : message.text === ""
      ? refused("MESSAGE_DELETED")
      : undefined;
    if (refusal !== undefined) return unsettled === undefined ? refusal : { ...refusal, isProvisional: true };
    const changed = { ...message, username: username.shown, text, edited: true };
    this.#unsettledChanges.set(uuid, changed);
    return {
      kind: "stored",
      entry: { kind: "changed", position: this.#position + 1, message: changed },
    };
  }

  #serverInfo(steadyMs: number): object {
    const { serverId, settings: { name, limits }, version, startedSteadyMs } = this.#options;
    return {
      id: serverId,
      serverName: name,
      connectedUsers: this.connectedUsers,
      maxUsers: limits.maxUsers,
      version,
      uptime: Math.floor((steadyMs - startedSteadyMs) / 1000),
      limits,
    };
  }
}

function refused(...args: Parameters<typeof fault>): Decision & { kind: "refused" } {
  return { kind: "refused", fault: fault(...args) };
}

/**
 * Who is in the room as the log says: the roster, the connection of each session on its node, and the hashes of its
 * tokens, PROTOCOL.md §12.3. Each node has one that follows the log; the leader decides on a copy. Pure.
 *
 * @module
 */
import { placesOf } from "../../src/address.ts";
import { foldName, type Username } from "../../src/protocol/names.ts";
import type { Decision } from "../room/decision.ts";
import { Roster, type SessionId } from "../room/roster.ts";
import type { Ruling } from "./command.ts";

/** Lost nodes that are known as such, of 36 bytes: what one of them has sent is long gone when it is forgotten. */
const GONE_MAX = 1000;
/** Tokens of kicked sessions that are known as such, of some 50 bytes: each takes a command of an operator. */
const KICKED_TOKENS_MAX = 1000;

/** A connection: its number on a node. A node that starts again is another node. */
export interface Origin {
  readonly node: string;
  readonly session: number;
}

/** What a node says of a connection when it connects or resumes. Tokens cross the network as hashes only. */
export interface Opening {
  readonly id: SessionId;
  readonly isExtended: boolean;
  readonly remoteAddress: string;
  /** The hash of the token that the session gets; undefined outside the extended mode. */
  readonly tokenHash: string | undefined;
}

/** A decision of the log with the input that it answers. */
export interface Decided extends Origin {
  /** The input's number on its node. */
  readonly input: number;
  /** Whether the connection is gone: it is its last input. */
  readonly isLast: boolean;
  readonly opening: Opening | undefined;
  /** The outcome of an operator's command, beside which the decision is nothing. */
  readonly ruling: Ruling | undefined;
  readonly decision: Decision;
}

export interface ClusterSession {
  readonly id: SessionId;
  /** Its connection; undefined while it is held. */
  readonly origin: Origin | undefined;
  readonly remoteAddress: string;
  readonly isExtended: boolean;
  readonly firstPosition: number;
  readonly tokens: readonly string[];
}

/** A session as a checkpoint has it. */
export interface CheckpointSession extends ClusterSession {
  readonly username: string;
  readonly connectedAtMs: number;
}

/** All of a membership, as plain values. */
export interface SavedMembership {
  /** In order of joining. */
  readonly sessions: readonly CheckpointSession[];
  /** Ids of the held ones, the longest held first. */
  readonly held: readonly SessionId[];
  readonly ended: readonly string[];
  readonly gone: readonly string[];
  readonly kicked: readonly string[];
}

export class Membership {
  readonly roster: Roster;
  readonly #sessions = new Map<SessionId, ClusterSession>();
  readonly #byToken = new Map<string, SessionId>();
  readonly #byOrigin = new Map<string, SessionId>();
  /** Connections that a decision has ended, until their node says that they are gone: their other inputs count no more. */
  readonly #ended = new Set<string>();
  /** Nodes that were lost: one that comes back takes another name. */
  readonly #gone = new Set<string>();
  /** Hashes of the tokens of kicked sessions, the oldest first. */
  readonly #kicked = new Set<string>();

  constructor(roster: Roster = new Roster()) {
    this.roster = roster;
  }

  /** A copy whose changes leave this one as it is. */
  copy(): Membership {
    const copy = new Membership(this.roster.copy());
    for (const session of this.#sessions.values()) copy.#put(session);
    for (const key of this.#ended) copy.#ended.add(key);
    for (const node of this.#gone) copy.#gone.add(node);
    for (const hash of this.#kicked) copy.#kicked.add(hash);
    return copy;
  }

  save(): SavedMembership {
    const { occupants, held } = this.roster;
    const sessions = Array.from(occupants, ([id, { username, connectedAtMs }]) => {
      return { ...this.#sessions.get(id)!, username: username.shown, connectedAtMs };
    });
    return {
      sessions,
      held: [...held],
      ended: [...this.#ended],
      gone: [...this.#gone],
      kicked: [...this.#kicked],
    };
  }

  /** A membership as it was saved. */
  static from({ sessions, held, ended, gone, kicked }: SavedMembership): Membership {
    const membership = new Membership();
    for (const { username, connectedAtMs, ...session } of sessions) {
      membership.roster.add(session.id, {
        username: nameOf(username),
        connectedAtMs,
        isExtended: session.isExtended,
        places: placesOf(session.remoteAddress),
      });
      membership.#put(session);
    }
    for (const id of held) membership.roster.hold(id);
    for (const key of ended) membership.#ended.add(key);
    for (const node of gone) membership.#gone.add(node);
    for (const hash of kicked) membership.#kicked.add(hash);
    return membership;
  }

  get sessions(): ReadonlyMap<SessionId, ClusterSession> {
    return this.#sessions;
  }

  /** The session that a connection is on. */
  at(origin: Origin): ClusterSession | undefined {
    const id = this.#byOrigin.get(keyOf(origin));
    return id === undefined ? undefined : this.#sessions.get(id);
  }

  /** Whether inputs of this connection count no more. */
  isEnded(origin: Origin): boolean {
    return this.#ended.has(keyOf(origin)) || this.#gone.has(origin.node);
  }

  isGone(node: string): boolean {
    return this.#gone.has(node);
  }

  /** Corrects the first position of a session: broadcasts decided before it were not stored. */
  beganAt(id: SessionId, firstPosition: number): void {
    const session = this.#sessions.get(id);
    if (session !== undefined) this.#put({ ...session, firstPosition });
  }

  /** Call after the decisions that lose the node's sessions. */
  lose(node: string): void {
    this.#gone.add(node);
    for (const key of this.#ended) if (key.startsWith(`${node} `)) this.#ended.delete(key);
    keepNewest(this.#gone, GONE_MAX);
  }

  /** Whether the hash is that of a token of a session that an operator ended. */
  isOfKicked(hash: string): boolean {
    return this.#kicked.has(hash);
  }

  ofToken(hash: string): ClusterSession | undefined {
    const id = this.#byToken.get(hash);
    return id === undefined ? undefined : this.#sessions.get(id);
  }

  /** Applies a decision of the log, the roster included. */
  follow(decided: Decided): void {
    const { opening, decision } = decided;
    switch (decision.kind) {
      case "joined":
        if (decision.displaced !== undefined) this.roster.remove(decision.displaced.session);
        this.roster.add(opening!.id, {
          username: nameOf(decision.username),
          connectedAtMs: decision.connectedAtMs,
          isExtended: opening!.isExtended,
          places: placesOf(opening!.remoteAddress),
        });
        break;
      case "renamed":
        this.roster.rename(this.at(decided)!.id, nameOf(decision.to));
        break;
      case "held":
        this.roster.hold(decision.session);
        break;
      case "resumed":
        this.roster.resume(decision.session, placesOf(opening!.remoteAddress));
        break;
      case "left":
        this.roster.remove(decision.session);
        break;
      case "unresumable":
        this.roster.remove(decision.left.session);
    }
    this.decided(decided);
  }

  /** Applies a decision whose change of the roster the room has made already. */
  decided(decided: Decided): void {
    const { node, session, opening, decision } = decided;
    const origin = { node, session };
    if (decided.isLast) this.#ended.delete(keyOf(origin));
    else this.#endConnections(decided);
    if (decision.kind === "left" && decision.departure === "kick") this.#kick(decision.session);
    switch (decision.kind) {
      case "joined": {
        if (decision.displaced !== undefined) this.#remove(decision.displaced.session);
        const { id, isExtended, remoteAddress, tokenHash } = opening!;
        const tokens = tokenHash === undefined ? [] : [tokenHash];
        this.#put({ id, origin, remoteAddress, isExtended, firstPosition: decision.position, tokens });
        return;
      }
      case "resumed": {
        const session = this.#sessions.get(decision.session)!;
        const { remoteAddress, tokenHash } = opening!;
        // The token that was used stays valid until the next resume: the client may not have read the new one.
        const tokens = tokenHash === undefined ? session.tokens : [tokenHash, decision.token];
        this.#put({ ...session, origin, remoteAddress, tokens });
        return;
      }
      case "held":
        this.#put({ ...this.#sessions.get(decision.session)!, origin: undefined });
        return;
      case "left":
        this.#remove(decision.session);
        return;
      case "unresumable":
        this.#remove(decision.left.session);
    }
  }

  /** The connection of the session that a decision is about, as of before it. */
  connectionOf(decision: Decision): Origin | undefined {
    switch (decision.kind) {
      case "left":
      case "held":
      case "resumed":
        return this.#sessions.get(decision.session)?.origin;
      case "unresumable":
        return this.#sessions.get(decision.left.session)?.origin;
      default:
        return undefined;
    }
  }

  /** Notes which connections this decision ends, before it is applied. */
  #endConnections(decided: Decided): void {
    const { decision } = decided;
    if (decision.kind === "barred") this.#ended.add(keyOf(decided));
    const origin = this.connectionOf(decision);
    if (origin !== undefined) this.#ended.add(keyOf(origin));
  }

  #kick(id: SessionId): void {
    for (const hash of this.#sessions.get(id)?.tokens ?? []) this.#kicked.add(hash);
    keepNewest(this.#kicked, KICKED_TOKENS_MAX);
  }

  #put(session: ClusterSession): void {
    this.#remove(session.id);
    this.#sessions.set(session.id, session);
    for (const hash of session.tokens) this.#byToken.set(hash, session.id);
    if (session.origin !== undefined) this.#byOrigin.set(keyOf(session.origin), session.id);
  }

  #remove(id: SessionId): void {
    const session = this.#sessions.get(id);
    if (session === undefined) return;
    this.#sessions.delete(id);
    for (const hash of session.tokens) this.#byToken.delete(hash);
    if (session.origin !== undefined) this.#byOrigin.delete(keyOf(session.origin));
  }
}

function keyOf({ node, session }: Origin): string {
  return `${node} ${session}`;
}

function keepNewest(set: Set<string>, max: number): void {
  for (const oldest of set) {
    if (set.size <= max) return;
    set.delete(oldest);
  }
}

/** A name of the log: a leader of another version decided by its own rules that it is one. */
function nameOf(shown: string): Username {
  return { shown, folded: foldName(shown) };
}

/**
 * The roster: the sessions in the room, connected or held, and their names, PROTOCOL.md §3.2 and §12.3. Pure, and
 * applies no rules: whether a session may join or take a name is the room's decision.
 *
 * @module
 */
import type { AddressPlace } from "../../src/address.ts";
import { nameKeys } from "../../src/lookalikes.ts";
import type { Username } from "../../src/protocol/names.ts";

/** A secret UUID, never sent to a client. It is the author of the session's messages. */
export type SessionId = string;

/** One hold: the time from a lost connection until the session resumes or leaves. Later holds are greater. */
export type HoldId = number;

export interface Member {
  readonly username: Username;
  readonly connectedAtMs: number;
  /** Of the extended mode (§12): only such a session is held when its connection is lost. */
  readonly isExtended: boolean;
  /** Undefined while the session has a connection. */
  readonly hold: HoldId | undefined;
  /** When the hold ends at the latest, on the steady clock; undefined for one that another node decided. */
  readonly heldUntilMs?: number | undefined;
  /** Held because its page was closed or reloaded. */
  readonly isGoingAway?: boolean;
  /** Of its connection, or of its last one. */
  readonly places: readonly (AddressPlace | undefined)[];
}

export class Roster {
  readonly #members = new Map<SessionId, Member>();
  /** The session that holds each key of a name. A name is taken if any of its keys is. */
  readonly #holders = new Map<string, SessionId>();
  /** Members by the keys of their places. */
  readonly #perPlace = new Map<string, number>();
  #holds: HoldId = 0;
  readonly #held = new Set<SessionId>();

  /** A copy whose changes leave this one as it is. */
  copy(): Roster {
    const copy = new Roster();
    for (const [session, member] of this.#members) copy.#members.set(session, member);
    for (const [key, holder] of this.#holders) copy.#holders.set(key, holder);
    for (const [place, count] of this.#perPlace) copy.#perPlace.set(place, count);
    copy.#holds = this.#holds;
    for (const session of this.#held) copy.#held.add(session);
    return copy;
  }

  get members(): ReadonlyMap<SessionId, Member> {
    return this.#members;
  }

  get size(): number {
    return this.#members.size;
  }

  /** The held sessions, the longest held first. */
  get held(): ReadonlySet<SessionId> {
    return this.#held;
  }

  /** The names of the held sessions. */
  get awayNames(): string[] {
    return Array.from(this.#held, (session) => this.#members.get(session)!.username.shown);
  }

  get(session: SessionId): Member | undefined {
    return this.#members.get(session);
  }

  /** Another session that has this name or a lookalike. A session may take a lookalike of its own name. */
  otherHolder(username: Username, session: SessionId): Member | undefined {
    for (const key of nameKeys(username)) {
      const holder = this.#holders.get(key);
      if (holder !== undefined && holder !== session) return this.#members.get(holder);
    }
    return undefined;
  }

  /** Members of a place, held ones included. */
  countFrom(key: string): number {
    return this.#perPlace.get(key) ?? 0;
  }

  add(session: SessionId, member: Omit<Member, "hold">): void {
    this.#members.set(session, { ...member, hold: undefined });
    this.#count(member, 1);
    this.#take(session, member.username);
  }

  /** Gives a session a free name. Its place in the order of joining stays. */
  rename(session: SessionId, to: Username): void {
    const member = this.#members.get(session)!;
    this.#free(member.username);
    this.#take(session, to);
    this.#members.set(session, { ...member, username: to });
  }

  remove(session: SessionId): Member | undefined {
    const member = this.#members.get(session);
    if (member === undefined) return undefined;
    this.#free(member.username);
    this.#members.delete(session);
    this.#count(member, -1);
    this.#held.delete(session);
    return member;
  }

  /** Like `remove`, but searches instead of trusting the keys: used after a bug, it frees the name in any case. */
  forget(session: SessionId): Member | undefined {
    const member = this.#members.get(session);
    this.#members.delete(session);
    for (const [key, holder] of this.#holders) if (holder === session) this.#holders.delete(key);
    if (member !== undefined) this.#count(member, -1);
    this.#held.delete(session);
    return member;
  }

  hold(session: SessionId, how: Pick<Member, "heldUntilMs" | "isGoingAway"> = {}): HoldId {
    const hold = ++this.#holds;
    this.#members.set(session, { ...this.#members.get(session)!, ...how, hold });
    this.#held.add(session);
    return hold;
  }

  /** The session is on a connection from `places`. */
  resume(session: SessionId, places: Member["places"]): void {
    const member = this.#members.get(session)!;
    this.#count(member, -1);
    this.#members.set(session, { ...member, hold: undefined, places });
    this.#count({ places }, 1);
    this.#held.delete(session);
  }

  /** The longest held session of a place. */
  longestHeldFrom(key: string): SessionId | undefined {
    return this.#firstHeld(({ places }) => places.some((place) => place?.key === key) ? 1 : 0);
  }

  /** The longest held session of the address that has most members: of the greediest. */
  longestHeldOfGreediest(): SessionId | undefined {
    return this.#firstHeld(({ places }) =>
      Math.max(...places.map((place) => place === undefined ? 0 : this.countFrom(place.key) / place.times))
    );
  }

  /** The held session of the greatest rank, and of those the longest held; none of rank 0. */
  #firstHeld(rankOf: (member: Member) => number): SessionId | undefined {
    let found: SessionId | undefined;
    let greatest = 0;
    for (const session of this.#held) {
      const rank = rankOf(this.#members.get(session)!);
      if (rank > greatest) [found, greatest] = [session, rank];
    }
    return found;
  }

  #count({ places }: Pick<Member, "places">, change: 1 | -1): void {
    for (const place of places) {
      if (place === undefined) continue;
      const count = this.countFrom(place.key) + change;
      if (count > 0) this.#perPlace.set(place.key, count);
      else this.#perPlace.delete(place.key);
    }
  }

  #take(session: SessionId, username: Username): void {
    for (const key of nameKeys(username)) this.#holders.set(key, session);
  }

  #free(username: Username): void {
    for (const key of nameKeys(username)) this.#holders.delete(key);
  }
}

/**
 * The roster: the sessions in the room, connected or held, and their names, PROTOCOL.md §3.2 and §12.3. Pure, and
 * applies no rules: whether a session may join or take a name is the room's decision.
 *
 * @module
 */
import type { AddressPlace } from "../../src/address.ts";
import { nameKeys } from "../../src/lookalikes.ts";
import type { RosterEntry } from "../../src/protocol/frames.ts";
import type { Username } from "../../src/protocol/names.ts";

/** A secret UUID, never sent to a client. It is the author of the session's messages. */
export type SessionId = string;

/** One hold: the time from a lost connection until the session resumes or leaves. Later holds are greater. */
export type HoldId = number;

export interface Occupant {
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
  readonly #occupants = new Map<SessionId, Occupant>();
  /** The session that holds each key of a name. A name is taken if any of its keys is. */
  readonly #holders = new Map<string, SessionId>();
  /** Occupants by the keys of their places. */
  readonly #perPlace = new Map<string, number>();
  #holds: HoldId = 0;
  readonly #held = new Set<SessionId>();
  #answer: string | undefined;

  /** A copy whose changes leave this one as it is. */
  copy(): Roster {
    const copy = new Roster();
    for (const [session, occupant] of this.#occupants) copy.#occupants.set(session, occupant);
    for (const [key, holder] of this.#holders) copy.#holders.set(key, holder);
    for (const [place, count] of this.#perPlace) copy.#perPlace.set(place, count);
    copy.#holds = this.#holds;
    for (const session of this.#held) copy.#held.add(session);
    return copy;
  }

  get occupants(): ReadonlyMap<SessionId, Occupant> {
    return this.#occupants;
  }

  get size(): number {
    return this.#occupants.size;
  }

  /** The held sessions, the longest held first. */
  get held(): ReadonlySet<SessionId> {
    return this.#held;
  }

  /** The names of the held sessions. */
  get awayNames(): string[] {
    return Array.from(this.#held, (session) => this.#occupants.get(session)!.username.shown);
  }

  /** The answer to `roster`, §12.6: kept until a change, because it is long and anyone may ask for it often. */
  get answer(): string {
    return this.#answer ??= JSON.stringify(
      Array.from(this.#occupants.values(), ({ username, connectedAtMs, hold }): RosterEntry => {
        return { username: username.shown, since: connectedAtMs, away: hold !== undefined };
      }),
    );
  }

  get(session: SessionId): Occupant | undefined {
    return this.#occupants.get(session);
  }

  /** Another session that has this name or a lookalike. A session may take a lookalike of its own name. */
  otherHolder(username: Username, session: SessionId): Occupant | undefined {
    for (const key of nameKeys(username)) {
      const holder = this.#holders.get(key);
      if (holder !== undefined && holder !== session) return this.#occupants.get(holder);
    }
    return undefined;
  }

  /** Occupants of a place, held ones included. */
  countFrom(key: string): number {
    return this.#perPlace.get(key) ?? 0;
  }

  add(session: SessionId, occupant: Omit<Occupant, "hold">): void {
    this.#put(session, { ...occupant, hold: undefined });
    this.#count(occupant, 1);
    this.#take(session, occupant.username);
  }

  /** Gives a session a free name. Its place in the order of joining stays. */
  rename(session: SessionId, to: Username): void {
    const occupant = this.#occupants.get(session)!;
    this.#free(occupant.username);
    this.#take(session, to);
    this.#put(session, { ...occupant, username: to });
  }

  remove(session: SessionId): Occupant | undefined {
    const occupant = this.#occupants.get(session);
    if (occupant === undefined) return undefined;
    this.#free(occupant.username);
    this.#drop(session);
    this.#count(occupant, -1);
    this.#held.delete(session);
    return occupant;
  }

  /** Like `remove`, but searches instead of trusting the keys: used after a bug, it frees the name in any case. */
  forget(session: SessionId): Occupant | undefined {
    const occupant = this.#occupants.get(session);
    this.#drop(session);
    for (const [key, holder] of this.#holders) if (holder === session) this.#holders.delete(key);
    if (occupant !== undefined) this.#count(occupant, -1);
    this.#held.delete(session);
    return occupant;
  }

  hold(session: SessionId, how: Pick<Occupant, "heldUntilMs" | "isGoingAway"> = {}): HoldId {
    const hold = ++this.#holds;
    this.#put(session, { ...this.#occupants.get(session)!, ...how, hold });
    this.#held.add(session);
    return hold;
  }

  /** The session is on a connection from `places`. */
  resume(session: SessionId, places: Occupant["places"]): void {
    const occupant = this.#occupants.get(session)!;
    this.#count(occupant, -1);
    this.#put(session, { ...occupant, hold: undefined, places });
    this.#count({ places }, 1);
    this.#held.delete(session);
  }

  /** The longest held session of a place. */
  longestHeldFrom(key: string): SessionId | undefined {
    return this.#firstHeld(({ places }) => places.some((place) => place?.key === key) ? 1 : 0);
  }

  /** The longest held session of the address that has most occupants: of the greediest. */
  longestHeldOfGreediest(): SessionId | undefined {
    return this.#firstHeld(({ places }) =>
      Math.max(...places.map((place) => place === undefined ? 0 : this.countFrom(place.key) / place.times))
    );
  }

  /** The held session of the greatest rank, and of those the longest held; none of rank 0. */
  #firstHeld(rankOf: (occupant: Occupant) => number): SessionId | undefined {
    let found: SessionId | undefined;
    let greatest = 0;
    for (const session of this.#held) {
      const rank = rankOf(this.#occupants.get(session)!);
      if (rank > greatest) [found, greatest] = [session, rank];
    }
    return found;
  }

  #put(session: SessionId, occupant: Occupant): void {
    this.#occupants.set(session, occupant);
    this.#answer = undefined;
  }

  #drop(session: SessionId): void {
    this.#occupants.delete(session);
    this.#answer = undefined;
  }

  #count({ places }: Pick<Occupant, "places">, change: 1 | -1): void {
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

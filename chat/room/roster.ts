/**
 * The roster: who is in the room and under which name, whether connected or held for a while, PROTOCOL.md §3.2 and
 * §12.3.
 *
 * Pure, and judges nothing: who may come in, and who is told of it, is the room's.
 *
 * @module
 */
import { nameKeys } from "../../src/lookalikes.ts";
import type { Username } from "../../src/protocol/names.ts";

/** A session's id: its own, never shown to anyone, and the author of its messages. */
export type SessionId = string;

/** Tells a hold from the others of this run: greater ones began later. */
export type HoldId = number;

/** Who is in the room. */
export interface Member {
  readonly username: Username;
  readonly connectedAtMs: number;
  /** Whether it is of the extended mode, and is held when its connection is lost. */
  readonly isExtended: boolean;
  /** The hold that it is in; undefined while it has a connection. */
  readonly hold: HoldId | undefined;
}

export class Roster {
  /** In order of joining. */
  readonly #members = new Map<SessionId, Member>();
  /** Who holds each key of the names: a name is taken where one of its keys is. */
  readonly #holders = new Map<string, SessionId>();
  #holds: HoldId = 0;
  #heldSize = 0;

  /** All of them, in order of joining. */
  get members(): ReadonlyMap<SessionId, Member> {
    return this.#members;
  }

  get size(): number {
    return this.#members.size;
  }

  /** How many are held. */
  get heldSize(): number {
    return this.#heldSize;
  }

  get(session: SessionId): Member | undefined {
    return this.#members.get(session);
  }

  /** By somebody else: one's own name may be changed for one that looks like it. */
  isTaken(username: Username, session: SessionId): boolean {
    return nameKeys(username).some((key) => (this.#holders.get(key) ?? session) !== session);
  }

  /** Adds somebody whose name is free, at the end. */
  add(session: SessionId, member: Omit<Member, "hold">): void {
    this.#members.set(session, { ...member, hold: undefined });
    this.#take(session, member.username);
  }

  /** Gives a member another name, which is free; it keeps its place. */
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
    if (member.hold !== undefined) this.#heldSize--;
    return member;
  }

  /** As `remove`, by nothing but deleting: whatever bug was met before, the name is free. */
  forget(session: SessionId): Member | undefined {
    const member = this.#members.get(session);
    this.#members.delete(session);
    for (const [key, holder] of this.#holders) if (holder === session) this.#holders.delete(key);
    if (member?.hold !== undefined) this.#heldSize--;
    return member;
  }

  /** Begins a hold of a member that is connected. */
  hold(session: SessionId): HoldId {
    const hold = ++this.#holds;
    this.#members.set(session, { ...this.#members.get(session)!, hold });
    this.#heldSize++;
    return hold;
  }

  /** Ends the hold of a member, where it is in one: it has a connection again. */
  release(session: SessionId): void {
    const member = this.#members.get(session)!;
    if (member.hold === undefined) return;
    this.#members.set(session, { ...member, hold: undefined });
    this.#heldSize--;
  }

  /** Who has been held for longest. */
  longestHeld(): SessionId | undefined {
    if (this.#heldSize === 0) return undefined;
    let longest: SessionId | undefined;
    let first: HoldId = Infinity;
    for (const [session, { hold }] of this.#members) {
      if (hold === undefined || hold >= first) continue;
      longest = session;
      first = hold;
    }
    return longest;
  }

  #take(session: SessionId, username: Username): void {
    for (const key of nameKeys(username)) this.#holders.set(key, session);
  }

  #free(username: Username): void {
    for (const key of nameKeys(username)) this.#holders.delete(key);
  }
}

/**
 * The audience: who hears what everyone is told, and the fan-out to them, PROTOCOL.md §4.4.
 *
 * Broadcasts of a turn are gathered, and each listener is given them in one piece: before anything that is for it
 * alone, and at the end of the turn. It follows the order in which things are told, which is behind that in which they
 * are decided. What a participant throws is the end of that one, and the others are told all the same.
 *
 * @module
 */
import type { Logger } from "../../src/logging/log.ts";
import { TurnFrames } from "./turn_frames.ts";
import { CLOSE, type CloseCause } from "../../src/protocol/close_codes.ts";
import type { Participant } from "./participant.ts";
import type { ChatMeters } from "../meters.ts";
import type { OutgoingFrame } from "./frame.ts";
import type { SessionId } from "../room/room.ts";

/** One of the audience, and how much of the turn's broadcasts it was given. */
interface Listener {
  readonly participant: Participant;
  heard: number;
}

export interface FanoutOptions {
  readonly meters: ChatMeters;
  /** A clock that never goes back, in milliseconds. */
  readonly steadyMs: () => number;
  readonly log: Logger;
}

/** What the sequencer needs of an audience, wherever those who hear are. */
export type FanoutPort = Pick<Fanout, keyof Fanout>;

export class Fanout {
  readonly #listeners = new Map<SessionId, Listener>();
  readonly #meters: ChatMeters;
  readonly #steadyMs: () => number;
  readonly #fence: ParticipantFence;
  /** What plain clients are told in this turn, and what those of the extended mode are. */
  #plain = new TurnFrames();
  #live = new TurnFrames();
  /** Who was told something for itself in this turn, and may be no listener. */
  readonly #answered = new Set<Participant>();
  /** Frames that were given to somebody in this turn. */
  #deliveries = 0;

  constructor({ meters, steadyMs, log }: FanoutOptions) {
    this.#meters = meters;
    this.#steadyMs = steadyMs;
    this.#fence = new ParticipantFence(log);
  }

  get size(): number {
    return this.#listeners.size;
  }

  /** Resolves when those who are told can take more of it; undefined where they can now, as always on one thread. */
  caughtUp(): Promise<void> | undefined {
    return undefined;
  }

  /** From now on `participant` hears everything, in the place of whoever was this session before. */
  add(participant: Participant): void {
    this.delete(participant.id);
    this.#listeners.set(participant.id, { participant, heard: this.#broadcastsFor(participant).length });
  }

  /** It hears what was told up to now, and nothing more. */
  delete(session: SessionId): void {
    const listener = this.#listeners.get(session);
    if (listener === undefined) return;
    this.#catchUp(listener);
    this.#answered.add(listener.participant);
    this.#listeners.delete(session);
  }

  broadcast(frame: OutgoingFrame): void {
    this.#plain.push(frame);
    this.#live.push(frame);
  }

  /** Tells those of the extended mode. */
  broadcastExtended(frame: OutgoingFrame): void {
    this.#live.push(frame);
  }

  /** Tells those of the extended mode but one; undefined is none of them. */
  broadcastExtendedBut(but: Participant | undefined, frame: OutgoingFrame): void {
    for (const { participant } of this.#listeners.values()) {
      if (participant.isExtended && participant !== but) this.deliver(participant, frame);
    }
  }

  /** Tells one. */
  deliver(participant: Participant, frame: OutgoingFrame): void {
    this.#catchUpWith(participant);
    this.#answered.add(participant);
    this.#deliveries++;
    try {
      participant.deliver(frame);
    } catch (error) {
      this.#fence.failed("deliver", participant, error);
    }
  }

  /** Ends the connection of one, which was given all that it was told. */
  end(participant: Participant, cause: CloseCause): void {
    this.#catchUpWith(participant);
    participant.end(cause);
  }

  /** The end of a turn: everything that was told is on its way. */
  flush(): void {
    if (this.#live.length > 0) this.#fanOut();
    for (const participant of this.#answered) this.#flush(participant);
    this.#answered.clear();
    this.#meters.deliveries.add(this.#deliveries);
    this.#deliveries = 0;
  }

  #fanOut(): void {
    const startMs = this.#steadyMs();
    for (const listener of this.#listeners.values()) {
      this.#catchUp(listener);
      listener.heard = 0;
      this.#flush(listener.participant);
    }
    this.#plain = new TurnFrames();
    this.#live = new TurnFrames();
    this.#meters.fanoutSeconds.observe((this.#steadyMs() - startMs) / 1000);
  }

  /** The fence of a participant. */
  fenced(where: string, participant: Participant, work: () => void): void {
    this.#fence.guard(where, participant, work);
  }

  /** Ends a participant in which there is a bug. */
  endBroken(participant: Participant): void {
    this.#fence.endBroken(participant);
  }

  #broadcastsFor({ isExtended }: Participant): TurnFrames {
    return isExtended ? this.#live : this.#plain;
  }

  #catchUpWith(participant: Participant): void {
    const listener = this.#listeners.get(participant.id);
    if (listener?.participant === participant) this.#catchUp(listener);
  }

  #catchUp(listener: Listener): void {
    const { participant, heard } = listener;
    const broadcasts = this.#broadcastsFor(participant);
    if (heard === broadcasts.length) return;
    listener.heard = broadcasts.length;
    this.#deliveries += broadcasts.length - heard;
    try {
      participant.receive(broadcasts, heard);
    } catch (error) {
      this.#fence.failed("deliver", participant, error);
    }
  }

  #flush(participant: Participant): void {
    try {
      participant.flush();
    } catch (error) {
      this.#fence.failed("flush", participant, error);
    }
  }
}

/** A bug in one participant is the end of that one. */
export class ParticipantFence {
  readonly #log: Logger;

  constructor(log: Logger) {
    this.#log = log;
  }

  guard(where: string, participant: Participant, work: () => void): void {
    try {
      work();
    } catch (error) {
      this.failed(where, participant, error);
    }
  }

  failed(where: string, participant: Participant, error: unknown): void {
    this.#log.error("bug", { where, session: participant.id, error });
    this.endBroken(participant);
  }

  endBroken(participant: Participant): void {
    try {
      participant.end(CLOSE.internal);
    } catch (error) {
      this.#log.error("bug", { where: "end", session: participant.id, error });
    }
  }
}

/**
 * The fan-out: who is sent what everyone is sent, and the way to their outboxes, PROTOCOL.md §4.4.
 *
 * The broadcasts of a turn are gathered. Each listener gets them as one piece: before a frame for it alone, and at the
 * end of the turn. A bug in one outbox ends that connection and no other.
 *
 * @module
 */
import type { Logger } from "../../src/logging/log.ts";
import { CLOSE, type CloseCause } from "../../src/protocol/close_codes.ts";
import type { ChatMeters } from "../meters.ts";
import type { Frame } from "../room/frame.ts";
import type { OutboxPort, Participant } from "./participant.ts";
import { TurnFrames } from "./turn_frames.ts";

/** One who is sent broadcasts, and how many of this turn's are in its outbox. */
interface Listener {
  readonly participant: Participant;
  readonly outbox: OutboxPort;
  pushed: number;
}

export interface FanoutOptions {
  readonly meters: ChatMeters;
  /** A clock that never goes back, in milliseconds. */
  readonly steadyMs: () => number;
  readonly log: Logger;
}

/** What the teller needs of a fan-out, on whatever threads the outboxes are. */
export type FanoutPort = Pick<Fanout, keyof Fanout>;

export class Fanout {
  readonly #listeners = new Map<Participant, Listener>();
  readonly #meters: ChatMeters;
  readonly #steadyMs: () => number;
  readonly #fence: ParticipantFence;
  /** The broadcasts of this turn, for plain clients and for those of the extended mode. */
  #plain = new TurnFrames();
  #extended = new TurnFrames();
  /** Outboxes with a frame of their own in this turn, whether or not they listen. */
  readonly #answered = new Set<Participant>();
  /** Frames that were pushed in this turn. */
  #deliveries = 0;

  constructor({ meters, steadyMs, log }: FanoutOptions) {
    this.#meters = meters;
    this.#steadyMs = steadyMs;
    this.#fence = new ParticipantFence(log);
  }

  get size(): number {
    return this.#listeners.size;
  }

  /** Resolves when the outboxes can take more; undefined where they can now, as always on one thread. */
  caughtUp(): Promise<void> | undefined {
    return undefined;
  }

  /** From now on `participant` is sent all broadcasts. */
  add(participant: Participant): void {
    const { outbox } = participant;
    if (outbox === undefined) throw new Error("A listener without an outbox");
    this.#listeners.set(participant, { participant, outbox, pushed: this.#framesFor(participant).length });
  }

  /** `participant` is sent the broadcasts up to now, and none after. */
  delete(participant: Participant): void {
    const listener = this.#listeners.get(participant);
    if (listener === undefined) return;
    this.#catchUp(listener);
    this.#answered.add(participant);
    this.#listeners.delete(participant);
  }

  broadcast(frame: Frame): void {
    this.#plain.push(frame);
    this.#extended.push(frame);
  }

  /** Sends to all of the extended mode. */
  broadcastExtended(frame: Frame): void {
    this.#extended.push(frame);
  }

  /** Sends to all of the extended mode but one; undefined is none of them. */
  broadcastExtendedBut(but: Participant | undefined, frame: Frame): void {
    for (const participant of this.#listeners.keys()) {
      if (participant.isExtended && participant !== but) this.send(participant, frame);
    }
  }

  /** Sends to one, after all that was broadcast before. */
  send(participant: Participant, frame: Frame): void {
    const { outbox } = participant;
    if (outbox === undefined) return;
    const listener = this.#listeners.get(participant);
    if (listener !== undefined) this.#catchUp(listener);
    this.#answered.add(participant);
    this.#deliveries++;
    try {
      outbox.push(frame);
    } catch (error) {
      this.#fence.failed("deliver", participant, error);
    }
  }

  /** Ends the connection of one, after all that it was sent. */
  end(participant: Participant, cause: CloseCause): void {
    const listener = this.#listeners.get(participant);
    if (listener !== undefined) this.#catchUp(listener);
    participant.outbox?.close(cause);
  }

  /** The end of a turn: everything that was sent is on its way. */
  flush(): void {
    if (this.#extended.length > 0) this.#flushAll();
    for (const participant of this.#answered) this.#flush(participant, participant.outbox!);
    this.#answered.clear();
    this.#meters.deliveries.add(this.#deliveries);
    this.#deliveries = 0;
  }

  #flushAll(): void {
    const startMs = this.#steadyMs();
    for (const listener of this.#listeners.values()) {
      this.#catchUp(listener);
      listener.pushed = 0;
      this.#flush(listener.participant, listener.outbox);
    }
    this.#plain = new TurnFrames();
    this.#extended = new TurnFrames();
    this.#meters.fanoutSeconds.observe((this.#steadyMs() - startMs) / 1000);
  }

  /** Ends a participant in which there is a bug. */
  endBroken(participant: Participant): void {
    this.#fence.endBroken(participant);
  }

  #framesFor({ isExtended }: Participant): TurnFrames {
    return isExtended ? this.#extended : this.#plain;
  }

  #catchUp(listener: Listener): void {
    const { participant, outbox, pushed } = listener;
    const frames = this.#framesFor(participant);
    if (pushed === frames.length) return;
    listener.pushed = frames.length;
    this.#deliveries += frames.length - pushed;
    try {
      outbox.pushTurn(frames, pushed);
    } catch (error) {
      this.#fence.failed("deliver", participant, error);
    }
  }

  #flush(participant: Participant, outbox: OutboxPort): void {
    try {
      outbox.flush();
    } catch (error) {
      this.#fence.failed("flush", participant, error);
    }
  }
}

/** A bug in one participant ends that one. */
export class ParticipantFence {
  readonly #log: Logger;

  constructor(log: Logger) {
    this.#log = log;
  }

  failed(where: string, participant: Participant, error: unknown): void {
    this.#log.error("bug", { where, session: participant.id, error });
    this.endBroken(participant);
  }

  endBroken(participant: Participant): void {
    try {
      participant.outbox?.close(CLOSE.internal);
    } catch (error) {
      this.#log.error("bug", { where: "end", session: participant.id, error });
    }
  }
}

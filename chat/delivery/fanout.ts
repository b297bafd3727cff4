/**
 * Fan-out: collects the broadcasts of a turn and passes them to the outboxes of all participants, PROTOCOL.md §4.4.
 * Each outbox gets them in one piece, before its next own frame or at the end of the turn. A bug in one outbox ends
 * that connection only.
 *
 * @module
 */
import type { Logger } from "../../src/logging/log.ts";
import { CLOSE, type CloseCause } from "../../src/protocol/close_codes.ts";
import type { ChatMeters } from "../meters.ts";
import type { Frame } from "../room/frame.ts";
import type { Missed } from "../room/replay_buffer.ts";
import type { OutboxPort, Participant } from "./participant.ts";
import { TurnFrames } from "./turn_frames.ts";

/** A participant that receives broadcasts; `pushed` counts those of this turn that are in its outbox. */
interface Listener {
  readonly participant: Participant;
  readonly outbox: OutboxPort;
  pushed: number;
}

export interface FanoutOptions {
  readonly meters: ChatMeters;
  /** A clock that never goes backwards, in milliseconds. */
  readonly steadyMs: () => number;
  readonly log: Logger;
}

/** The fan-out as the sequencer uses it, on one thread or several. */
export type FanoutPort = Pick<Fanout, keyof Fanout>;

/** The participants of one mode, and their broadcasts of this turn. */
class Audience {
  readonly listeners = new Map<Participant, Listener>();
  frames = new TurnFrames();

  /** Without a listener the frame is dropped: one that is added later in the turn receives later frames only. */
  push(frame: Frame): void {
    if (this.listeners.size > 0) this.frames.push(frame);
  }
}

export class Fanout {
  readonly #plain = new Audience();
  readonly #extended = new Audience();
  readonly #meters: ChatMeters;
  readonly #steadyMs: () => number;
  readonly #fence: ParticipantFence;
  /** Participants with a frame of their own in this turn, which must be flushed. */
  readonly #answered = new Set<Participant>();
  readonly #replays = new WeakMap<readonly Frame[], TurnFrames>();
  /** Frames pushed in this turn. */
  #deliveries = 0;

  constructor({ meters, steadyMs, log }: FanoutOptions) {
    this.#meters = meters;
    this.#steadyMs = steadyMs;
    this.#fence = new ParticipantFence(log);
  }

  get size(): number {
    return this.#plain.listeners.size + this.#extended.listeners.size;
  }

  /** Resolves when the outboxes can take more; undefined if they can now, as always on one thread. */
  caughtUp(): Promise<void> | undefined {
    return undefined;
  }

  /** Adds a participant to the fan-out: it receives later broadcasts only. */
  add(participant: Participant): void {
    const { outbox } = participant;
    if (outbox === undefined) throw new Error("A listener without an outbox");
    const { listeners, frames } = this.#audienceOf(participant);
    listeners.set(participant, { participant, outbox, pushed: frames.length });
  }

  /** Removes a participant: it receives the broadcasts up to now. */
  delete(participant: Participant): void {
    const { listeners, frames } = this.#audienceOf(participant);
    const listener = listeners.get(participant);
    if (listener === undefined) return;
    this.#catchUp(listener, frames);
    this.#answered.add(participant);
    listeners.delete(participant);
  }

  broadcast(frame: Frame): void {
    this.#plain.push(frame);
    this.#extended.push(frame);
  }

  /** Broadcasts to plain clients only. */
  broadcastPlain(frame: Frame): void {
    this.#plain.push(frame);
  }

  /** Broadcasts to extended clients only. */
  broadcastExtended(frame: Frame): void {
    this.#extended.push(frame);
  }

  /** Broadcasts to all extended clients except `but`, if given. */
  broadcastExtendedBut(but: Participant | undefined, frame: Frame): void {
    const { listeners, frames } = this.#extended;
    const left = but && listeners.get(but);
    if (left !== undefined) this.#catchUp(left, frames);
    this.#extended.push(frame);
    if (left !== undefined) left.pushed = frames.length;
  }

  /** Sends to one participant, after all earlier broadcasts. */
  send(participant: Participant, frame: Frame): void {
    const { outbox } = participant;
    if (outbox === undefined) return;
    this.#catchUpOne(participant);
    this.#answered.add(participant);
    this.#deliveries++;
    try {
      outbox.push(frame);
    } catch (error) {
      this.#fence.failed("deliver", participant, error);
    }
  }

  /** Sends to one participant what it missed. Others that are sent frames of the same array share its bytes. */
  replay(participant: Participant, missed: Missed): void {
    const { outbox } = participant;
    const { from } = missed;
    if (outbox === undefined || from === missed.frames.length) return;
    let frames = this.#replays.get(missed.frames);
    if (frames === undefined) {
      frames = new TurnFrames();
      for (const frame of missed.frames) frames.push(frame);
      this.#replays.set(missed.frames, frames);
    }
    this.#catchUpOne(participant);
    this.#deliveries += frames.length - from;
    // What was sent before is a write of its own: with the replay behind it, it would be copied together.
    this.#flush(participant, outbox);
    this.#answered.add(participant);
    try {
      outbox.pushTurn(frames, from);
    } catch (error) {
      this.#fence.failed("deliver", participant, error);
    }
  }

  /** Closes one participant's connection, after all that was sent to it. */
  end(participant: Participant, cause: CloseCause): void {
    this.#catchUpOne(participant);
    participant.outbox?.close(cause);
  }

  /** Ends the turn: flushes all outboxes with new frames. */
  flush(): void {
    if (this.#plain.frames.length > 0 || this.#extended.frames.length > 0) {
      const startMs = this.#steadyMs();
      this.#flushAll(this.#plain);
      this.#flushAll(this.#extended);
      this.#meters.fanoutSeconds.observe((this.#steadyMs() - startMs) / 1000);
    }
    for (const participant of this.#answered) this.#flush(participant, participant.outbox!);
    this.#answered.clear();
    this.#meters.deliveries.add(this.#deliveries);
    this.#deliveries = 0;
  }

  #flushAll(audience: Audience): void {
    const { listeners, frames } = audience;
    if (frames.length === 0) return;
    for (const listener of listeners.values()) {
      this.#catchUp(listener, frames);
      listener.pushed = 0;
      this.#flush(listener.participant, listener.outbox);
    }
    audience.frames = new TurnFrames();
  }

  /** Ends the connection of a participant that has a bug. */
  endBroken(participant: Participant): void {
    this.#fence.endBroken(participant);
  }

  #audienceOf({ isExtended }: Participant): Audience {
    return isExtended ? this.#extended : this.#plain;
  }

  #catchUpOne(participant: Participant): void {
    const { listeners, frames } = this.#audienceOf(participant);
    const listener = listeners.get(participant);
    if (listener !== undefined) this.#catchUp(listener, frames);
  }

  #catchUp(listener: Listener, frames: TurnFrames): void {
    const { participant, outbox, pushed } = listener;
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

/** Logs a bug in one participant and ends its connection. */
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

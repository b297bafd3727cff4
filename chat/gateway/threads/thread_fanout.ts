/**
 * The fan-out for sessions on other threads: one entry per gateway instead of one per session, in order with sessions
 * that join or leave, PROTOCOL.md §4.4. Each gateway has its own chat/delivery/fanout.ts for its sessions.
 *
 * @module
 */
import type { CloseCause } from "../../../src/protocol/close_codes.ts";
import type { Frame } from "../../room/frame.ts";
import type { Missed } from "../../room/replay_buffer.ts";
import type { AddressShare } from "../address_shares.ts";
import type { OutboxPort, Participant } from "../../delivery/participant.ts";
import type { SessionId } from "../../room/roster.ts";
import { Downlink, NO_SESSION, type Packed, placeOf, type SessionNumber } from "./messages.ts";
import { setImmediate } from "node:timers";
import type { Logger } from "../../../src/logging/log.ts";
import { type FanoutPort, ParticipantFence } from "../../delivery/fanout.ts";

/** A gateway as the target of turns. */
export interface FanoutTarget {
  /** The entries of this turn. */
  readonly pending: Packed;
  /** Its sessions that receive broadcasts. */
  listeners: number;
  /** Sends the entries. */
  flush(): void;
  /** Resolves when the gateway has applied enough turns; undefined if it has. */
  caughtUp(): Promise<void> | undefined;
}

/** Lets all messages of the gateways arrive, so that they form one turn. */
function nextRound(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve));
}

export class ThreadFanout implements FanoutPort {
  readonly #targets: ReadonlySet<FanoutTarget>;
  readonly #fence: ParticipantFence;
  readonly #listeners = new Set<Participant>();

  /** `targets` are the current gateways; the set changes. */
  constructor(targets: ReadonlySet<FanoutTarget>, log: Logger) {
    this.#targets = targets;
    this.#fence = new ParticipantFence(log);
  }

  get size(): number {
    return this.#listeners.size;
  }

  caughtUp(): Promise<void> | undefined {
    let all: Promise<void> | undefined;
    for (const target of this.#targets) {
      const one = target.caughtUp();
      if (one !== undefined) all = all === undefined ? one : Promise.all([all, one]).then(() => {});
    }
    return all?.then(nextRound);
  }

  add(participant: Participant): void {
    if (!(participant instanceof RemoteSession)) throw new Error("A listener without a gateway");
    this.#listeners.add(participant);
    participant.target.listeners++;
    participant.target.pending.push(Downlink.add, participant.number);
  }

  delete(participant: Participant): void {
    if (!this.#listeners.delete(participant)) return;
    const { target, number } = participant as RemoteSession;
    target.listeners--;
    target.pending.push(Downlink.remove, number);
  }

  broadcast({ text }: Frame): void {
    for (const target of this.#targets) if (target.listeners > 0) target.pending.push(Downlink.all, text);
  }

  broadcastPlain({ text }: Frame): void {
    for (const target of this.#targets) if (target.listeners > 0) target.pending.push(Downlink.plain, text);
  }

  broadcastExtended({ text }: Frame): void {
    for (const target of this.#targets) if (target.listeners > 0) target.pending.push(Downlink.live, text);
  }

  broadcastExtendedBut(but: Participant | undefined, { text }: Frame): void {
    for (const target of this.#targets) {
      if (target.listeners === 0) continue;
      const number = but instanceof RemoteSession && but.target === target ? but.number : NO_SESSION;
      target.pending.push(Downlink.liveBut, number, text);
    }
  }

  send(participant: Participant, frame: Frame): void {
    try {
      participant.outbox?.push(frame);
    } catch (error) {
      this.#fence.failed("deliver", participant, error);
    }
  }

  replay(participant: Participant, { frames, from }: Missed): void {
    for (let i = from; i < frames.length; i++) this.send(participant, frames[i]!);
  }

  end(participant: Participant, cause: CloseCause): void {
    participant.outbox?.close(cause);
  }

  flush(): void {
    for (const target of this.#targets) if (target.pending.length > 0) target.flush();
  }

  endBroken(participant: Participant): void {
    this.#fence.endBroken(participant);
  }
}

/** A session on another thread as the sequencer sees it; its outbox posts to that thread. */
export class RemoteSession implements Participant, OutboxPort {
  readonly id: SessionId;
  readonly isExtended: boolean;
  readonly remoteAddress: string;
  readonly number: SessionNumber;
  readonly target: FanoutTarget;
  readonly outbox: OutboxPort = this;
  /** Of its address; undefined if it has no limit. */
  readonly share: AddressShare | undefined;
  /** Inputs submitted and not yet answered. */
  unanswered = 0;

  constructor(
    target: FanoutTarget,
    { number, id, isExtended, remoteAddress, share }: Pick<
      RemoteSession,
      "number" | "id" | "isExtended" | "remoteAddress" | "share"
    >,
  ) {
    this.share = share;
    this.target = target;
    this.number = number;
    this.id = id;
    this.isExtended = isExtended;
    this.remoteAddress = remoteAddress;
  }

  push({ text }: Frame): void {
    this.target.pending.push(Downlink.one, this.number, text);
  }

  /** Broadcasts go to the target once, and its own fan-out pushes them. */
  pushTurn(): void {}

  flush(): void {}

  close(cause: CloseCause): void {
    this.target.pending.push(Downlink.end, this.number, placeOf(cause));
  }

  settled(): void {
    this.unanswered--;
    this.target.pending.push(Downlink.settled, this.number);
  }

  joined(): void {
    this.target.pending.push(Downlink.joined, this.number);
  }
}

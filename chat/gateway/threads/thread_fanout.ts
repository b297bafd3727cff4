/**
 * The audience where sessions are on gateways of other threads: what everyone is told is an entry a gateway and not one a
 * session, in one order with who begins and ceases to hear it. Each gateway has an audience of its own, chat/delivery/fanout.ts,
 * which gives it to the sessions, PROTOCOL.md §4.4.
 *
 * @module
 */
import type { CloseCause } from "../../../src/protocol/close_codes.ts";
import type { Frame } from "../../room/frame.ts";
import type { OutboxPort, Participant } from "../../delivery/participant.ts";
import type { SessionId } from "../../room/roster.ts";
import { Downlink, NOBODY, type Packed, placeOf, type SessionNumber } from "./messages.ts";
import { setImmediate } from "node:timers";
import type { Logger } from "../../../src/logging/log.ts";
import { type FanoutPort, ParticipantFence } from "../../delivery/fanout.ts";

/** A gateway as it is told. */
export interface FanoutTarget {
  /** What this turn tells it. */
  readonly pending: Packed;
  /** How many of its sessions hear what everyone is told. */
  listeners: number;
  /** Has what was told go on its way. */
  flush(): void;
  /** Resolves when it has taken most of what it was told; undefined where it has. */
  caughtUp(): Promise<void> | undefined;
}

/** What the gateways have posted meanwhile, all of them, is to be one turn. */
function nextRound(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve));
}

export class ThreadFanout implements FanoutPort {
  readonly #targets: ReadonlySet<FanoutTarget>;
  readonly #fence: ParticipantFence;
  readonly #listeners = new Set<Participant>();

  /** `targets` are the gateways that there are at the moment. */
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

  broadcastExtended({ text }: Frame): void {
    for (const target of this.#targets) if (target.listeners > 0) target.pending.push(Downlink.live, text);
  }

  broadcastExtendedBut(but: Participant | undefined, { text }: Frame): void {
    for (const target of this.#targets) {
      if (target.listeners === 0) continue;
      const number = but instanceof RemoteSession && but.target === target ? but.number : NOBODY;
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

/** A session on another thread, as the order sees it: its outbox is the way to that thread. */
export class RemoteSession implements Participant, OutboxPort {
  readonly id: SessionId;
  readonly isExtended: boolean;
  readonly remoteAddress: string;
  readonly number: SessionNumber;
  readonly target: FanoutTarget;
  readonly outbox: OutboxPort = this;
  /** Inputs that the sequencer has and that are not answered yet. */
  unanswered = 0;

  constructor(
    target: FanoutTarget,
    { number, id, isExtended, remoteAddress }: Pick<
      RemoteSession,
      "number" | "id" | "isExtended" | "remoteAddress"
    >,
  ) {
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

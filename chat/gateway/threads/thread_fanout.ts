/**
 * The audience where sessions are on fronts of other threads: what everyone is told is an entry a front and not one a
 * session, in one order with who begins and ceases to hear it. Each front has an audience of its own, chat/delivery/fanout.ts,
 * which gives it to the sessions, PROTOCOL.md §4.4.
 *
 * @module
 */
import type { CloseCause } from "../../../src/protocol/close_codes.ts";
import type { OutgoingFrame } from "../../delivery/frame.ts";
import type { Participant } from "../../delivery/participant.ts";
import type { SessionId } from "../../room/room.ts";
import { Downlink, NOBODY, type Packed, placeOf, type SessionNumber } from "./messages.ts";
import { setImmediate } from "node:timers";
import type { Logger } from "../../../src/logging/log.ts";
import { type FanoutPort, ParticipantFence } from "../../delivery/fanout.ts";

/** A front as it is told. */
export interface FanoutTarget {
  /** What this turn tells it. */
  readonly told: Packed;
  /** How many of its sessions hear what everyone is told. */
  listeners: number;
  /** Has what was told go on its way. */
  flush(): void;
  /** Resolves when it has taken most of what it was told; undefined where it has. */
  caughtUp(): Promise<void> | undefined;
}

/** What the fronts have posted meanwhile, all of them, is to be one turn. */
function nextRound(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve));
}

export class ThreadFanout implements FanoutPort {
  readonly #halls: ReadonlySet<FanoutTarget>;
  readonly #fence: ParticipantFence;
  readonly #listeners = new Map<SessionId, RemoteSession>();

  /** `halls` are the fronts that there are at the moment. */
  constructor(halls: ReadonlySet<FanoutTarget>, log: Logger) {
    this.#halls = halls;
    this.#fence = new ParticipantFence(log);
  }

  get size(): number {
    return this.#listeners.size;
  }

  caughtUp(): Promise<void> | undefined {
    let all: Promise<void> | undefined;
    for (const hall of this.#halls) {
      const one = hall.caughtUp();
      if (one !== undefined) all = all === undefined ? one : Promise.all([all, one]).then(() => {});
    }
    return all?.then(nextRound);
  }

  add(participant: Participant): void {
    this.delete(participant.id);
    if (!(participant instanceof RemoteSession)) throw new Error("one who has no front is to hear");
    this.#listeners.set(participant.id, participant);
    participant.front.listeners++;
    participant.front.told.push(Downlink.add, participant.number);
  }

  delete(session: SessionId): void {
    const listener = this.#listeners.get(session);
    if (listener === undefined) return;
    this.#listeners.delete(session);
    listener.front.listeners--;
    listener.front.told.push(Downlink.remove, listener.number);
  }

  broadcast({ text }: OutgoingFrame): void {
    for (const hall of this.#halls) if (hall.listeners > 0) hall.told.push(Downlink.all, text);
  }

  broadcastExtended({ text }: OutgoingFrame): void {
    for (const hall of this.#halls) if (hall.listeners > 0) hall.told.push(Downlink.live, text);
  }

  broadcastExtendedBut(but: Participant, { text }: OutgoingFrame): void {
    for (const hall of this.#halls) {
      if (hall.listeners === 0) continue;
      const number = but instanceof RemoteSession && but.front === hall ? but.number : NOBODY;
      hall.told.push(Downlink.liveBut, number, text);
    }
  }

  deliver(participant: Participant, frame: OutgoingFrame): void {
    this.#fence.guard("deliver", participant, () => participant.deliver(frame));
  }

  end(participant: Participant, cause: CloseCause): void {
    participant.end(cause);
  }

  flush(): void {
    for (const hall of this.#halls) if (hall.told.length > 0) hall.flush();
  }

  fenced(where: string, participant: Participant, work: () => void): void {
    this.#fence.guard(where, participant, work);
  }

  endBroken(participant: Participant): void {
    this.#fence.endBroken(participant);
  }
}

export class RemoteSession implements Participant {
  id: SessionId;
  readonly isExtended: boolean;
  readonly remoteAddress: string;
  readonly number: SessionNumber;
  readonly front: FanoutTarget;
  /** Inputs that the sequencer has and that are not answered yet. */
  unanswered = 0;

  constructor(
    front: FanoutTarget,
    { number, id, isExtended, remoteAddress }: Pick<
      RemoteSession,
      "number" | "id" | "isExtended" | "remoteAddress"
    >,
  ) {
    this.front = front;
    this.number = number;
    this.id = id;
    this.isExtended = isExtended;
    this.remoteAddress = remoteAddress;
  }

  deliver({ text }: OutgoingFrame): void {
    this.front.told.push(Downlink.one, this.number, text);
  }

  receive(): void {}

  flush(): void {}

  settled(): void {
    this.unanswered--;
    this.front.told.push(Downlink.settled, this.number);
  }

  joined(): void {
    this.front.told.push(Downlink.joined, this.number);
  }

  end(cause: CloseCause): void {
    this.front.told.push(Downlink.end, this.number, placeOf(cause));
  }
}

/**
 * A session that is on another thread's front, as the sequencer sees it: what it is told goes into what the turn tells that
 * front. What everyone is told it hears there, chat/gateway/threads/thread_fanout.ts.
 *
 * @module
 */
import type { CloseCause } from "../../src/protocol/close_codes.ts";
import type { OutgoingFrame } from "../delivery/frame.ts";
import type { Participant } from "../delivery/participant.ts";
import type { SessionId } from "../room/room.ts";
import type { FanoutTarget } from "../gateway/threads/thread_fanout.ts";
import { Downlink, placeOf, type SessionNumber } from "../gateway/threads/messages.ts";

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

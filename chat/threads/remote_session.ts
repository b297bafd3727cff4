/**
 * A session that is on another thread's front, as the hub sees it: what it is told goes into what the turn tells that
 * front. What everyone is told it hears there, chat/gateway/threads/thread_fanout.ts.
 *
 * @module
 */
import type { CloseCause } from "../../src/protocol/close_codes.ts";
import type { OutgoingFrame } from "../delivery/frame.ts";
import type { Participant } from "../delivery/participant.ts";
import type { SessionId } from "../room/room.ts";
import type { Hall } from "../gateway/threads/thread_fanout.ts";
import { placeOf, type SessionNumber, TELL } from "../gateway/threads/messages.ts";

export class RemoteSession implements Participant {
  id: SessionId;
  readonly isLive: boolean;
  readonly remoteAddress: string;
  readonly number: SessionNumber;
  readonly front: Hall;
  /** Inputs that the hub has and that are not answered yet. */
  unanswered = 0;

  constructor(
    front: Hall,
    { number, id, isLive, remoteAddress }: Pick<RemoteSession, "number" | "id" | "isLive" | "remoteAddress">,
  ) {
    this.front = front;
    this.number = number;
    this.id = id;
    this.isLive = isLive;
    this.remoteAddress = remoteAddress;
  }

  deliver({ text }: OutgoingFrame): void {
    this.front.told.push(TELL.one, this.number, text);
  }

  hear(): void {}

  flush(): void {}

  settled(): void {
    this.unanswered--;
    this.front.told.push(TELL.settled, this.number);
  }

  joined(): void {
    this.front.told.push(TELL.joined, this.number);
  }

  end(cause: CloseCause): void {
    this.front.told.push(TELL.end, this.number, placeOf(cause));
  }
}

/**
 * What the order needs of whoever takes part in it: a session, one that is held, or the server itself. Not a socket.
 *
 * @module
 */
import type { Input } from "../room/decision.ts";
import type { SessionId } from "../room/roster.ts";
import type { CloseCause } from "../../src/protocol/close_codes.ts";
import type { OutgoingFrame } from "./frame.ts";
import type { TurnFrames } from "./turn_frames.ts";

/** What the sequencer needs of a session. None of it throws, and none of it waits. */
export interface Participant {
  /** The session that it is. The sequencer gives it another when it resumes one, §12.3. */
  id: SessionId;
  /** The peer's IP address, which bans may name. */
  readonly remoteAddress: string;
  /** Whether it is of the extended mode. */
  readonly isExtended: boolean;
  deliver(frame: OutgoingFrame): void;
  /** Takes what everyone was told in this turn, from the `from`th on. */
  receive(broadcasts: TurnFrames, from: number): void;
  /** Everything that it was given is to go on its way. */
  flush(): void;
  /** One submitted input has been dealt with, its answer was delivered. */
  settled(): void;
  /** It is in the room now. */
  joined(): void;
  end(cause: CloseCause): void;
}

export interface Submission {
  readonly participant: Participant;
  readonly input: Input;
}

/**
 * A participant as the sequencer sees it: a session, a held session, or the server itself. It is not a socket.
 *
 * @module
 */
import type { Decision, Input } from "../room/decision.ts";
import type { SessionId } from "../room/roster.ts";
import type { Outbox } from "./outbox.ts";

/** The frames of one connection. Its methods neither throw nor wait. */
export type OutboxPort = Pick<Outbox, "push" | "pushTurn" | "flush" | "close">;

/** Its methods neither throw nor wait. */
export interface Participant {
  /** Its own id from the start. After a resume it acts for another session, §12.3. */
  readonly id: SessionId;
  /** The peer's IP address, for bans; empty if unknown. */
  readonly remoteAddress: string;
  readonly isExtended: boolean;
  /** Undefined for a participant without a connection. */
  readonly outbox: OutboxPort | undefined;
  /** One of its inputs was decided, and the answer is in its outbox. */
  settled(): void;
  /** It is in the room now. */
  joined(): void;
}

/** An input on its way through the sequencer. */
export interface Submission {
  readonly participant: Participant;
  readonly input: Input;
  /** Called with the decision. */
  readonly decided?: ((decision: Decision) => void) | undefined;
}

/**
 * Who takes part in the order, as the order sees it: a session, one that is held, or the server itself. Not a socket.
 *
 * @module
 */
import type { Decision, Input } from "../room/decision.ts";
import type { SessionId } from "../room/roster.ts";
import type { Outbox } from "./outbox.ts";

/** Where the frames of one connection go. Its methods neither throw nor wait. */
export type OutboxPort = Pick<Outbox, "push" | "pushTurn" | "flush" | "close">;

/** Its methods neither throw nor wait. */
export interface Participant {
  /** Its own from the start. The session that it is may be another, once it has resumed one, §12.3. */
  readonly id: SessionId;
  /** The peer's IP address, which bans may name; empty where it is unknown. */
  readonly remoteAddress: string;
  /** Whether it is of the extended mode. */
  readonly isExtended: boolean;
  /** Undefined where nobody reads. */
  readonly outbox: OutboxPort | undefined;
  /** One of its inputs was decided, and the answer is in its outbox. */
  settled(): void;
  /** It is in the room now. */
  joined(): void;
}

/** An input on its way through the order. */
export interface Submission {
  readonly participant: Participant;
  readonly input: Input;
  /** Called with what was decided, when the outcome is known. */
  readonly decided?: ((decision: Decision) => void) | undefined;
}

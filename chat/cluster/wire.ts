/**
 * The port to the messages between nodes. They may be lost, doubled or out of order: whatever must arrive is in the log,
 * or is sent again.
 *
 * @module
 */
import type { InputMessage } from "./inputs.ts";
import type { Beat } from "./member.ts";

/** A beat with what it says of the node to people. */
export interface NodeBeat extends Beat {
  /** `--cluster-node`. */
  readonly node: string;
  /** The hash of the record that it applied last. */
  readonly hash: string;
  readonly version: string;
}

export interface WireListener {
  readonly inputs: (message: InputMessage) => void;
  readonly beat: (beat: NodeBeat) => void;
}

export interface ClusterWire {
  /** Receives the inputs for this node, and the beats of all. Returns what ends it. */
  listen(node: string, listener: WireListener): () => void;
  send(to: string, message: InputMessage): void;
  beat(beat: NodeBeat): void;
  /** Sends what matters for a moment only: to all nodes, this one included. */
  aside(notice: TypingNotice): void;
  listenAside(on: (notice: TypingNotice) => void): () => void;
  /** Answers requests for a copy, one at a time: `subject` is `copy` for all, or of one node. */
  answerCopies(subject: string, answer: (request: unknown) => Promise<unknown>): () => void;
  /** Rejects if no node answers in time. */
  askForCopy(subject: string, request: unknown): Promise<unknown>;
}

/** A user of a node types, which the other nodes show. */
export interface TypingNotice {
  readonly node: string;
  readonly username: string;
}

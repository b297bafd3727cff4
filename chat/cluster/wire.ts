/**
 * The port to the messages between nodes. They may be lost, doubled or out of order: whatever must arrive is in the log,
 * or is sent again.
 *
 * @module
 */
import type { InputMessage } from "./inputs.ts";
import type { Beat } from "./member.ts";

export interface WireListener {
  readonly inputs: (message: InputMessage) => void;
  readonly beat: (beat: Beat) => void;
}

export interface ClusterWire {
  /** Receives the inputs for this node, and the beats of all. */
  listen(node: string, listener: WireListener): void;
  send(to: string, message: InputMessage): void;
  beat(beat: Beat): void;
}

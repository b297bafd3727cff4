/**
 * A node's start: the room's state as of a checkpoint, made from stored messages and from the records before the
 * checkpoint, whose broadcasts sessions that resume may lack. Pure.
 *
 * @module
 */
import type { History } from "../../room/history.ts";
import { REPLAY_BUFFER_MAX, ReplayBuffer } from "../../room/replay_buffer.ts";
import { RoomState } from "../../room/room_state.ts";
import type { ServerIdentity } from "../../room/effects.ts";
import type { LogEntry } from "../log.ts";
import { decodeRecord, FIRST_HASH, hashOf, isRecord } from "../record.ts";
import { type Checkpoint, LogForked } from "../replica.ts";

/** Records that are read before a checkpoint: nearly each has a broadcast. */
export const EARLIER_RECORDS = REPLAY_BUFFER_MAX;
/** The position before the first broadcast of a cluster. */
const FIRST_POSITION = REPLAY_BUFFER_MAX;

export interface RestoredParts {
  readonly checkpoint: Checkpoint | undefined;
  /** Records in order, the last of which is that of the checkpoint; none if the log no longer has it. */
  readonly earlier: readonly LogEntry[];
  /** As the store has it: at the checkpoint, or later. */
  readonly history: History;
  readonly identity: ServerIdentity;
  readonly replayBytesMax: () => number;
}

/** Throws LogForked if the log has another past than the checkpoint. */
export function restoredState(
  { checkpoint, earlier, history, identity, replayBytesMax }: RestoredParts,
): RoomState {
  const records = earlier.filter(({ bytes }) => isRecord(bytes));
  const newest = records.at(-1);
  if (newest !== undefined && hashOf(newest.bytes) !== (checkpoint?.hash ?? FIRST_HASH)) {
    throw new LogForked(`Record ${newest.number} of the log is not the one that this node has applied`);
  }
  const turns = records.map(({ bytes }) => decodeRecord(bytes)).filter((record) => record.kind === "turn");
  const position = checkpoint?.position ?? FIRST_POSITION;
  const replayBuffer = replayBufferAfter(turns[0]?.position ?? position, replayBytesMax);
  const state = new RoomState({ history, replayBuffer, identity });
  for (const { decided } of turns) {
    for (const { decision } of decided) {
      state.settle([decision]);
      state.follow(decision, [], undefined, false);
    }
  }
  if (state.position !== position) {
    throw new LogForked(`The log's broadcasts end at ${state.position}, and this node's at ${position}`);
  }
  return state;
}

/** An empty buffer whose next broadcast follows `position`; nothing before that can be replayed. */
function replayBufferAfter(position: number, replayBytesMax: () => number): ReplayBuffer {
  return new ReplayBuffer({
    ...{ reservedFrom: position - REPLAY_BUFFER_MAX, earlier: [], earlierFrom: Infinity },
    replayBytesMax,
    // The log counts positions without an end.
    reserve: () => {},
  });
}

/**
 * The newest broadcasts in their order, numbered, for those who come back: what a session that resumes has missed,
 * PROTOCOL.md §12.3.
 *
 * Pure, and no history: it holds joins and departures as well as messages, as they were told, for some minutes of
 * talk. Who may read on from where is the room's to judge.
 *
 * @module
 */
import { encodeServerFrame } from "../../src/protocol/codec.ts";
import { APPEND_ENTRIES_MAX, APPEND_TEXT_MAX, type StoredMessage } from "./message.ts";

/** Broadcasts that are held, some 200 bytes each beside their text: two minutes at 90 a second. */
export const REPLAY_BUFFER_MAX = 11_000;
/** Broadcasts that may be replayed to one session: those that are held whatever the batch brings that it is part of. */
export const REPLAY_BROADCASTS_MAX = REPLAY_BUFFER_MAX - 2 * APPEND_ENTRIES_MAX;
/** Bytes that one batch of the sequencer can broadcast: what is to be replayed must outlast the batch that it is part of. */
const BATCH_BYTES_MAX = 3 * APPEND_TEXT_MAX + 512 * APPEND_ENTRIES_MAX;

/**
 * Positions that are reserved at a time, at the start of a run and whenever they run short. Positions of different
 * runs never meet, so that a position says which run it is of; 2^53 of them are enough for 500 million starts.
 */
export const RESERVED_POSITIONS = 2 ** 24;

/**
 * A broadcast, with the bytes that it had as a frame. Of a message the message itself: history has it anyway, and a
 * frame that outlives its turn costs as much again for each until V8 looks through its old generation.
 */
export interface Broadcast {
  readonly bytes: number;
  readonly told: string | Pick<StoredMessage, "username" | "timestamp" | "uuid" | "text">;
}

/** A broadcast of a message in an earlier run of the server, by the position that it had there. */
export interface EarlierBroadcast {
  readonly position: number;
  readonly broadcast: Broadcast;
}

export interface ReplayBufferOptions {
  /** The first of the positions that this run has reserved, a multiple of RESERVED_POSITIONS. */
  readonly reservedFrom: number;
  /** Bytes that may be replayed to one session. */
  readonly replayBytesMax: () => number;
  /** What earlier runs told and kept, in order. */
  readonly earlier: readonly EarlierBroadcast[];
  /** Every message that earlier runs told at this position or a later one is in `earlier`. */
  readonly earlierFrom: number;
  /** Called when the positions up to here, exclusive, are to be reserved, long before they are used. */
  readonly reserve: (upTo: number) => void;
}

export class ReplayBuffer {
  readonly #options: ReplayBufferOptions;
  /** In order, the last at `#position`. What was let go of is undefined, and taken out now and then. */
  #broadcasts: (Broadcast | undefined)[] = [];
  /** Bytes of all frames from the first ever to this one. */
  #totals: number[] = [];
  /** How many at the beginning were let go of. */
  #gone = 0;
  #goneTotal = 0;
  #position: number;
  #reservedUpTo: number;
  /** Positions in earlier runs of those frames that are from there, by their positions now. */
  readonly #earlierPositions = new Map<number, number>();
  #earlierFrom: number;
  /** The position at which this run began: those of earlier runs are numbered anew up to it. */
  readonly #startedAt: number;

  constructor(options: ReplayBufferOptions) {
    this.#options = options;
    const { earlier, earlierFrom, reservedFrom } = options;
    this.#startedAt = reservedFrom + REPLAY_BUFFER_MAX;
    this.#reservedUpTo = reservedFrom + RESERVED_POSITIONS;
    this.#earlierFrom = earlierFrom;
    const kept = earlier.slice(-REPLAY_BUFFER_MAX);
    if (kept.length < earlier.length) this.#earlierFrom = earlier.at(-kept.length - 1)!.position + 1;
    this.#position = this.#startedAt - kept.length;
    for (const { position, broadcast } of kept) {
      this.#earlierPositions.set(this.#position + 1, position);
      this.push(broadcast);
    }
  }

  /** The position of the newest broadcast. */
  get position(): number {
    return this.#position;
  }

  /** How many broadcasts are held. */
  get size(): number {
    return this.#broadcasts.length - this.#gone;
  }

  /** What was told before this, by its position when it was told, is held no more. */
  get heldFrom(): number {
    const oldest = this.#position - this.size + 1;
    return this.#earlierPositions.get(oldest) ?? Math.max(oldest, this.#startedAt + 1);
  }

  /** Takes in the next broadcast. */
  push(broadcast: Broadcast): void {
    this.#position++;
    this.#broadcasts.push(broadcast);
    this.#totals.push((this.#totals.at(-1) ?? this.#goneTotal) + broadcast.bytes);
    const bytesMax = this.#options.replayBytesMax() + BATCH_BYTES_MAX;
    while (this.size > REPLAY_BUFFER_MAX || this.#totals.at(-1)! - this.#goneTotal > bytesMax) {
      this.#letGo();
    }
    if (this.#position > this.#reservedUpTo - RESERVED_POSITIONS / 2) {
      this.#reservedUpTo += RESERVED_POSITIONS;
      this.#options.reserve(this.#reservedUpTo);
    }
  }

  /** Whether everything after `position` is held, and little enough to be replayed to one session. */
  canReplay(position: number): boolean {
    const start = this.#indexAfter(position);
    if (start === undefined) return false;
    const count = this.#broadcasts.length - start;
    const bytes = count === 0 ? 0 : this.#totals.at(-1)! - this.#totalBefore(start);
    return count <= REPLAY_BROADCASTS_MAX && bytes <= this.#options.replayBytesMax();
  }

  /** The frames of what was broadcast after `position`, in order; undefined where that is not held any more. */
  after(position: number): readonly string[] | undefined {
    const start = this.#indexAfter(position);
    return start === undefined ? undefined : this.#broadcasts.slice(start).map((one) => frameOf(one!));
  }

  #letGo(): void {
    const position = this.#position - this.size + 1;
    const earlier = this.#earlierPositions.get(position);
    if (earlier !== undefined) {
      this.#earlierPositions.delete(position);
      this.#earlierFrom = earlier + 1;
    }
    this.#broadcasts[this.#gone] = undefined;
    this.#goneTotal = this.#totals[this.#gone]!;
    this.#gone++;
    // Taken out by the half, so that each broadcast is moved once at the most.
    if (this.#gone < 1024 || this.#gone < this.#broadcasts.length / 2) return;
    this.#broadcasts = this.#broadcasts.slice(this.#gone);
    this.#totals = this.#totals.slice(this.#gone);
    this.#gone = 0;
  }

  #totalBefore(index: number): number {
    return index === this.#gone ? this.#goneTotal : this.#totals[index - 1]!;
  }

  /** Where what follows a position begins in `#broadcasts`; undefined where not all of it is there. */
  #indexAfter(position: number): number | undefined {
    if (position < this.#options.reservedFrom) return this.#indexAfterEarlier(position);
    const index = this.#broadcasts.length - (this.#position - position);
    return index >= this.#gone && index <= this.#broadcasts.length ? index : undefined;
  }

  #indexAfterEarlier(position: number): number | undefined {
    // A client that was lost again in the middle of a replay: that run had numbered anew what it replayed. A run that
    // reserved more than once has such positions that mean something else, and is refused for nothing.
    if (position % RESERVED_POSITIONS < REPLAY_BUFFER_MAX) return undefined;
    if (position < this.#earlierFrom - 1) return undefined;
    // All of it was told after that: in order of insertion, which is that of the broadcasts.
    for (const [now, earlier] of this.#earlierPositions) {
      if (earlier > position) return this.#broadcasts.length - 1 - (this.#position - now);
    }
    const index = this.#broadcasts.length - (this.#position - this.#startedAt);
    return index >= this.#gone ? index : undefined;
  }
}

function frameOf({ told }: Broadcast): string {
  if (typeof told === "string") return told;
  const { username, timestamp, uuid, text } = told;
  return encodeServerFrame({ type: "MSG", username, timestamp, uuid, text });
}

/**
 * The replay buffer: the newest broadcasts with their positions, sent to a session that resumes, PROTOCOL.md §12.3.
 * Pure, and no history: it holds joins and departures too, for a few minutes. The room decides whether a session may
 * resume.
 *
 * @module
 */
import { encodeServerFrame } from "../../src/protocol/codec.ts";
import { type Frame, toFrame } from "./frame.ts";
import { APPEND_ENTRIES_MAX, APPEND_TEXT_MAX, type StoredMessage } from "./message.ts";

/** Broadcasts held, some 200 bytes each beside their text: two minutes at 90 a second. */
export const REPLAY_BUFFER_MAX = 11_000;
/** Broadcasts replayed to one session. The rest is a margin for the other broadcasts of the same batch. */
export const REPLAY_BROADCASTS_MAX = REPLAY_BUFFER_MAX - 2 * APPEND_ENTRIES_MAX;
/** Bytes that one batch can broadcast: the same margin for the size of the buffer. */
const BATCH_BYTES_MAX = 3 * APPEND_TEXT_MAX + 512 * APPEND_ENTRIES_MAX;

/** Positions reserved in the store at a time. A position identifies its run; 2^53 suffice for 500 million starts. */
export const RESERVED_POSITIONS = 2 ** 24;

/** A broadcast and its frame's size. A message is not kept as a frame: long-lived frames fill V8's old generation. */
export interface Broadcast {
  readonly bytes: number;
  readonly content: string | Pick<StoredMessage, "username" | "timestamp" | "uuid" | "text">;
}

/** A message broadcast in an earlier run, with its position in that run. */
export interface EarlierBroadcast {
  readonly position: number;
  readonly broadcast: Broadcast;
}

/** What is sent to a session that missed everything from the index `start` on, or from a later one. */
interface Replay {
  readonly start: number;
  readonly broadcasts: readonly Broadcast[];
  /** For each broadcast, the bytes of it and of all after it. */
  readonly bytes: readonly number[];
  /** Made for the first session, and shared. */
  frames: readonly Frame[] | undefined;
}

/** What a session has missed: the frames from index `from` on. Sessions that missed more or less share the array. */
export interface Missed {
  readonly frames: readonly Frame[];
  readonly from: number;
}

export type ReplayRefusal = "RESUME_POSITION" | "RESUME_TOO_MUCH";

export interface ReplayBufferOptions {
  /** The first position reserved for this run, a multiple of RESERVED_POSITIONS. */
  readonly reservedFrom: number;
  /** Bytes that may be replayed to one session. */
  readonly replayBytesMax: () => number;
  /** Stored broadcasts of earlier runs, in order. */
  readonly earlier: readonly EarlierBroadcast[];
  /** `earlier` has every message of earlier runs from this position on. */
  readonly earlierFrom: number;
  /** Reserves positions up to `upTo`, exclusive, long before they are used. */
  readonly reserve: (upTo: number) => void;
}

export class ReplayBuffer {
  readonly #options: ReplayBufferOptions;
  /** In order, the last at `#position`. The first `#gone` are undefined until the array is cut. */
  #broadcasts: (Broadcast | undefined)[] = [];
  /** For each entry, the bytes of all frames up to and including it. */
  #totals: number[] = [];
  #gone = 0;
  #goneTotal = 0;
  /** The longest replay: after a restart all sessions miss nearly the same broadcasts. Kept until the next broadcast. */
  #replay: Replay | undefined;
  #position: number;
  #reservedUpTo: number;
  /** For broadcasts from earlier runs: position in this run to original position. */
  readonly #earlierPositions = new Map<number, number>();
  #earlierFrom: number;
  /** The last position before this run's first broadcast. Broadcasts of earlier runs get new positions up to it. */
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

  get position(): number {
    return this.#position;
  }

  get size(): number {
    return this.#broadcasts.length - this.#gone;
  }

  /** The oldest position that can be replayed, as it was when it was broadcast. */
  get heldFrom(): number {
    const oldest = this.#position - this.size + 1;
    return this.#earlierPositions.get(oldest) ?? Math.max(oldest, this.#startedAt + 1);
  }

  push(broadcast: Broadcast): void {
    this.#replay = undefined;
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

  /**
   * Why a session that began at position `first` is not sent everything after `position`; undefined if it is. A
   * position is the client's word: nothing up to `first` is replayed, in whichever run it was broadcast.
   */
  refusal(position: number, first: number): ReplayRefusal | undefined {
    if (position < first || position > this.#position) return "RESUME_POSITION";
    const start = this.#indexAfter(position);
    if (start === undefined) return "RESUME_TOO_MUCH";
    const count = this.#broadcasts.length - start;
    if (count === 0) return undefined;
    const now = this.#position - count + 1;
    if ((this.#earlierPositions.get(now) ?? now) <= first) return "RESUME_POSITION";
    if (count > REPLAY_BROADCASTS_MAX) return "RESUME_TOO_MUCH";
    const { bytes, start: longest } = this.#replayFrom(start);
    return bytes[start - longest]! > this.#options.replayBytesMax() ? "RESUME_TOO_MUCH" : undefined;
  }

  /** How many broadcasts `after` returns at most, also for a position of an earlier run. */
  missedAfter(position: number): number {
    return Math.min(this.size, Math.max(0, this.#position - position));
  }

  /** Whether all broadcasts after `position` are of this run: none of those is lost that are not stored. */
  isOfThisRun(position: number): boolean {
    return position >= this.#options.reservedFrom;
  }

  holdsAfter(position: number): boolean {
    return this.#indexAfter(position) !== undefined;
  }

  /**
   * The frames broadcast after `position`, in order; undefined if some are no longer held. A message that was changed
   * or deleted since has its present name and text at each of its positions.
   */
  after(position: number): Missed | undefined {
    const start = this.#indexAfter(position);
    if (start === undefined) return undefined;
    const replay = this.#replayFrom(start);
    return { frames: replay.frames ??= replay.broadcasts.map(frameOf), from: start - replay.start };
  }

  #replayFrom(start: number): Replay {
    const known = this.#replay;
    if (known !== undefined && known.start <= start) return known;
    // At least twice as long as before: sessions that each missed one more cost no more than the one that missed most.
    const from = known === undefined ? start : Math.min(start, 2 * known.start - this.#broadcasts.length);
    const broadcasts = this.#asNow(Math.max(this.#gone, from));
    const bytes: number[] = [];
    for (let i = broadcasts.length - 1; i >= 0; i--) bytes[i] = (bytes[i + 1] ?? 0) + broadcasts[i]!.bytes;
    return this.#replay = {
      start: this.#broadcasts.length - broadcasts.length,
      broadcasts,
      bytes,
      frames: undefined,
    };
  }

  /** The broadcasts from `start` on, each message as its newest broadcast has it, which is held if any other is. */
  #asNow(start: number): readonly Broadcast[] {
    const newest = new Map<string, Broadcast>();
    const broadcasts = this.#broadcasts.slice(start) as Broadcast[];
    for (let i = broadcasts.length - 1; i >= 0; i--) {
      const { content } = broadcasts[i]!;
      if (typeof content === "string") continue;
      const present = newest.get(content.uuid);
      if (present === undefined) newest.set(content.uuid, broadcasts[i]!);
      else broadcasts[i] = present;
    }
    return broadcasts;
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
    // Cut at half, so that each broadcast is moved at most once.
    if (this.#gone < 1024 || this.#gone < this.#broadcasts.length / 2) return;
    this.#broadcasts = this.#broadcasts.slice(this.#gone);
    this.#totals = this.#totals.slice(this.#gone);
    this.#gone = 0;
  }

  /** The index of the first entry after `position`; undefined if some of those entries are no longer held. */
  #indexAfter(position: number): number | undefined {
    if (position < this.#options.reservedFrom) return this.#indexAfterEarlier(position);
    const index = this.#broadcasts.length - (this.#position - position);
    return index >= this.#gone && index <= this.#broadcasts.length ? index : undefined;
  }

  #indexAfterEarlier(position: number): number | undefined {
    // Below REPLAY_BUFFER_MAX a position was one that the earlier run gave to broadcasts of a run before it: the
    // client was lost again during its replay. A run that reserved twice also used such positions itself; those
    // clients are refused needlessly.
    if (position % RESERVED_POSITIONS < REPLAY_BUFFER_MAX) return undefined;
    if (position < this.#earlierFrom - 1) return undefined;
    // The map is in order of insertion, which is the order of the broadcasts.
    for (const [now, earlier] of this.#earlierPositions) {
      if (earlier > position) return this.#broadcasts.length - 1 - (this.#position - now);
    }
    const index = this.#broadcasts.length - (this.#position - this.#startedAt);
    return index >= this.#gone ? index : undefined;
  }
}

function frameOf({ content }: Broadcast): Frame {
  if (typeof content === "string") return toFrame(content);
  const { username, timestamp, uuid, text } = content;
  return toFrame(encodeServerFrame({ type: "MSG", username, timestamp, uuid, text }));
}

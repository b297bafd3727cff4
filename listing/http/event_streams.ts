/**
 * Server-sent events of the list, PROTOCOL.md §9.11: admits streams and decides what each is sent and when. It knows
 * nothing about HTTP.
 *
 * A stream holds a position in `ChangeLog` and no queue. Its next events are made when it can take more, once for all
 * streams at the same position. The event streams of hono and @std queue for each reader and encode for each reader,
 * so they are not used.
 *
 * @module
 */
import { isLoopback } from "../../src/address.ts";
import type { NowMs } from "../../src/clock.ts";
import { logger } from "../../src/logging/log.ts";
import { type ListingLimits, NETWORKS_PER_SITE } from "../../src/announcement/listing_limits.ts";
import type { ChangeLog, Events } from "../list/change_log.ts";
import { OriginCounts } from "../origin_counts.ts";
import { isRefusal, type Refusal, refuse } from "../refusals.ts";

/** Characters of events handed to one connection at once; the last event may exceed it. */
export const PIECE_CHARS = 65_536;
/** Milliseconds between two ticks. */
export const TICK_MS = 250;
/** Milliseconds between two rounds of events, at least: a server appears at most once in each. */
export const NOTIFY_MS = 500;
/** Sustained changes per second. After a burst the next notification waits longer and reports the state at that time. */
export const CHANGES_PER_SECOND = 200;
/** Seconds between two comments on a quiet stream: proxies close connections that are silent for 30 s or 60 s. */
export const KEEP_ALIVE_SECONDS = 15;
/** Seconds that a reader may take nothing while events wait for it; then the stream ends. */
export const STALLED_SECONDS_MAX = 60;
/** Milliseconds after which a browser reconnects when its stream has ended. */
export const RETRY_MS = 2000;
/** Pieces kept for streams at the same position; most streams are at the last one. */
const PIECES_KEPT = 16;

const log = logger("listing");

export interface EventStreamsParts {
  readonly changes: ChangeLog;
  /** Reads the writes of other processes. */
  readonly refresh: () => Promise<void>;
  readonly limits: Pick<ListingLimits, "maxEventStreams" | "maxEventStreamsPerOrigin">;
  readonly steadyClock: NowMs;
  /** Milliseconds between two ticks; tests tick themselves. */
  readonly tickMs?: number;
}

interface Piece {
  readonly bytes: Uint8Array<ArrayBuffer>;
  readonly next: number;
}

interface Stream {
  /** All changes up to this one were handed over. */
  seq: number;
  /** The reader's position is unknown, so it must fetch the list first. */
  isLost: boolean;
  readonly controller: ReadableStreamDefaultController<Uint8Array>;
  /** Delivers the next bytes to a waiting reader; undefined while the reader has not taken the previous ones. */
  wake: ((bytes: Uint8Array<ArrayBuffer>) => void) | undefined;
  /** Time of the last hand-over. */
  handedMs: number;
  readonly end: () => void;
}

export class EventStreams {
  readonly #parts: EventStreamsParts;
  readonly #streams = new Set<Stream>();
  readonly #perOrigin = new OriginCounts();
  readonly #pieces = new Map<number, Piece>();
  #timer: ReturnType<typeof setInterval> | undefined;
  #notifyMs = -Infinity;

  constructor(parts: EventStreamsParts) {
    this.#parts = parts;
  }

  get size(): number {
    return this.#streams.size;
  }

  /**
   * Opens a stream for `origin` of the events after `lastEventId`. Its first event is `reset` if there is no id or
   * the id is unknown. Nothing is queued for a slow reader.
   */
  open(origin: string, lastEventId: string | undefined): ReadableStream<Uint8Array> | Refusal {
    const entered = this.#admit(origin);
    if (isRefusal(entered)) return entered;
    const { changes, steadyClock } = this.#parts;
    const seq = lastEventId === undefined ? undefined : changes.readPosition(lastEventId);
    let stream: Stream;
    let isOpening = true;
    return new ReadableStream<Uint8Array>({
      start: (controller) => {
        const end = () => {
          if (!this.#streams.delete(stream)) return;
          entered.leave();
          if (this.#streams.size === 0) this.#stopTicking();
        };
        const isLost = seq === undefined;
        const handedMs = steadyClock();
        stream = { seq: seq ?? changes.seq, isLost, controller, wake: undefined, handedMs, end };
        this.#streams.add(stream);
        this.#timer ??= setInterval(() => this.tick(), this.#parts.tickMs ?? TICK_MS);
      },
      pull: (controller) => {
        stream.handedMs = steadyClock();
        // At once, so that the response head leaves.
        const bytes = isOpening
          ? encode(`retry: ${RETRY_MS}\n\n`)
          : this.#fenced(stream, () => this.#next(stream));
        isOpening = false;
        if (bytes !== undefined) return controller.enqueue(bytes);
        return new Promise<void>((resolve) => {
          stream.wake = (bytes) => {
            stream.wake = undefined;
            stream.handedMs = steadyClock();
            controller.enqueue(bytes);
            resolve();
          };
        });
      },
      cancel: () => stream.end(),
    }, { highWaterMark: 0 });
  }

  /** Numbers pending changes while no stream is open, so that a later stream does not repeat them. */
  catchUp(): void {
    if (this.#streams.size === 0 && this.#parts.changes.isUnnumbered) this.#parts.changes.numberNoted();
  }

  /** Sends what is due; runs every `TICK_MS` while a stream is open. */
  tick(): void {
    const { changes, refresh, steadyClock } = this.#parts;
    const nowMs = steadyClock();
    // It reads the store at most once per second and logs failures itself.
    refresh().catch(() => {});
    if (changes.isUnnumbered && nowMs >= this.#notifyMs) {
      const numbered = changes.numberNoted();
      this.#notifyMs = nowMs + Math.max(NOTIFY_MS, numbered / CHANGES_PER_SECOND * 1000);
    }
    this.#pieces.clear();
    for (const stream of [...this.#streams]) this.#fenced(stream, () => this.#serve(stream, nowMs));
  }

  close(): void {
    for (const { controller, end } of [...this.#streams]) {
      end();
      controller.close();
    }
  }

  /** The fence of this entry point: a bug ends one stream, and its client reconnects. */
  #fenced<T>(stream: Stream, act: () => T): T | undefined {
    try {
      return act();
    } catch (error) {
      log.error("bug", { where: "events", error });
      stream.end();
      stream.controller.error(new Error("the events could not be sent"));
      return undefined;
    }
  }

  #serve(stream: Stream, nowMs: number): void {
    const quietMs = nowMs - stream.handedMs;
    if (stream.wake === undefined) {
      if (quietMs < STALLED_SECONDS_MAX * 1000) return;
      stream.end();
      stream.controller.error(new Error("the events were not read in time"));
      return;
    }
    const bytes = this.#next(stream);
    if (bytes !== undefined) stream.wake(bytes);
    else if (quietMs >= KEEP_ALIVE_SECONDS * 1000) stream.wake(KEEP_ALIVE);
  }

  #next(stream: Stream): Uint8Array<ArrayBuffer> | undefined {
    const { changes } = this.#parts;
    const piece = stream.isLost ? encodePiece(changes.resetEvent()) : this.#pieceAfter(stream.seq);
    if (piece === undefined) return undefined;
    stream.isLost = false;
    stream.seq = piece.next;
    return piece.bytes;
  }

  #pieceAfter(seq: number): Piece | undefined {
    const kept = this.#pieces.get(seq);
    if (kept !== undefined) return kept;
    const events = this.#parts.changes.eventsAfter(seq, PIECE_CHARS);
    if (events === undefined) return undefined;
    const piece = encodePiece(events);
    if (this.#pieces.size >= PIECES_KEPT) this.#pieces.clear();
    this.#pieces.set(seq, piece);
    return piece;
  }

  #stopTicking(): void {
    clearInterval(this.#timer);
    this.#timer = undefined;
    this.#pieces.clear();
  }

  #admit(origin: string): Refusal | { readonly leave: () => void } {
    const { maxEventStreams, maxEventStreamsPerOrigin } = this.#parts.limits;
    const isLimited = !isLoopback(origin);
    const { block, site } = this.#perOrigin.of(origin);
    const isOver = block >= maxEventStreamsPerOrigin || site >= maxEventStreamsPerOrigin * NETWORKS_PER_SITE;
    if (isLimited && isOver) return refuse("TOO_MANY_STREAMS", maxEventStreamsPerOrigin);
    if (this.#streams.size >= maxEventStreams) return refuse("STREAMS_FULL", maxEventStreams);
    return { leave: this.#perOrigin.hold(origin) };
  }
}

const KEEP_ALIVE = encode(":\n\n");

function encodePiece({ text, next }: Events): Piece {
  return { bytes: encode(text), next };
}

function encode(text: string): Uint8Array<ArrayBuffer> {
  return new TextEncoder().encode(text);
}

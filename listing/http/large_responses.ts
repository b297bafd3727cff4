/**
 * Sends large answers in pieces within a time limit, and bounds the bytes of answers made for one request,
 * PROTOCOL.md §9.10. Without it, the runtime copies a whole answer per connection and waits forever for the reader:
 * some hundred readers of a 2 MB list that never read used up all memory.
 *
 * @module
 */
import { OriginCounts } from "../origin_counts.ts";

/** Bytes handed to one connection at once; a smaller answer is sent whole. */
export const PIECE_BYTES = 65_536;
/**
 * Bytes up to which a larger answer may still be sent whole: pieces double the cost of a request. A list of 10,000
 * servers has 1.7 MB.
 */
export const WHOLE_BYTES_MAX = 2_097_152;
/** Bytes of such answers in flight for all origins; above it answers go in pieces. */
export const WHOLE_UNDER_WAY_MAX = 33_554_432;
/** Bytes of such answers in flight for one origin, so that one that never reads cannot use up the total. */
export const WHOLE_UNDER_WAY_PER_ORIGIN_MAX = 8_388_608;
/** Seconds from the first piece to the last: a list of 10,000 servers then needs 32 KB per second. */
export const SEND_SECONDS_MAX = 60;
/** Bytes in flight of answers made for one request, for all origins. */
export const MADE_BYTES_MAX = 67_108_864;
/** The same for one origin. */
export const MADE_BYTES_PER_ORIGIN_MAX = 16_777_216;
/** The same for a whole site. */
export const MADE_BYTES_PER_SITE_MAX = MADE_BYTES_MAX / 2;

export class LargeResponses {
  readonly #made = new HeldBytes();
  readonly #whole = new HeldBytes();
  readonly #open = new Set<() => void>();

  /** Large answers in flight. */
  get size(): number {
    return this.#open.size;
  }

  /** Whether an answer may be made for `origin` now. One answer fits, however large. */
  hasRoomFor(origin: string): boolean {
    const { block, site } = this.#made.of(origin);
    return block < MADE_BYTES_PER_ORIGIN_MAX && site < MADE_BYTES_PER_SITE_MAX &&
      this.#made.inAll < MADE_BYTES_MAX;
  }

  /** Whether `bytes` may be sent whole now. They count until `sent()` settles, which is called above PIECE_BYTES only. */
  admitWhole(bytes: number, origin: () => string, sent: () => Promise<unknown>): boolean {
    if (bytes <= PIECE_BYTES) return true;
    if (bytes > WHOLE_BYTES_MAX || this.#whole.inAll + bytes > WHOLE_UNDER_WAY_MAX) return false;
    const from = origin();
    if (this.#whole.of(from).block + bytes > WHOLE_UNDER_WAY_PER_ORIGIN_MAX) return false;
    const release = this.#whole.hold(from, bytes);
    sent().then(release, release);
    return true;
  }

  /** A response body of `bytes`. It counts against `origin` until it is sent; undefined marks a shared answer. */
  bodyOf(
    bytes: Uint8Array<ArrayBuffer>,
    origin: string | undefined,
  ): Uint8Array<ArrayBuffer> | ReadableStream {
    if (bytes.length <= PIECE_BYTES) return bytes;
    const release = origin === undefined ? () => {} : this.#made.hold(origin, bytes.length);
    let at = 0;
    let controller: ReadableStreamDefaultController<Uint8Array>;
    const end = () => {
      clearTimeout(timer);
      this.#open.delete(cut);
      release();
    };
    const cut = () => {
      end();
      controller.error(new Error("the answer was not read in time"));
    };
    const timer = setTimeout(cut, SEND_SECONDS_MAX * 1000);
    this.#open.add(cut);
    return new ReadableStream<Uint8Array>({
      start: (given) => {
        controller = given;
      },
      pull: () => {
        controller.enqueue(bytes.subarray(at, at += PIECE_BYTES));
        if (at < bytes.length) return;
        end();
        controller.close();
      },
      cancel: end,
    }, { highWaterMark: 0 });
  }

  close(): void {
    for (const cut of [...this.#open]) cut();
  }
}

/** Bytes in flight by origin and in all. */
class HeldBytes extends OriginCounts {
  inAll = 0;

  override hold(origin: string, bytes: number): () => void {
    const release = super.hold(origin, bytes);
    this.inAll += bytes;
    return () => {
      this.inAll -= bytes;
      release();
    };
  }
}

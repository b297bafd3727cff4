/**
 * Large answers on their way out, PROTOCOL.md §9.10: sent in pieces, for a bounded time, and those that were made
 * for one request bounded in bytes.
 *
 * The runtime copies a whole answer for each connection and waits for its reader for ever: a list of 2 MB times
 * some hundred readers that never read was all of the memory.
 *
 * @module
 */
import { addressBlock } from "../../src/address.ts";

/** Bytes that are handed to one connection at once; what is not larger is sent whole. */
export const PIECE_BYTES = 65_536;
/** Bytes of an answer that, though larger, is handed over whole all the same: pieces cost as much as all else of it. */
export const WHOLE_BYTES_MAX = 524_288;
/** Bytes of such answers that may be under way: from all origins, past which they go in pieces, */
export const WHOLE_UNDER_WAY_MAX = 33_554_432;
/** and to one: who never reads keeps others from it no more than so much. */
export const WHOLE_UNDER_WAY_PER_ORIGIN_MAX = 8_388_608;
/** Seconds from the first piece to the last: a list of 10,000 servers needs 32 KB a second for that. */
export const SEND_SECONDS_MAX = 60;
/** Bytes of answers made for one request that may be under way: from all origins, */
export const MADE_BYTES_MAX = 67_108_864;
/** and from one. */
export const MADE_BYTES_PER_ORIGIN_MAX = 16_777_216;

export class LargeResponses {
  readonly #made = new HeldBytes();
  readonly #whole = new HeldBytes();
  readonly #open = new Set<() => void>();

  /** Large answers that are under way. */
  get size(): number {
    return this.#open.size;
  }

  /** Whether an answer may be made for `origin` now; one at a time always may, however large it is. */
  hasRoomFor(origin: string): boolean {
    return this.#made.by(addressBlock(origin)) < MADE_BYTES_PER_ORIGIN_MAX &&
      this.#made.inAll < MADE_BYTES_MAX;
  }

  /**
   * Whether so many bytes may be handed over whole now. They count as under way until `sent`
   * settles, which is asked for only where they are not few.
   */
  admitWhole(bytes: number, origin: () => string, sent: () => Promise<unknown>): boolean {
    if (bytes <= PIECE_BYTES) return true;
    if (bytes > WHOLE_BYTES_MAX || this.#whole.inAll + bytes > WHOLE_UNDER_WAY_MAX) return false;
    const block = addressBlock(origin());
    if (this.#whole.by(block) + bytes > WHOLE_UNDER_WAY_PER_ORIGIN_MAX) return false;
    const release = this.#whole.hold(block, bytes);
    sent().then(release, release);
    return true;
  }

  /**
   * A body of `bytes`. It counts against `origin`, who had it made, until it is gone; undefined where it is shared.
   */
  bodyOf(
    bytes: Uint8Array<ArrayBuffer>,
    origin: string | undefined,
  ): Uint8Array<ArrayBuffer> | ReadableStream {
    if (bytes.length <= PIECE_BYTES) return bytes;
    const release = origin === undefined ? () => {} : this.#made.hold(addressBlock(origin), bytes.length);
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

  /** Cuts what is still under way. */
  close(): void {
    for (const cut of [...this.#open]) cut();
  }
}

/** Bytes that are held, by address block; who holds none is not here. */
class HeldBytes {
  readonly #by = new Map<string, number>();
  inAll = 0;

  by(block: string): number {
    return this.#by.get(block) ?? 0;
  }

  hold(block: string, bytes: number): () => void {
    this.#by.set(block, this.by(block) + bytes);
    this.inAll += bytes;
    return () => {
      const left = this.by(block) - bytes;
      if (left > 0) this.#by.set(block, left);
      else this.#by.delete(block);
      this.inAll -= bytes;
    };
  }
}

/**
 * Large answers on their way out, PROTOCOL.md §9.10: sent in pieces, for a bounded time, and those that were made
 * for one request bounded in bytes.
 *
 * The runtime copies a whole answer for each connection and waits for its reader for ever: a list of 2 MB times
 * some hundred readers that never read was all of the memory.
 *
 * @module
 */
import { addressBlock } from "../src/address.ts";

/** Bytes that are handed to one connection at once; what is not larger is sent whole. */
export const PIECE_BYTES = 65_536;
/** Seconds from the first piece to the last: a list of 10,000 servers needs 32 KB a second for that. */
export const SEND_SECONDS_MAX = 60;
/** Bytes of answers made for one request that may be under way: from all origins, */
export const MADE_BYTES_MAX = 67_108_864;
/** and from one. */
export const MADE_BYTES_PER_ORIGIN_MAX = 16_777_216;

export class Outgoing {
  // By address block; who has nothing under way is not here.
  readonly #made = new Map<string, number>();
  readonly #open = new Set<() => void>();
  #madeInAll = 0;

  /** Large answers that are under way. */
  get size(): number {
    return this.#open.size;
  }

  /** Whether an answer may be made for `origin` now; one at a time always may, however large it is. */
  mayMake(origin: string): boolean {
    const held = this.#made.get(addressBlock(origin)) ?? 0;
    return held < MADE_BYTES_PER_ORIGIN_MAX && this.#madeInAll < MADE_BYTES_MAX;
  }

  /**
   * A body of `bytes`. It counts against `origin`, who had it made, until it is gone; undefined where it is shared.
   */
  body(bytes: Uint8Array<ArrayBuffer>, origin: string | undefined): Uint8Array<ArrayBuffer> | ReadableStream {
    if (bytes.length <= PIECE_BYTES) return bytes;
    const release = origin === undefined ? () => {} : this.#hold(addressBlock(origin), bytes.length);
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

  #hold(block: string, bytes: number): () => void {
    this.#made.set(block, (this.#made.get(block) ?? 0) + bytes);
    this.#madeInAll += bytes;
    return () => {
      const left = (this.#made.get(block) ?? 0) - bytes;
      if (left > 0) this.#made.set(block, left);
      else this.#made.delete(block);
      this.#madeInAll -= bytes;
    };
  }
}

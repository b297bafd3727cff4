/**
 * Closes that a peer which still sends can read: the answer and our end go out, and what the peer has under way is read
 * and dropped. A socket that is closed with unread bytes resets its connection, and the peer may read the reset instead
 * of its answer. It knows no HTTP.
 *
 * @module
 */
import type { Buffer } from "node:buffer";
import type { Socket } from "node:net";
import type { FairReads } from "./fair_reads.ts";

/** Bytes dropped of a socket that closes: more than a body of the admin API, or all cookies of a browser. */
export const LINGER_BYTES_MAX = 2 ** 20;

export class LingeringCloses {
  readonly #fairReads: FairReads;
  readonly #steadyMs: () => number;
  readonly #ms: number;
  /** Since when each waits for its peer, the first first. */
  readonly #sinceMs = new Map<Socket, number>();

  constructor(fairReads: FairReads, steadyMs: () => number, ms: number) {
    this.#fairReads = fairReads;
    this.#steadyMs = steadyMs;
    this.#ms = ms;
  }

  /** Sends `last`, closes our end, and cuts the socket when the peer has closed its end, or at a limit. */
  close(socket: Socket, last?: string): void {
    if (this.#sinceMs.has(socket) || socket.destroyed) return;
    this.#sinceMs.set(socket, this.#steadyMs());
    socket.once("close", () => this.#sinceMs.delete(socket));
    this.#fairReads.of(socket)?.release();
    // Of node:http, whose parser is another connection's by then.
    socket.removeAllListeners("end");
    let left = LINGER_BYTES_MAX;
    socket.on("data", ({ length }: Buffer) => {
      left -= length;
      if (left < 0) socket.destroy();
    });
    if (last !== undefined) socket.write(last);
    socket.end();
    socket.resume();
  }

  /** Call a few times a second: cuts sockets whose peer has not closed its end in time. */
  cutLate(): void {
    const untilMs = this.#steadyMs() - this.#ms;
    for (const [socket, sinceMs] of this.#sinceMs) {
      if (sinceMs > untilMs) return;
      this.#sinceMs.delete(socket);
      socket.destroy();
    }
  }

  cutAll(): void {
    for (const socket of this.#sinceMs.keys()) socket.destroy();
  }
}

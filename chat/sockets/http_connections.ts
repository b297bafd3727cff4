/**
 * The connections of a port that are not WebSockets: how many may be open, and which is cut to make room, PROTOCOL.md
 * §3.3. Pure, without HTTP.
 *
 * @module
 */

export interface Cuttable {
  destroy(): void;
}

/** Requests of one connection that may be pending at once. Browsers send the next after an answer. */
export const REQUESTS_AHEAD_MAX = 4;

export class HttpConnections<C extends Cuttable> {
  readonly #max: () => number;
  readonly #steadyMs: () => number;
  /** Connections without a pending request, each with the time since when, the longest idle first. */
  readonly #waiting = new Map<C, number>();
  /** Pending requests by connection, in order of the first. */
  readonly #asking = new Map<C, number>();

  constructor(max: () => number, steadyMs: () => number) {
    this.#max = max;
    this.#steadyMs = steadyMs;
  }

  /** Adds a connection. At the limit this cuts the longest idle one, or else the one with the oldest request. */
  opened(connection: C): void {
    this.#waiting.set(connection, this.#steadyMs());
    if (this.#waiting.size + this.#asking.size <= this.#max()) return;
    const [first = connection] = this.#waiting.size > 1 ? this.#waiting.keys() : this.#asking.keys();
    this.gone(first);
    first.destroy();
  }

  /** Adds a request. At REQUESTS_AHEAD_MAX this cuts the connection and returns false. */
  asked(connection: C): boolean {
    const underWay = (this.#asking.get(connection) ?? 0) + 1;
    this.#waiting.delete(connection);
    this.#asking.set(connection, underWay);
    if (underWay <= REQUESTS_AHEAD_MAX) return true;
    connection.destroy();
    return false;
  }

  isAsking(connection: C): boolean {
    return this.#asking.has(connection);
  }

  /** Call when an answer has been sent, or cannot be. */
  answered(connection: C): void {
    const underWay = this.#asking.get(connection);
    if (underWay === undefined) return;
    if (underWay > 1) {
      this.#asking.set(connection, underWay - 1);
    } else {
      this.#asking.delete(connection);
      this.#waiting.set(connection, this.#steadyMs());
    }
  }

  /** Cuts connections that have made no request for `ms`: line breaks before one count for node:http as life. */
  cutIdle(ms: number): void {
    const untilMs = this.#steadyMs() - ms;
    for (const [connection, sinceMs] of this.#waiting) {
      if (sinceMs > untilMs) return;
      this.gone(connection);
      connection.destroy();
    }
  }

  /** Call when a connection has closed or become a WebSocket. */
  gone(connection: C): void {
    this.#waiting.delete(connection);
    this.#asking.delete(connection);
  }

  cutAll(): void {
    for (const connection of [...this.#waiting.keys(), ...this.#asking.keys()]) connection.destroy();
  }
}

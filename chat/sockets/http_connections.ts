/**
 * The connections of a port that are no WebSockets: how many there are at once, and which of them is cut to make room
 * for the next. PROTOCOL.md §3.3.
 *
 * Pure: it knows that a connection can be cut, and nothing of HTTP.
 *
 * @module
 */

export interface Cuttable {
  destroy(): void;
}

/** Requests of one connection that are answered at the same time. Browsers send the next after an answer. */
export const REQUESTS_AHEAD_MAX = 16;

export class HttpConnections<C extends Cuttable> {
  readonly #max: () => number;
  /** Connections from which a request is awaited, the first or the next; the one that is silent for longest first. */
  readonly #waiting = new Set<C>();
  /** Connections with requests under way, and how many; the one that asked first comes first. */
  readonly #asking = new Map<C, number>();

  /** `max` is how many there are at most. */
  constructor(max: () => number) {
    this.#max = max;
  }

  /** A connection was opened. Past the limit the longest silent one is cut, or else the one that asked first. */
  opened(connection: C): void {
    this.#waiting.add(connection);
    if (this.#waiting.size + this.#asking.size <= this.#max()) return;
    const [first = connection] = this.#waiting.size > 1 ? this.#waiting : this.#asking.keys();
    this.gone(first);
    first.destroy();
  }

  /** A request came. One that is sent too far ahead of its answers cuts its connection: the result is false then. */
  asked(connection: C): boolean {
    const underWay = (this.#asking.get(connection) ?? 0) + 1;
    this.#waiting.delete(connection);
    this.#asking.set(connection, underWay);
    if (underWay <= REQUESTS_AHEAD_MAX) return true;
    connection.destroy();
    return false;
  }

  /** Whether it has requests that are not answered. */
  isAsking(connection: C): boolean {
    return this.#asking.has(connection);
  }

  /** An answer has left, or cannot any more. */
  answered(connection: C): void {
    const underWay = this.#asking.get(connection);
    if (underWay === undefined) return;
    if (underWay > 1) {
      this.#asking.set(connection, underWay - 1);
    } else {
      this.#asking.delete(connection);
      this.#waiting.add(connection);
    }
  }

  /** A connection has ended, or has become a WebSocket. */
  gone(connection: C): void {
    this.#waiting.delete(connection);
    this.#asking.delete(connection);
  }

  cutAll(): void {
    for (const connection of [...this.#waiting, ...this.#asking.keys()]) connection.destroy();
  }
}

/**
 * The connections of a port that are not WebSockets: how many may be open, in all and of an address, and which is cut to
 * make room, PROTOCOL.md §7.5. Pure, without HTTP.
 *
 * @module
 */

export interface Cuttable {
  destroy(): void;
}

/** Requests of one connection that may be pending at once. Browsers send the next after an answer. */
export const REQUESTS_AHEAD_MAX = 4;

/** Addresses whose connections count together, and how many they may have. */
export interface HttpPlace {
  readonly key: string;
  readonly most: number;
}

export class HttpConnections<C extends Cuttable> {
  readonly #max: () => number;
  readonly #steadyMs: () => number;
  /** Connections without a pending request, each with the time since when, the longest idle first. */
  readonly #waiting = new Map<C, number>();
  /** Pending requests by connection, in order of the first. */
  readonly #asking = new Map<C, number>();
  /** Of connections whose address has a limit. */
  readonly #places = new Map<C, readonly HttpPlace[]>();
  /** Connections by place. */
  readonly #counts = new Map<string, number>();

  constructor(max: () => number, steadyMs: () => number) {
    this.#max = max;
    this.#steadyMs = steadyMs;
  }

  /**
   * Adds a connection. Past a limit this cuts the longest idle one, or else the one with the oldest request: of the same
   * place at the limit of a place.
   */
  opened(connection: C, places: readonly HttpPlace[] = []): void {
    this.#waiting.set(connection, this.#steadyMs());
    if (places.length > 0) this.#places.set(connection, places);
    for (const { key } of places) this.#counts.set(key, this.#countAt(key) + 1);
    for (const { key, most } of places) {
      if (this.#countAt(key) > most) this.#cutAnother(connection, (other) => this.#isAt(other, key));
    }
    if (this.#waiting.size + this.#asking.size > this.#max()) this.#cutAnother(connection, () => true);
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
    for (const { key } of this.#places.get(connection) ?? []) {
      const left = this.#countAt(key) - 1;
      if (left > 0) this.#counts.set(key, left);
      else this.#counts.delete(key);
    }
    this.#places.delete(connection);
  }

  #countAt(key: string): number {
    return this.#counts.get(key) ?? 0;
  }

  #isAt(connection: C, key: string): boolean {
    return this.#places.get(connection)?.some((place) => place.key === key) ?? false;
  }

  #cutAnother(newest: C, mayGo: (connection: C) => boolean): void {
    for (const connections of [this.#waiting.keys(), this.#asking.keys()]) {
      for (const one of connections) {
        if (one === newest || !mayGo(one)) continue;
        this.gone(one);
        one.destroy();
        return;
      }
    }
  }

  cutAll(): void {
    for (const connection of [...this.#waiting.keys(), ...this.#asking.keys()]) connection.destroy();
  }
}

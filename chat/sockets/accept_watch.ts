/**
 * Finds out that an open port of node:net takes nobody any more. Deno does not tell: on 2.9.6 a server whose
 * accept failed for want of a file descriptor goes on listening and never accepts again. Where threads share the port,
 * the system chooses who gets a connection, and only many in a row that came to others tell.
 *
 * It only looks, by connecting to the port itself where nobody else came for a while. What to do about it is the
 * transport's.
 *
 * @module
 */
import { connect, type Socket } from "node:net";

/** Milliseconds without anybody after which it looks: a connection of this machine to itself costs next to nothing. */
const QUIET_MS = 3000;
/** Milliseconds that its own connection has to be accepted: a turn of the event loop that took half of that is a bug. */
const ACCEPT_MS = 2000;
/** The same for each of several: together they have more. */
const SHARED_ACCEPT_MS = 500;

/** How likely it may be that all of these connections came to other threads by chance. */
const CHANCE_MAX = 1e-6;

interface Probe {
  readonly socket: Socket;
  readonly startedMs: number;
  problem: string | undefined;
}

export interface AcceptWatchOptions {
  /** Where the server listens. */
  readonly hostname: string;
  readonly port: number;
  /** Threads that listen on it. */
  readonly sharers: number;
  readonly nowMs: number;
  /** Nobody is accepted any more. Called again after the same while where that does not change. */
  readonly onDeaf: (problem: string) => void;
}

export class AcceptWatch {
  readonly #options: AcceptWatchOptions;
  /** Milliseconds for one connection, and how many that are not accepted here mean that none will be. */
  readonly #acceptMs: number;
  readonly #missesMax: number;
  #heardMs: number;
  #probe: Probe | undefined;
  #misses = 0;

  constructor(options: AcceptWatchOptions) {
    this.#options = options;
    this.#heardMs = options.nowMs;
    const { sharers } = options;
    this.#missesMax = sharers === 1 ? 1 : Math.ceil(Math.log(CHANCE_MAX) / Math.log(1 - 1 / sharers));
    this.#acceptMs = sharers === 1 ? ACCEPT_MS : SHARED_ACCEPT_MS;
  }

  get port(): number {
    return this.#options.port;
  }

  /** A connection came in, its own or somebody's, or the server has told by itself that it could not take one. */
  heard(nowMs: number): void {
    this.#heardMs = nowMs;
    this.#misses = 0;
    this.#endProbe();
  }

  /** Call a few times a second, with the same clock. */
  beat(nowMs: number): void {
    const probe = this.#probe;
    if (probe === undefined) {
      if (nowMs - this.#heardMs >= QUIET_MS) this.#beginProbe(nowMs);
      return;
    }
    if (probe.problem === undefined) {
      if (nowMs - probe.startedMs < this.#acceptMs) return;
      if (++this.#misses < this.#missesMax) {
        this.#endProbe();
        return this.#beginProbe(nowMs);
      }
    }
    this.heard(nowMs);
    this.#options.onDeaf(probe.problem ?? `a connection was not accepted in ${ACCEPT_MS} ms`);
  }

  stop(): void {
    this.#endProbe();
  }

  #beginProbe(startedMs: number): void {
    const { hostname, port } = this.#options;
    const socket = connect(port, reachable(hostname));
    const probe: Probe = { socket, startedMs, problem: undefined };
    socket.on("error", (error: Error) => probe.problem = error.message);
    this.#probe = probe;
  }

  #endProbe(): void {
    this.#probe?.socket.destroy();
    this.#probe = undefined;
  }
}

/** An address of this machine at which a server that listens there is reached. */
function reachable(hostname: string): string {
  return hostname === "0.0.0.0" ? "127.0.0.1" : hostname === "::" ? "::1" : hostname;
}

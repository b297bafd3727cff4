/**
 * Finds out that an open port of node:net takes nobody any more. Deno does not tell: on 2.9.6 a server whose
 * accept failed for want of a file descriptor goes on listening and never accepts again.
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

interface Probe {
  readonly socket: Socket;
  readonly startedMs: number;
  problem: string | undefined;
}

export interface AcceptWatchOptions {
  /** Where the server listens. */
  readonly hostname: string;
  readonly port: number;
  readonly nowMs: number;
  /** Nobody is accepted any more. Called again after the same while where that does not change. */
  readonly onDeaf: (problem: string) => void;
}

export class AcceptWatch {
  readonly #options: AcceptWatchOptions;
  #heardMs: number;
  #probe: Probe | undefined;

  constructor(options: AcceptWatchOptions) {
    this.#options = options;
    this.#heardMs = options.nowMs;
  }

  get port(): number {
    return this.#options.port;
  }

  /** A connection came in, its own or somebody's, or the server has told by itself that it could not take one. */
  heard(nowMs: number): void {
    this.#heardMs = nowMs;
    this.#endProbe();
  }

  /** Call a few times a second, with the same clock. */
  beat(nowMs: number): void {
    const probe = this.#probe;
    if (probe === undefined) {
      if (nowMs - this.#heardMs >= QUIET_MS) this.#beginProbe(nowMs);
      return;
    }
    if (probe.problem === undefined && nowMs - probe.startedMs < ACCEPT_MS) return;
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

/**
 * An open port of `Deno.serve`: requests in, answers out, and a stop that does not wait for clients that never end.
 *
 * It knows nothing of what is asked. The runtime gives up a port for good when it has no file descriptor left for
 * one more connection: here it is opened anew.
 *
 * @module
 */
import { STATUS_CODE } from "@std/http/status";
import { steadyClock } from "../clock.ts";
import { settlesWithin } from "../deadline.ts";
import type { Logger } from "../logging/log.ts";
import { isBefore29 } from "./deno_version.ts";
import type { Tls } from "./tls_files.ts";

/** Milliseconds that requests under way have to end when the server stops; then they are cut. */
export const DRAIN_MS = 2000;
/** Milliseconds that the runtime has to close what was cut: of the 5 s that a stop may take in all. */
const CUT_MS = 1000;
/**
 * Milliseconds for what was ready and is not waited for, and for the last bytes of what was: the runtime tells the end
 * of an answer before it has written them. Both are small, and the system has them at once.
 */
const READY_MS = 10;
/** Milliseconds between two tries to open a lost port again: what was cut has to be closed first. */
const REOPEN_MS = 200;
/** Milliseconds between two tries to open a port again that was just closed, and how many: two seconds in all. */
const RENEW_MS = 5;
const RENEW_TRIES_MAX = 400;
/** File descriptors that have to be free for that: with none but the port's own the next connection loses it again. */
const DESCRIPTORS_MIN = 4;
/** Stands for the address of a peer without one. No IP address, so that it is neither this machine nor any network. */
const NO_ADDRESS = "unknown";

/**
 * Whether the runtime ends a connection without a word where nobody reads a request's body: a client that sends its next
 * request there gets no answer. Deno since 2.9 says so by itself.
 */
const ENDS_UNTOLD = isBefore29();

export interface Place {
  readonly hostname: string;
  /** 0 takes a free one. */
  readonly port: number;
  readonly tls: Tls | undefined;
  /** Whether other threads of this process listen there as well. */
  readonly isShared?: boolean;
}

export interface OpenServer {
  readonly port: number;
  /**
   * Opens the port anew for another certificate, which was proven to fit its key; the moment between is some
   * milliseconds. Requests and streams that are under way go on, WebSockets would be ended. Throws where it cannot be
   * opened, and goes on trying.
   */
  renewTls(tls: Tls): Promise<void>;
  /** `drainMs` is what requests under way have to end. */
  close(drainMs?: number): Promise<void>;
}

/** `peer` is the IP address of the other end. */
export type Answer = (request: Request, peer: string) => Response | Promise<Response>;

/** A request's connection; each is asked for only where it is needed, since it costs something. */
export interface Connection {
  /** The IP address of the other end. */
  readonly peer: () => string;
  /** Settles when the answer has left, or cannot any more; a stop waits for it. */
  readonly sent: () => Promise<void>;
}

export interface ServeOptions {
  /** An answer that is there already, asked for before any other; undefined where there is none. */
  readonly ready?: (request: Request, connection: Connection) => Response | undefined;
  /** What comes after it is answered 503, but whether it is alive. */
  readonly stopping: AbortSignal;
  /**
   * Milliseconds that all descriptors may be taken before the connections are cut, which the runtime can only do to
   * all of them: 0 where they are short, some seconds where WebSockets of people are among them.
   */
  readonly patienceMs: number;
  readonly log: Logger;
}

/**
 * Opens the port; throws the runtime's error where it cannot be had. `close` lets what is under way end, then cuts
 * it. The runtime's own `shutdown` is not used: it waits for slow clients without limit, and once asked for,
 * nothing can cut them any more.
 */
export function serve(place: Place, answer: Answer, options: ServeOptions): OpenServer {
  return new HttpServer(place, answer, options);
}

class HttpServer implements OpenServer {
  readonly port: number;
  readonly #place: Place;
  readonly #answer: Answer;
  readonly #options: ServeOptions;
  readonly #underWay = new UnderWay();
  #tls: Tls | undefined;
  #cut = new AbortController();
  #current: Deno.HttpServer<Deno.NetAddr>;

  constructor(place: Place, answer: Answer, options: ServeOptions) {
    this.#place = place;
    this.#answer = answer;
    this.#options = options;
    this.#tls = place.tls;
    this.#current = this.#open(place.port);
    // DENO_SERVE_ADDRESS, which a platform may set, opens what it says in place of this port: maybe no port at all.
    this.port = this.#current.addr.port ?? place.port;
  }

  async renewTls(renewed: Tls): Promise<void> {
    const { log, patienceMs } = this.#options;
    this.#tls = renewed;
    // It takes nobody any more at once, and is over when the last that it serves has ended; nobody waits for that.
    this.#current.shutdown().catch((error) => log.warn("port.not_drained", { problem: String(error) }));
    for (let tries = 1;; tries++) {
      try {
        this.#current = this.#open(this.port);
        return;
      } catch (error) {
        if (tries === RENEW_TRIES_MAX) {
          this.#reopenSoon(steadyClock() + patienceMs);
          throw error;
        }
      }
      await pause(RENEW_MS);
    }
  }

  async close(drainMs = DRAIN_MS): Promise<void> {
    await settlesWithin(this.#underWay.ended(), drainMs);
    await pause(READY_MS);
    this.#cut.abort();
    const finished = this.#current.finished.catch(() => {/* It was lost and is said so where it was. */});
    if (!(await settlesWithin(finished, CUT_MS))) this.#options.log.warn("stop.unfinished");
  }

  #open(port: number): Deno.HttpServer<Deno.NetAddr> {
    const { log, patienceMs } = this.#options;
    const { hostname, isShared } = this.#place;
    const tls = this.#tls;
    const server = Deno.serve(
      {
        hostname,
        port,
        signal: this.#cut.signal,
        onListen: () => {},
        onError: (error) => {
          log.error("bug", { where: "port", error });
          return new Response("Internal error\n", { status: STATUS_CODE.InternalServerError });
        },
        // Without its flag even to name it ends the program.
        ...(isShared && { reusePort: true }),
        ...(tls && { cert: tls.cert, key: tls.key }),
      },
      (request, info) => this.#handle(request, info),
    );
    server.finished.catch((error) => {
      log.error("port.lost", { port: server.addr.port, problem: String(error) });
      this.#reopenSoon(steadyClock() + patienceMs);
    });
    return server;
  }

  #handle(request: Request, info: Deno.ServeHandlerInfo<Deno.NetAddr>): Response | Promise<Response> {
    const { ready, stopping } = this.#options;
    if (stopping.aborted) return whileStopping(request);
    return ready?.(request, {
      peer: () => addressOf(info),
      sent: () => {
        this.#track(info.completed);
        return info.completed;
      },
    }) ?? this.#answerTracked(request, info);
  }

  /** Has `close` wait for an answer. Answers how to end that before it has left. */
  #track(completed: Promise<void>): () => void {
    const end = this.#underWay.begin();
    // Rejects where the client left before it had its answer, which ends it as well.
    completed.then(end, end);
    return end;
  }

  async #answerTracked(
    request: Request,
    info: Deno.ServeHandlerInfo<Deno.NetAddr>,
  ): Promise<Response> {
    const end = this.#track(info.completed);
    const { method } = request;
    // Asked before: later the client may have left, and to look at the body itself would begin to read it.
    const bringsBody = ENDS_UNTOLD && method !== "GET" && method !== "HEAD" && hasBody(request.headers);
    const response = await this.#answer(request, addressOf(info));
    if (bringsBody && !(response.ok && READING.has(method))) response.headers.set("connection", "close");
    // The WebSocket's owner ends it; some versions of Deno never tell of its end here.
    if (response.status === STATUS_CODE.SwitchingProtocols) end();
    return response;
  }

  /** Tries to open a lost port. From `cutAtMs` on it cuts all connections where descriptors are short. */
  #reopenSoon(cutAtMs: number): void {
    const { log, stopping } = this.#options;
    const { port } = this;
    setTimeout(() => {
      if (stopping.aborted) return;
      if (hasDescriptors()) {
        try {
          this.#current = this.#open(port);
          return log.info("port.reopened", { port });
        } catch (error) {
          log.error("port.not_reopened", { port, problem: String(error) });
        }
      } else if (steadyClock() >= cutAtMs) {
        // It lets go of all connections: some have to go, and the runtime does not tell which are idle.
        log.error("port.connections_cut", { port });
        this.#cut.abort();
        this.#cut = new AbortController();
      }
      this.#reopenSoon(cutAtMs);
    }, REOPEN_MS);
  }
}

/** Methods whose body was read where the answer is a success. */
const READING: ReadonlySet<string> = new Set(["POST", "PUT"]);

function hasBody(headers: Headers): boolean {
  return headers.has("transfer-encoding") || (headers.get("content-length") ?? "0") !== "0";
}

/** Alive, and not ready: who asks for one is not to take it for the other. */
function whileStopping({ url }: Request): Response {
  return new URL(url).pathname === "/healthz"
    ? new Response("ok\n")
    : new Response("The server is stopping\n", { status: STATUS_CODE.ServiceUnavailable });
}

/** How many answers are under way, and when there are none. */
class UnderWay {
  #count = 0;
  #idle: (() => void) | undefined;

  /** One more. Answers how to end it; later calls of that do nothing. */
  begin(): () => void {
    this.#count++;
    let isOver = false;
    return () => {
      if (isOver) return;
      isOver = true;
      if (--this.#count === 0) this.#idle?.();
    };
  }

  ended(): Promise<void> {
    if (this.#count === 0) return Promise.resolve();
    return new Promise((resolve) => this.#idle = resolve);
  }
}

/** The IP address of the other end, where it is known. */
function addressOf({ remoteAddr }: Deno.ServeHandlerInfo<Deno.NetAddr>): string {
  return remoteAddr.hostname ?? NO_ADDRESS;
}

function pause(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms));
}

/** Whether the process may open so many more files and sockets. */
function hasDescriptors(): boolean {
  const taken: Disposable[] = [];
  try {
    while (taken.length < DESCRIPTORS_MIN) taken.push(Deno.listen({ hostname: "127.0.0.1", port: 0 }));
    return true;
  } catch {
    return false;
  } finally {
    for (const one of taken) one[Symbol.dispose]();
  }
}

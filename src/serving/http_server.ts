/**
 * A port of `Deno.serve` with a bounded stop: slow clients cannot delay it. It knows nothing of the requests. The
 * runtime closes a port for good when it runs out of file descriptors at an accept; this file opens it again.
 *
 * @module
 */
import { STATUS_CODE } from "@std/http/status";
import { steadyClock } from "../clock.ts";
import { settlesWithin } from "../deadline.ts";
import type { Logger } from "../logging/log.ts";
import { isBefore29 } from "./deno_version.ts";
import type { Tls } from "./tls_files.ts";

/** Milliseconds for running requests to finish at a stop; then they are cut. */
export const DRAIN_MS = 2000;
/** Milliseconds for the runtime to close cut connections, of the 5 s for a whole stop. */
const CUT_MS = 1000;
/** Milliseconds for the last bytes of finished answers: the runtime reports an answer's end before they are written. */
const READY_MS = 10;
/** Milliseconds between two tries to reopen a lost port; cut connections must close first. */
const REOPEN_MS = 200;
/** Milliseconds between two tries to reopen a port that was just closed, and how many: 2 s in total. */
const RENEW_MS = 5;
const RENEW_TRIES_MAX = 400;
/** File descriptors that must be free to reopen; with only the port's own, the next connection closes it again. */
const DESCRIPTORS_MIN = 4;
/** The address of a peer without one. It is no IP address, so that it matches neither loopback nor any network. */
const NO_ADDRESS = "unknown";

/**
 * True if the runtime silently closes a connection whose request body was not read; the client's next request on it
 * then gets no answer. Deno 2.9 sends `Connection: close` itself.
 */
const CLOSES_SILENTLY = isBefore29();

export interface Place {
  readonly hostname: string;
  /** 0 chooses a free one. */
  readonly port: number;
  readonly tls: Tls | undefined;
  /** True if other threads of this process listen on the port too. */
  readonly isShared?: boolean;
}

export interface OpenServer {
  readonly port: number;
  /**
   * Reopens the port with another certificate, which must fit its key; the port is closed for some milliseconds.
   * Running requests and streams continue; WebSockets would be closed. Throws if the port cannot be opened, and keeps
   * trying.
   */
  renewTls(tls: Tls): Promise<void>;
  /** `drainMs` is the time for running requests to finish; default: DRAIN_MS. */
  close(drainMs?: number): Promise<void>;
}

/** `peer` is the IP address of the client, and `arrivedAt` as in `RequestConnection`. */
export type Handler = (request: Request, peer: string, arrivedAt: string) => Response | Promise<Response>;

/** A request's connection. The members are functions because each call has a cost. */
export interface RequestConnection {
  /** The IP address of the client. */
  readonly peer: () => string;
  /**
   * The IP address at which the connection arrived. The runtime does not report it: for a port of all addresses it is
   * the client's, which is in the same kind of network.
   */
  readonly arrivedAt: () => string;
  /** Settles when the answer was sent or can no longer be sent; a stop waits for it. */
  readonly sent: () => Promise<void>;
}

export interface ServeOptions {
  /** Returns a prepared answer, if there is one; called before `answer`. */
  readonly ready?: (request: Request, connection: RequestConnection) => Response | undefined;
  /** Once aborted, requests get 503, except `/healthz`. */
  readonly stopping: AbortSignal;
  /**
   * Milliseconds without a free descriptor before all connections are cut, since the runtime cannot cut single ones.
   * 0 for short-lived connections, some seconds if people's WebSockets are among them.
   */
  readonly cutAllAfterMs: number;
  readonly log: Logger;
}

/**
 * Opens the port; throws the runtime's error. `close` lets running requests finish and then cuts them. The runtime's
 * `shutdown` is not used, because it waits for slow clients without limit and prevents cutting them.
 */
export function serve(place: Place, answer: Handler, options: ServeOptions): OpenServer {
  return new HttpServer(place, answer, options);
}

class HttpServer implements OpenServer {
  readonly port: number;
  readonly #place: Place;
  readonly #answer: Handler;
  readonly #options: ServeOptions;
  readonly #underWay = new UnderWay();
  #tls: Tls | undefined;
  #cut = new AbortController();
  #current: Deno.HttpServer<Deno.NetAddr>;

  constructor(place: Place, answer: Handler, options: ServeOptions) {
    this.#place = place;
    this.#answer = answer;
    this.#options = options;
    this.#tls = place.tls;
    this.#current = this.#open(place.port);
    // If a platform sets DENO_SERVE_ADDRESS, the runtime opens that address instead, which may have no port.
    this.port = this.#current.addr.port ?? place.port;
  }

  async renewTls(renewed: Tls): Promise<void> {
    const { log, cutAllAfterMs } = this.#options;
    this.#tls = renewed;
    // Stops accepting at once. Its running connections may take long, so this does not wait for them.
    this.#current.shutdown().catch((error) => log.warn("port.not_drained", { problem: String(error) }));
    for (let tries = 1;; tries++) {
      try {
        this.#current = this.#open(this.port);
        return;
      } catch (error) {
        if (tries === RENEW_TRIES_MAX) {
          this.#reopenSoon(steadyClock() + cutAllAfterMs);
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
    const { log, cutAllAfterMs } = this.#options;
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
          return new Response("Internal error: the server's operator finds it in the log\n", {
            status: STATUS_CODE.InternalServerError,
          });
        },
        // Without --unstable-net even naming this option ends the program.
        ...(isShared && { reusePort: true }),
        ...(tls && { cert: tls.cert, key: tls.key }),
      },
      (request, info) => this.#handle(request, info),
    );
    server.finished.catch((error) => {
      log.error("port.lost", { port: server.addr.port, problem: String(error) });
      this.#reopenSoon(steadyClock() + cutAllAfterMs);
    });
    return server;
  }

  #handle(request: Request, info: Deno.ServeHandlerInfo<Deno.NetAddr>): Response | Promise<Response> {
    const { ready, stopping } = this.#options;
    if (stopping.aborted) return whileStopping(request);
    return ready?.(request, {
      peer: () => addressOf(info),
      arrivedAt: () => this.#arrivedAt(info),
      sent: () => {
        this.#track(info.completed);
        return info.completed;
      },
    }) ?? this.#answerTracked(request, info);
  }

  /** Makes `close` wait for an answer. Returns a function that ends the wait early. */
  #track(completed: Promise<void>): () => void {
    const end = this.#underWay.begin();
    // Rejects if the client left before its answer, which ends the wait too.
    completed.then(end, end);
    return end;
  }

  async #answerTracked(
    request: Request,
    info: Deno.ServeHandlerInfo<Deno.NetAddr>,
  ): Promise<Response> {
    const end = this.#track(info.completed);
    const { method } = request;
    // Checked first: later the client may have left, and reading `request.body` would start to read it.
    const bringsBody = CLOSES_SILENTLY && method !== "GET" && method !== "HEAD" && hasBody(request.headers);
    const response = await this.#answer(request, addressOf(info), this.#arrivedAt(info));
    if (bringsBody && !(response.ok && READING.has(method))) response.headers.set("connection", "close");
    // The WebSocket's owner ends it; some versions of Deno never report its end here.
    if (response.status === STATUS_CODE.SwitchingProtocols) end();
    return response;
  }

  #arrivedAt(info: Deno.ServeHandlerInfo<Deno.NetAddr>): string {
    const { hostname } = this.#current.addr;
    return hostname === undefined || ALL_ADDRESSES.has(hostname) ? addressOf(info) : hostname;
  }

  /** Retries to open a lost port. From `cutAtMs` on it cuts all connections if descriptors are short. */
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
        // Cuts all connections, because the runtime does not show which are idle.
        log.error("port.connections_cut", { port });
        this.#cut.abort();
        this.#cut = new AbortController();
      }
      this.#reopenSoon(cutAtMs);
    }, REOPEN_MS);
  }
}

const ALL_ADDRESSES: ReadonlySet<string> = new Set(["0.0.0.0", "::"]);
/** The methods that read the body of a successful request. */
const READING: ReadonlySet<string> = new Set(["POST", "PUT"]);

function hasBody(headers: Headers): boolean {
  return headers.has("transfer-encoding") || (headers.get("content-length") ?? "0") !== "0";
}

/** A stopping server is alive (`/healthz`) but not ready. */
function whileStopping({ url }: Request): Response {
  return new URL(url).pathname === "/healthz"
    ? new Response("ok\n")
    : new Response("The server is stopping\n", { status: STATUS_CODE.ServiceUnavailable });
}

/** Counts running answers. */
class UnderWay {
  #count = 0;
  #idle: (() => void) | undefined;

  /** Adds one. Returns a function that removes it; calling that again has no effect. */
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

function addressOf({ remoteAddr }: Deno.ServeHandlerInfo<Deno.NetAddr>): string {
  return remoteAddr.hostname ?? NO_ADDRESS;
}

function pause(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms));
}

/** True if the process can open DESCRIPTORS_MIN more sockets. */
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

/**
 * An open port of `Deno.serve`: requests in, answers out, and a stop that does not wait for clients that never end.
 *
 * It knows nothing of what is asked. The runtime gives up a port for good when it has no file descriptor left for
 * one more connection: here it is opened anew.
 *
 * @module
 */
import type { Logger } from "./log.ts";

/** Milliseconds that requests under way have to end when the server stops; then they are cut. */
export const DRAIN_MS = 2000;
/** Milliseconds that the runtime has to close what was cut: of the 5 s that a stop may take in all. */
const CUT_MS = 1000;
/** Milliseconds before a lost port is opened again: what was cut has to be closed first. */
const REOPEN_MS = 200;

export interface Place {
  readonly hostname: string;
  /** 0 takes a free one. */
  readonly port: number;
  /** PEM texts. */
  readonly tls: { readonly cert: string; readonly key: string } | undefined;
}

export interface OpenServer {
  readonly port: number;
  close(): Promise<void>;
}

/** `peer` is the IP address of the other end. */
export type Answer = (request: Request, peer: string) => Response | Promise<Response>;

export interface ServeOptions {
  /** What comes after it is answered 503. */
  readonly stopping: AbortSignal;
  readonly log: Logger;
}

/**
 * Opens the port; throws the runtime's error where it cannot be had. `close` lets what is under way end, then cuts
 * it. The runtime's own `shutdown` is not used: it waits for slow clients without limit, and once asked for,
 * nothing can cut them any more.
 */
export function serve(place: Place, answer: Answer, { stopping, log }: ServeOptions): OpenServer {
  const underWay = new Set<Promise<void>>();
  let current = open(place.port);
  const { port } = current.server.addr;

  function open(port: number): { server: Deno.HttpServer<Deno.NetAddr>; cut: AbortController } {
    const { hostname, tls } = place;
    const cut = new AbortController();
    const server = Deno.serve(
      {
        hostname,
        port,
        signal: cut.signal,
        onListen: () => {},
        ...(tls && { cert: tls.cert, key: tls.key }),
      },
      (request, { remoteAddr, completed }) => {
        if (stopping.aborted) return new Response("The server is stopping\n", { status: 503 });
        // Rejects where the client left before it had its answer, which ends it as well.
        const ended = completed.catch(() => {}).finally(() => underWay.delete(ended));
        underWay.add(ended);
        return answer(request, remoteAddr.hostname);
      },
    );
    server.finished.catch((error) => {
      log.error("port.lost", { port, problem: String(error) });
      // Whoever holds the connections, this lets go of all of them: some have to go, and nobody tells which.
      cut.abort();
      reopen();
    });
    return { server, cut };
  }

  function reopen(): void {
    setTimeout(() => {
      if (stopping.aborted) return;
      try {
        current = open(port);
        log.info("port.reopened", { port });
      } catch (error) {
        log.error("port.not_reopened", { port, problem: String(error) });
        reopen();
      }
    }, REOPEN_MS);
  }

  return {
    port,
    async close() {
      await within(DRAIN_MS, Promise.all(underWay));
      current.cut.abort();
      const finished = current.server.finished.catch(() => {/* It was lost and is said so above. */});
      if (!(await within(CUT_MS, finished))) log.warn("stop.unfinished");
    },
  };
}

/** Waits for `work`, and tells whether it ended within `ms`. */
export async function within(ms: number, work: Promise<unknown>): Promise<boolean> {
  const { promise: late, resolve } = Promise.withResolvers<false>();
  const timer = setTimeout(() => resolve(false), ms);
  try {
    return await Promise.race([work.then(() => true), late]);
  } finally {
    clearTimeout(timer);
  }
}

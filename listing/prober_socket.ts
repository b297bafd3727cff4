/**
 * The prober over real sockets: resolves a name, refuses what the listing must not be a tool against, and pings
 * the addresses that it has checked, PROTOCOL.md §9.
 *
 * A name is resolved once for a ping and never by the connection itself, so that a name which answers
 * differently the second time gains nothing.
 *
 * @module
 */
import { bracketed, formatAddress, normalizeIp, reachOf } from "../src/address.ts";
import type { NowMs } from "../src/clock.ts";
import { logger } from "../src/log.ts";
import type { PingOutcome, PingTarget, Prober } from "./prober.ts";
import { pingOverWebSocket } from "./websocket_ping.ts";

/** Milliseconds that a ping takes at most, from resolving the name to the answer. */
export const PING_TIMEOUT_MS = 3000;

/** PORT: every IP address of a host name, empty where there is none. Rejects where it cannot be asked now. */
export type Resolve = (host: string) => Promise<string[]>;

const log = logger("listing");

export interface SocketProberParts {
  readonly resolve: Resolve;
  readonly wallClock: NowMs;
  readonly steadyClock: NowMs;
  /** Ends every ping at once. */
  readonly stopping: AbortSignal;
  readonly timeoutMs?: number;
  readonly caCerts?: readonly string[];
}

export class SocketProber implements Prober {
  readonly #parts: SocketProberParts;
  readonly #timeoutMs: number;

  constructor(parts: SocketProberParts) {
    this.#parts = parts;
    this.#timeoutMs = parts.timeoutMs ?? PING_TIMEOUT_MS;
  }

  async ping(target: PingTarget): Promise<PingOutcome> {
    const { stopping } = this.#parts;
    const limit = new AbortController();
    const end = () => limit.abort();
    const timer = setTimeout(end, this.#timeoutMs);
    stopping.addEventListener("abort", end);
    if (stopping.aborted) end();
    try {
      const ips = await this.#permittedIps(target, limit.signal);
      if ("problem" in ips) return { answered: false, problem: ips.problem };
      return await this.#pingFirst(ips, target, limit.signal);
    } catch (error) {
      log.error("prober.bug", { error });
      return { answered: false, problem: "The listing failed to ping it; its operator finds it in the log." };
    } finally {
      clearTimeout(timer);
      stopping.removeEventListener("abort", end);
      // The slower of two addresses has nothing to say any more.
      limit.abort();
    }
  }

  /** The addresses to ping, at most one of each family; or why none is. One that is forbidden spoils them all. */
  async #permittedIps(target: PingTarget, limit: AbortSignal): Promise<string[] | { problem: string }> {
    const { host } = target.address;
    const literal = normalizeIp(host);
    const found = literal === undefined ? await this.#resolve(host, limit) : [literal];
    if ("problem" in found) return found;
    const ips = [...new Set(found.map((ip) => normalizeIp(ip) ?? ip))];
    const subject = literal === undefined ? `${host} resolves to` : `${host} is`;
    // Which address a name has inside of a network is not told: that would be a tool too.
    if (ips.some((ip) => reachOf(ip) === "none")) {
      return { problem: `${subject} an address at which no server can be: multicast, reserved or the like.` };
    }
    if (reachOf(target.origin) !== "local" && ips.some((ip) => reachOf(ip) === "local")) {
      return {
        problem:
          `${subject} a loopback or private address, which only servers of the same network may name. Give --address a public one.`,
      };
    }
    const chosen = [ips.find((ip) => !ip.includes(":")), ips.find((ip) => ip.includes(":"))];
    return chosen.filter((ip) => ip !== undefined);
  }

  async #resolve(host: string, limit: AbortSignal): Promise<string[] | { problem: string }> {
    try {
      const ips = await unlessAborted(this.#parts.resolve(host), limit);
      return ips.length > 0 ? ips : { problem: `The name ${host} resolves to no IP address.` };
    } catch {
      return { problem: `The name ${host} could not be resolved in time.` };
    }
  }

  /** Pings all at once: the first answer counts, and without one what each of them did. */
  async #pingFirst(ips: string[], target: PingTarget, limit: AbortSignal): Promise<PingOutcome> {
    const pings = ips.map(async (ip) => {
      const outcome = await this.#pingOne(ip, target, limit);
      // Any() below takes the first that resolves.
      if (!outcome.answered) throw new NoAnswer(outcome.problem);
      return outcome;
    });
    try {
      return await Promise.any(pings);
    } catch (error) {
      if (!(error instanceof AggregateError)) throw error;
      const bug = error.errors.find((each) => !(each instanceof NoAnswer));
      if (bug !== undefined) throw bug;
      return { answered: false, problem: error.errors.map((each) => each.message).join(" ") };
    }
  }

  async #pingOne(ip: string, target: PingTarget, limit: AbortSignal): Promise<PingOutcome> {
    const { wallClock, steadyClock, caCerts = [] } = this.#parts;
    const request = {
      ...target,
      ip,
      timestamp: wallClock(),
      steadyClock,
      caCerts,
    };
    const tried = describe(target, ip);
    try {
      // It ends with the limit by itself; the time that a ping takes is not to hang on the runtime doing so.
      const outcome = await unlessAborted(pingOverWebSocket(request, limit), limit);
      return outcome.answered ? outcome : { answered: false, problem: `${tried}: ${outcome.problem}.` };
    } catch (error) {
      const why = limit.aborted ? `it did not answer within ${this.#timeoutMs / 1000} s` : nameFailure(error);
      return { answered: false, problem: `${tried}: ${why}.` };
    }
  }
}

class NoAnswer extends Error {}

function describe(target: PingTarget, ip: string): string {
  const { address } = target;
  const scheme = address.tls ? "wss" : "ws";
  const shown = `${scheme}://${formatAddress(address).replace(/^wss:\/\//, "")}/`;
  const at = address.host === ip || reachOf(ip) !== "public" ? "" : ` at ${bracketed(ip)}`;
  return `Tried c2/PING over ${shown}${at}`;
}

/** A failure of the connection in words; the runtime's own may hold what the peer sent, as in a certificate. */
function nameFailure(error: unknown): string {
  if (error instanceof Deno.errors.ConnectionRefused) return "the connection was refused";
  if (error instanceof Deno.errors.InvalidData) {
    return "TLS failed: it does not speak TLS there, or its certificate is not trusted or is for another name";
  }
  if (error instanceof Deno.errors.ConnectionReset || error instanceof Deno.errors.BrokenPipe) {
    return "it closed the connection without an answer";
  }
  if (error instanceof Deno.errors.UnexpectedEof) return "it closed the connection without an answer";
  return "no connection could be made";
}

/** As `work`, but rejects at once when `limit` is aborted; `work` itself goes on unheard. */
async function unlessAborted<T>(work: Promise<T>, limit: AbortSignal): Promise<T> {
  const { promise: aborted, reject } = Promise.withResolvers<never>();
  const onAbort = () => reject(limit.reason);
  limit.addEventListener("abort", onAbort);
  if (limit.aborted) onAbort();
  try {
    return await Promise.race([work, aborted]);
  } finally {
    limit.removeEventListener("abort", onAbort);
  }
}

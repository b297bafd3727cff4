/**
 * The prober over real sockets: resolves a name, refuses what the listing must not be a tool against, and pings
 * the addresses that it has checked, PROTOCOL.md §9.3.
 *
 * A name is resolved once for a ping and never by the connection itself, so that a name which answers
 * differently the second time gains nothing.
 *
 * @module
 */
import { bracketed, formatAddress, normalizeIp, reachOf } from "../../src/address.ts";
import type { NowMs } from "../../src/clock.ts";
import { logger } from "../../src/logging/log.ts";
import type { PingOutcome, PingTarget, Prober } from "./prober.ts";
import { type Resolve, TooManyLookups } from "./resolver.ts";
import { pingOverWebSocket } from "./websocket_ping.ts";

/** Milliseconds that a ping takes at most, from resolving the name to the answer. */
export const PING_TIMEOUT_MS = 3000;

type NoAnswer = Extract<PingOutcome, { answered: false }>;

const log = logger("listing");

export interface SocketProberParts {
  readonly resolve: Resolve;
  readonly wallClock: NowMs;
  readonly steadyClock: NowMs;
  /** Ends every ping at once. */
  readonly stopping: AbortSignal;
  readonly timeoutMs?: number;
  readonly caCerts?: readonly string[];
  /** How one address is pinged; over a WebSocket unless told. */
  readonly pingOne?: typeof pingOverWebSocket;
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
      if ("problem" in ips) return ips;
      return await this.#pingFirst(ips, target, limit.signal);
    } catch (error) {
      log.error("bug", { where: "prober", error });
      return unasked("The listing failed to ping it; its operator finds it in the log.");
    } finally {
      clearTimeout(timer);
      stopping.removeEventListener("abort", end);
      // The slower of two addresses has nothing to say any more.
      limit.abort();
    }
  }

  /** The addresses to ping, at most one of each family; or why none is. One that is forbidden spoils them all. */
  async #permittedIps(target: PingTarget, limit: AbortSignal): Promise<string[] | NoAnswer> {
    const { host } = target.address;
    const literal = normalizeIp(host);
    const found = literal === undefined ? await this.#resolve(host, target.origin, limit) : [literal];
    if ("problem" in found) return found;
    const ips = [...new Set(found.map((ip) => normalizeIp(ip) ?? ip))];
    const subject = literal === undefined ? `${host} resolves to` : `${host} is`;
    // Which address a name has inside of a network is not told: that would be a tool too.
    if (ips.some((ip) => reachOf(ip) === "none")) {
      return {
        answered: false,
        problem: `${subject} an address at which no server can be: multicast, reserved or the like.`,
      };
    }
    if (reachOf(target.origin) !== "local" && ips.some((ip) => reachOf(ip) === "local")) {
      return {
        answered: false,
        problem:
          `${subject} a loopback or private address, which only servers of the same network may name. Give --address a public one.`,
      };
    }
    const chosen = [ips.find((ip) => !ip.includes(":")), ips.find((ip) => ip.includes(":"))];
    return chosen.filter((ip) => ip !== undefined);
  }

  async #resolve(host: string, origin: string, limit: AbortSignal): Promise<string[] | NoAnswer> {
    try {
      const ips = await unlessAborted(this.#parts.resolve(host, origin), limit);
      return ips.length > 0 ? ips : unheard(`The name ${host} resolves to no IP address.`);
    } catch (error) {
      if (error instanceof TooManyLookups) {
        return unasked("The listing is resolving too many names at the moment.");
      }
      return unheard(`The name ${host} could not be resolved in time.`);
    }
  }

  /** Pings all at once: the first answer counts, and without one what each of them did. */
  async #pingFirst(ips: string[], target: PingTarget, limit: AbortSignal): Promise<PingOutcome> {
    const pings = ips.map(async (ip) => {
      const outcome = await this.#pingOne(ip, target, limit);
      // Any() below takes the first that resolves.
      if (!outcome.answered) throw new Unanswered(outcome);
      return outcome;
    });
    try {
      return await Promise.any(pings);
    } catch (error) {
      if (!(error instanceof AggregateError)) throw error;
      const bug = error.errors.find((each) => !(each instanceof Unanswered));
      if (bug !== undefined) throw bug;
      const outcomes: NoAnswer[] = error.errors.map(({ outcome }) => outcome);
      const problem = outcomes.map((each) => each.problem).join(" ");
      // One that was heard settles it; and where the listing could not ask at all of them, it does not know.
      if (outcomes.some(({ doubt }) => doubt === undefined)) return { answered: false, problem };
      return outcomes.some(({ doubt }) => doubt === "listing") ? unasked(problem) : unheard(problem);
    }
  }

  async #pingOne(ip: string, target: PingTarget, limit: AbortSignal): Promise<PingOutcome> {
    const { wallClock, steadyClock, caCerts = [], pingOne = pingOverWebSocket } = this.#parts;
    let isReached = false;
    const request = {
      ...target,
      ip,
      timestamp: wallClock(),
      steadyClock,
      caCerts,
      onConnected: () => isReached = true,
    };
    const tried = describe(target, ip);
    try {
      // It ends with the limit by itself; the time that a ping takes is not to hang on the runtime doing so.
      const outcome = await unlessAborted(pingOne(request, limit), limit);
      return outcome.answered ? outcome : { answered: false, problem: `${tried}: ${outcome.problem}.` };
    } catch (error) {
      const why = limit.aborted
        ? `it did not answer within ${this.#timeoutMs / 1000} s`
        : describeFailure(error);
      const problem = `${tried}: ${why}.`;
      if (isOutOfDescriptors(error)) return unasked(problem);
      // Whoever refuses a connection is there.
      if (isReached || error instanceof Deno.errors.ConnectionRefused) return { answered: false, problem };
      return unheard(problem);
    }
  }
}

class Unanswered extends Error {
  constructor(readonly outcome: NoAnswer) {
    super(outcome.problem);
  }
}

function unheard(problem: string): NoAnswer {
  return { answered: false, problem, doubt: "network" };
}

function unasked(problem: string): NoAnswer {
  return { answered: false, problem, doubt: "listing" };
}

/** EMFILE and ENFILE, for which the runtime has no class of its own. */
function isOutOfDescriptors(error: unknown): boolean {
  return error instanceof Error && /\(os error (?:23|24)\)/.test(error.message);
}

function describe(target: PingTarget, ip: string): string {
  const { address } = target;
  const scheme = address.tls ? "wss" : "ws";
  const shown = `${scheme}://${formatAddress(address).replace(/^wss:\/\//, "")}/`;
  const at = address.host === ip || reachOf(ip) !== "public" ? "" : ` at ${bracketed(ip)}`;
  return `Tried c2/PING over ${shown}${at}`;
}

/** A failure of the connection in words; the runtime's own may hold what the peer sent, as in a certificate. */
function describeFailure(error: unknown): string {
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

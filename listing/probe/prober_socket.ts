/**
 * The prober over real sockets, PROTOCOL.md §9.3: it resolves a name, refuses forbidden addresses and pings the
 * permitted ones. Each ping resolves a name once and connects to the checked address itself, so a second, different
 * DNS answer has no effect.
 *
 * @module
 */
import { bracketed, formatAddress, normalizeIp, reachOf } from "../../src/address.ts";
import type { NowMs } from "../../src/clock.ts";
import { logger } from "../../src/logging/log.ts";
import type { PingOutcome, PingTarget, Prober } from "./prober.ts";
import { type Resolve, TooManyLookups } from "./resolver.ts";
import { pingOverWebSocket } from "./websocket_ping.ts";

/** Milliseconds of a whole ping, from the start of name resolution to the answer. */
const PING_TIMEOUT_MS = 3000;

type NoAnswer = Extract<PingOutcome, { answered: false }>;

const log = logger("listing");

export interface SocketProberParts {
  readonly resolve: Resolve;
  readonly wallClock: NowMs;
  readonly steadyClock: NowMs;
  /** Aborts every ping. */
  readonly stopping: AbortSignal;
  readonly timeoutMs?: number;
  readonly caCerts?: readonly string[];
  /** Pings one address; default: over a WebSocket. */
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
      return unasked(
        "The listing has a bug and could not ping the server; its operator finds the bug in the log.",
      );
    } finally {
      clearTimeout(timer);
      stopping.removeEventListener("abort", end);
      // Ends the ping of the slower address.
      limit.abort();
    }
  }

  /** The addresses to ping, at most one per family. One forbidden address refuses them all. */
  async #permittedIps(target: PingTarget, limit: AbortSignal): Promise<string[] | NoAnswer> {
    const { host } = target.address;
    const literal = normalizeIp(host);
    const found = literal === undefined ? await this.#resolve(host, target.origin, limit) : [literal];
    if ("problem" in found) return found;
    const ips = [...new Set(found.map((ip) => normalizeIp(ip) ?? ip))];
    const subject = literal === undefined ? `${host} resolves to` : `${host} is`;
    // The refusal does not name the address: that would reveal names inside a private network.
    if (ips.some((ip) => reachOf(ip) === "none")) {
      return {
        answered: false,
        problem: `${subject} an address that no server can have, such as a multicast or reserved one.`,
      };
    }
    if (reachOf(target.origin) !== "local" && ips.some((ip) => reachOf(ip) === "local")) {
      return {
        answered: false,
        problem:
          `${subject} a loopback or private address, which only servers in the same network may use. Give --address a public one.`,
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

  /** Pings all addresses at once. The first answer wins; without one the outcome lists every failure. */
  async #pingFirst(ips: string[], target: PingTarget, limit: AbortSignal): Promise<PingOutcome> {
    const pings = ips.map(async (ip) => {
      const outcome = await this.#pingOne(ip, target, limit);
      // Promise.any takes the first that resolves, so a missing answer must reject.
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
      // A server that was reached settles the outcome. Otherwise a failure of the listing makes it unknown.
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
      // The ping observes the limit itself. The race keeps the time limit independent of how the runtime aborts.
      const outcome = await unlessAborted(pingOne(request, limit), limit);
      return outcome.answered ? outcome : { answered: false, problem: `${tried}: ${outcome.problem}.` };
    } catch (error) {
      const why = limit.aborted
        ? `the server did not answer within ${this.#timeoutMs / 1000} s`
        : describeFailure(error);
      const problem = `${tried}: ${why}.`;
      if (isOutOfDescriptors(error)) return unasked(problem);
      // A refused connection proves that the host is up.
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

/** Recognizes EMFILE and ENFILE, which have no error class in Deno. */
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

/** Describes a connection failure in our own words: the runtime's may contain the peer's text, as in a certificate. */
function describeFailure(error: unknown): string {
  if (error instanceof Deno.errors.ConnectionRefused) return "the connection was refused";
  if (error instanceof Deno.errors.InvalidData) {
    return "TLS failed: the server does not use TLS, or its certificate is not trusted or is for another name";
  }
  if (error instanceof Deno.errors.ConnectionReset || error instanceof Deno.errors.BrokenPipe) {
    return "the server closed the connection without an answer";
  }
  if (error instanceof Deno.errors.UnexpectedEof) return "the server closed the connection without an answer";
  return "no connection could be made";
}

/** Rejects as soon as `limit` is aborted; `work` continues and its result is ignored. */
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

/**
 * Which web pages a server answers, PROTOCOL.md §7.7: browsers reach loopback and private networks for pages of any
 * site. It judges what a browser says of a page, and the address at which the connection arrived. Programs may ask.
 *
 * @module
 */
import { isLoopback, normalizeIp, parseAddress, reachOf } from "../address.ts";
import type { NowMs } from "../clock.ts";
import type { Logger } from "../logging/log.ts";
import { LogThrottle } from "../logging/throttle.ts";

/** The settings that it reads at each request. */
export interface PageRules {
  /** Origins as browsers write them, `null`, or `*` for all; undefined: as the address of arrival says. */
  readonly allowedOrigins: readonly string[] | undefined;
  /** A trusted proxy makes the server a public one. */
  readonly trustProxy: boolean;
  /** The address that listings show, with the server's own host. */
  readonly address?: string | undefined;
}

/** Where a connection arrived: on this machine, in a private network, or where all hosts may connect. */
export type Arrival = "loopback" | "private" | "public";

export interface PageRequest {
  readonly arrival: Arrival;
  /** A WebSocket handshake, GET, HEAD or OPTIONS, or any other method. */
  readonly kind: "socket" | "read" | "write";
  /** The header `Origin`, which browsers send with each socket and each write, and with reads of other pages. */
  readonly origin: string | null;
  /** The header `Host`. */
  readonly host: string;
  /** The page is of another site, and this is no link to the server. */
  readonly isCrossSite: boolean;
}

export type PageRefusal = "origin" | "host";

export const PAGE_REFUSALS: Readonly<Record<PageRefusal, string>> = {
  origin: "This web page may not use this server: --allowed-origins of the server names the pages that may",
  host:
    "This host name is not the server's: use its IP address, or name the host in --allowed-origins of the server",
};

/** Decides by `rules` alone; `machineName` is called when needed. Undefined allows the request. */
export function judgePage(
  asked: PageRequest,
  { allowedOrigins, trustProxy, address }: PageRules,
  machineName: () => string | undefined,
): PageRefusal | undefined {
  const isPublic = trustProxy || asked.arrival === "public";
  if (isPublic && (asked.kind === "read" || allowedOrigins === undefined)) return undefined;
  const { origin } = asked;
  // A program: browsers send an origin with sockets and writes.
  if (origin === null && asked.kind !== "read") return undefined;
  if (allowedOrigins?.includes("*") || (origin !== null && allowedOrigins?.includes(origin))) {
    return undefined;
  }
  const host = readHost(asked.host);
  const own = address === undefined ? undefined : hostOfAddress(address);
  const isOfLoopback = (name: string) => isLoopbackName(name) || name === machineName();
  if (asked.arrival === "loopback" && !isPublic) {
    const isKnown = isIp(host.name) || isOfLoopback(host.name) || host.name === own ||
      allowedOrigins?.some((origin) => readOrigin(origin)?.name === host.name);
    // A site can point its own name here. It cannot do so with a name without a dot.
    if (!isKnown && (origin !== null || host.name.includes("."))) return "host";
  }
  if (origin === null) return asked.isCrossSite ? "origin" : undefined;
  const page = readOrigin(origin);
  if (allowedOrigins === undefined) {
    if (FROM_DISK.has(origin)) return undefined;
    const isSame = page?.name === host.name ||
      (page !== undefined && isOfLoopback(page.name) && isOfLoopback(host.name));
    return isSame ? undefined : "origin";
  }
  // Some proxies leave out the port.
  const isOwn = page?.name === host.name && (host.port === "" || page.port === host.port);
  return isOwn || (page !== undefined && page.name === own) ? undefined : "origin";
}

/** Origins of pages that a person opened from a file. A sandboxed frame of any site has the first too. */
const FROM_DISK: ReadonlySet<string> = new Set(["null", "file://"]);

interface Place {
  /** In lower case, without brackets and the dot of the root; IP addresses normalized. */
  readonly name: string;
  /** Empty if it is not given. */
  readonly port: string;
}

const NOWHERE: Place = { name: "", port: "" };
/** Characters of an origin and of a host: a name has 253, and either may have a scheme and a port. */
const LENGTH_MAX = 300;

function readHost(host: string): Place {
  if (host.length > LENGTH_MAX || /[@/\\?#]/.test(host)) return NOWHERE;
  const url = URL.parse(`http://${host}`);
  return url === null ? NOWHERE : { name: nameOf(url.hostname), port: /:([0-9]+)$/.exec(host)?.[1] ?? "" };
}

function readOrigin(origin: string): Place | undefined {
  const url = origin.length > LENGTH_MAX ? null : URL.parse(origin);
  if (url === null || url.hostname === "") return undefined;
  const usual = url.protocol === "https:" ? "443" : "80";
  return { name: nameOf(url.hostname), port: url.port || usual };
}

function nameOf(hostname: string): string {
  const name = hostname.toLowerCase().replace(/^\[(.*)\]$/, "$1").replace(/\.$/, "");
  return normalizeIp(name) ?? name;
}

/** The host of `--address`; undefined if it names none. */
function hostOfAddress(address: string): string | undefined {
  const read = parseAddress(address, UNNAMED);
  return "problem" in read || read.host === UNNAMED ? undefined : nameOf(read.host);
}

/** In place of a missing host. */
const UNNAMED = "unnamed.invalid";

function isIp(name: string): boolean {
  return normalizeIp(name) !== undefined;
}

/** Browsers resolve localhost and all names below it by themselves. 0.0.0.0 reaches this machine too. */
function isLoopbackName(name: string): boolean {
  return name === "localhost" || name.endsWith(".localhost") || name === "0.0.0.0" || name === "::" ||
    isLoopback(name);
}

/** Addresses whose arrival is kept, since each request needs it. */
const ARRIVALS_MAX = 1024;
const arrivals = new Map<string, Arrival>();

/** `address` is the IP address at which a connection arrived; other text, as of a platform's socket, is public. */
export function arrivalAt(address: string): Arrival {
  const kept = arrivals.get(address);
  if (kept !== undefined) return kept;
  const isOpen = normalizeIp(address) === undefined || reachOf(address) === "public";
  const arrival = isLoopback(address) ? "loopback" : isOpen ? "public" : "private";
  if (arrivals.size >= ARRIVALS_MAX) arrivals.clear();
  arrivals.set(address, arrival);
  return arrival;
}

export interface PageAccessOptions {
  /** The settings in force. */
  readonly rules: PageRules;
  /** True on a platform that puts its own network before the server. */
  readonly isPublic?: boolean;
  readonly steadyMs: NowMs;
  readonly log: Logger;
}

/** Judges requests, and logs refusals, because a page cannot see why it was refused. */
export class PageAccess {
  readonly #options: PageAccessOptions;
  readonly #throttle: LogThrottle;
  #machineName: string | undefined;

  constructor(options: PageAccessOptions) {
    this.#options = options;
    this.#throttle = new LogThrottle(options.steadyMs);
  }

  /** `arrivedAt` is the address at which the connection arrived. Undefined allows the request. */
  judge(request: Request, arrivedAt: string): PageRefusal | undefined {
    const { rules, isPublic = false } = this.#options;
    const arrival = isPublic ? "public" : arrivalAt(arrivedAt);
    return judgePage(readRequest(request, arrival), rules, this.#readMachineName);
  }

  /** As `judge`, and logs a refusal, at most once a second. */
  refuse(request: Request, arrivedAt: string): PageRefusal | undefined {
    const refused = this.judge(request, arrivedAt);
    if (refused !== undefined) {
      const { origin, host } = readRequest(request, "public");
      const shown = (text: string | null) => text?.slice(0, LENGTH_MAX);
      this.#throttle.log((suppressed) =>
        this.#options.log.warn("page.refused", {
          because: refused,
          origin: shown(origin),
          host: shown(host),
          flag: "--allowed-origins",
          suppressed,
        })
      );
    }
    return refused;
  }

  /** The system's file, because the runtime's own call needs one more permission. Empty where there is none. */
  readonly #readMachineName = (): string | undefined => {
    if (this.#machineName === undefined) {
      try {
        this.#machineName = nameOf(Deno.readTextFileSync("/etc/hostname").trim());
      } catch {
        this.#machineName = "";
      }
    }
    return this.#machineName || undefined;
  };
}

const READS: ReadonlySet<string> = new Set(["GET", "HEAD", "OPTIONS"]);

/** Reads a header only if it is needed. */
function readRequest(request: Request, arrival: Arrival): PageRequest {
  const { headers, method, url } = request;
  return {
    arrival,
    kind: isHandshake(request) ? "socket" : READS.has(method) ? "read" : "write",
    get origin() {
      return headers.get("origin");
    },
    get host() {
      // HTTP/2 has no such header.
      return headers.get("host") ?? new URL(url).host;
    },
    get isCrossSite() {
      return headers.get("sec-fetch-site") === "cross-site" && headers.get("sec-fetch-mode") !== "navigate";
    },
  };
}

export function isHandshake({ method, headers }: Request): boolean {
  return method === "GET" && headers.get("upgrade")?.toLowerCase() === "websocket";
}

/**
 * Which web pages a server answers, PROTOCOL.md §7.7: browsers reach loopback and private networks for pages of any
 * site. It judges what a browser says of a page, and the address at which the connection arrived. Programs may ask.
 *
 * @module
 */
import { isLoopback, normalizeIp, parseAddress, reachOf } from "../address.ts";
import type { NowMs } from "../clock.ts";
import { kept } from "../text/kept_results.ts";
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

/** Decides by `rules`, and by names that lead to this machine where it asks for them. Undefined allows the request. */
export function judgePage(
  asked: PageRequest,
  { allowedOrigins, trustProxy, address }: PageRules,
  isNameOfMachine: (name: string) => boolean,
): PageRefusal | undefined {
  const isPublic = trustProxy || asked.arrival === "public";
  if (isPublic && (allowedOrigins === undefined || asked.kind === "read")) return undefined;
  const { origin } = asked;
  if (allowedOrigins?.includes("*") || (origin !== null && allowedOrigins?.includes(origin))) {
    return undefined;
  }
  const host = readHost(asked.host);
  const own = address === undefined ? undefined : hostOfAddress(address);
  const isOfLoopback = (name: string) => isLoopbackName(name) || isNameOfMachine(name);
  const isForeign = asked.arrival === "loopback" && !isPublic && !isIp(host.name) &&
    !isOfLoopback(host.name) && host.name !== own &&
    !allowedOrigins?.some((origin) => readOrigin(origin)?.name === host.name);
  if (origin === null) {
    // A site can point its own name here. It cannot do so with a name without a dot.
    const refused = isForeign && host.name.includes(".") ? "host" : asked.isCrossSite ? "origin" : undefined;
    // Browsers send an origin with sockets and writes, so a program sent these.
    return refused !== undefined && asked.kind === "read" ? refused : undefined;
  }
  if (isForeign) return "host";
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
export const LENGTH_MAX = 300;

/** Kept, because most requests have the same. */
let lastHost = "";
let lastPlace = NOWHERE;

function readHost(host: string): Place {
  if (host !== lastHost) [lastHost, lastPlace] = [host, parseHost(host)];
  return lastPlace;
}

function parseHost(host: string): Place {
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

/** `address` is the IP address at which a connection arrived; other text, as of a platform's socket, is public. */
export const arrivalAt: (address: string) => Arrival = kept(ARRIVALS_MAX, (address) => {
  const isOpen = normalizeIp(address) === undefined || reachOf(address) === "public";
  return isLoopback(address) ? "loopback" : isOpen ? "public" : "private";
});

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

  constructor(options: PageAccessOptions) {
    this.#options = options;
    this.#throttle = new LogThrottle(options.steadyMs);
  }

  /** `arrivedAt` is the address at which the connection arrived. Undefined allows the request. */
  judge(request: Request, arrivedAt: string): PageRefusal | undefined {
    const { rules, isPublic = false } = this.#options;
    const arrival = isPublic ? "public" : arrivalAt(arrivedAt);
    return judgePage(new ReadRequest(request, arrival), rules, isNameOfMachine);
  }

  /** As `judge`, and logs a refusal, at most once a second. */
  refuse(request: Request, arrivedAt: string): PageRefusal | undefined {
    const refused = this.judge(request, arrivedAt);
    if (refused !== undefined) {
      const { origin, host } = new ReadRequest(request, "public");
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
}

/** Bytes read of a file of the system. Longer ones are lists of blocked sites. */
const SYSTEM_FILE_BYTES_MAX = 65_536;
let machineNames: ReadonlySet<string> | undefined;

/**
 * True for the machine's name, and for names that its administrator has led to loopback. Read once, from files, because
 * the runtime's own call needs one more permission.
 */
function isNameOfMachine(name: string): boolean {
  machineNames ??= new Set([
    systemFile("/etc/hostname").trim(),
    ...namesOfLoopback(systemFile("/etc/hosts")),
  ]);
  return name !== "" && machineNames.has(name);
}

/** The names that a hosts file leads to loopback. */
export function namesOfLoopback(hosts: string): string[] {
  return hosts.split("\n").flatMap((line) => {
    const [address = "", ...names] = line.split("#", 1)[0]!.trim().split(/\s+/);
    return isLoopback(address) ? names.map(nameOf) : [];
  });
}

function systemFile(path: string): string {
  try {
    using file = Deno.openSync(path);
    const bytes = new Uint8Array(SYSTEM_FILE_BYTES_MAX);
    return new TextDecoder().decode(bytes.subarray(0, file.readSync(bytes) ?? 0));
  } catch {
    return "";
  }
}

const READS: ReadonlySet<string> = new Set(["GET", "HEAD", "OPTIONS"]);

/** Reads a part of the request only if it is needed: each has a cost. */
class ReadRequest implements PageRequest {
  readonly arrival: Arrival;
  readonly #request: Request;

  constructor(request: Request, arrival: Arrival) {
    this.#request = request;
    this.arrival = arrival;
  }

  get kind(): PageRequest["kind"] {
    return isHandshake(this.#request) ? "socket" : READS.has(this.#request.method) ? "read" : "write";
  }

  get origin(): string | null {
    return this.#request.headers.get("origin");
  }

  get host(): string {
    // HTTP/2 has no such header.
    return this.#request.headers.get("host") ?? new URL(this.#request.url).host;
  }

  get isCrossSite(): boolean {
    const { headers } = this.#request;
    return headers.get("sec-fetch-site") === "cross-site" && headers.get("sec-fetch-mode") !== "navigate";
  }
}

export function isHandshake({ method, headers }: Request): boolean {
  return method === "GET" && headers.get("upgrade")?.toLowerCase() === "websocket";
}

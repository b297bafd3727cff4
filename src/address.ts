/**
 * Parses and formats server addresses (`host:port`) and classifies IP addresses, PROTOCOL.md §9. Pure: it resolves no
 * names. The listing's rules decide which addresses an origin may name.
 *
 * @module
 */
import ipaddr from "ipaddr.js";
import { ADDRESS_LENGTH_MAX, DEFAULT_PORT } from "./announcement/announcement.ts";
import { kept } from "./text/kept_results.ts";

const PORT_MAX = 65_535;
const TLS_PORT = 443;
/** Characters of a host name, RFC 1035 §2.3.4; a label has at most 63. */
const HOST_LENGTH_MAX = 253;
const LABEL = /^[a-z0-9_](?:[a-z0-9_-]{0,61}[a-z0-9_])?$/;
// Many resolvers read these as numbers: 2130706433, 0x7f.1 and 127.1 all mean 127.0.0.1.
const NUMERIC_LABEL = /^(?:[0-9]+|0x[0-9a-f]*)$/;

export interface ServerAddress {
  /** A host name in lower case or an IP address, IPv6 without brackets. */
  readonly host: string;
  readonly port: number;
  /** True for `wss://` and for port 443. */
  readonly tls: boolean;
}

/** A clause that starts with "it" and says what is wrong and what is allowed. */
export interface AddressProblem {
  readonly problem: string;
}

/**
 * Parses `host:port`, `host`, `[v6]:port`, `[v6]` or `:port`, optionally after `wss://` or `ws://`. The default host
 * is `origin`, an IP address; the default port is 5000, or 443 after `wss://`.
 */
export function parseAddress(written: string, origin: string): ServerAddress | AddressProblem {
  if (written.length > ADDRESS_LENGTH_MAX) {
    return { problem: `it has more than ${ADDRESS_LENGTH_MAX} characters` };
  }
  // Before lowercasing, which turns U+212A (the Kelvin sign) into an ASCII k.
  if (!/^\p{ASCII}*$/u.test(written)) {
    return {
      problem: "only ASCII is allowed; write a name with other letters in punycode, as in xn--",
    };
  }
  const text = written.toLowerCase();
  const scheme = /^([a-z][a-z0-9+.-]*):\/\//.exec(text);
  if (scheme && scheme[1] !== "wss" && scheme[1] !== "ws") {
    return { problem: `it starts with ${scheme[1]}://; only wss:// and ws:// are allowed` };
  }
  const place = scheme ? text.slice(scheme[0].length) : text;
  if (/[/?#\\]/.test(place)) return { problem: "it has a path; no path is allowed" };
  if (place.includes("@")) return { problem: "it has credentials; none are allowed" };
  const parts = /^(\[[^\[\]]*\]|[^:]*)(?::([^:]*))?$/.exec(place);
  if (!parts) return { problem: "it has too many colons; write an IPv6 address in brackets" };
  const [, hostText = "", portText] = parts;
  const explicitTls = scheme?.[1] === "wss";
  const port = portText === undefined ? (explicitTls ? TLS_PORT : DEFAULT_PORT) : parsePort(portText);
  if (port === undefined) return { problem: `its port is not a number from 1 to ${PORT_MAX}` };
  const host = hostText === "" && portText !== undefined ? origin : parseHost(hostText);
  if (host === undefined) return { problem: "its host is neither a host name nor an IP address" };
  return { host, port, tls: explicitTls || port === TLS_PORT };
}

function parsePort(text: string): number | undefined {
  const port = /^[0-9]{1,5}$/.test(text) ? Number(text) : 0;
  return port >= 1 && port <= PORT_MAX ? port : undefined;
}

function parseHost(text: string): string | undefined {
  if (text.startsWith("[")) {
    const inner = text.slice(1, -1);
    // A zone, as in fe80::1%eth0, is valid only on the machine that wrote it.
    return inner.includes("%") || !ipaddr.IPv6.isValid(inner) ? undefined : normalizeIp(inner);
  }
  if (ipaddr.IPv4.isValidFourPartDecimal(text)) return text;
  const name = text.endsWith(".") ? text.slice(0, -1) : text;
  const labels = name.split(".");
  if (name.length > HOST_LENGTH_MAX || !labels.every((label) => LABEL.test(label))) return undefined;
  return NUMERIC_LABEL.test(labels.at(-1) ?? "") ? undefined : name;
}

/** Formats an address with its port; `wss://` only if the port does not imply TLS. */
export function formatAddress(address: ServerAddress): string {
  const prefix = address.tls && address.port !== TLS_PORT ? "wss://" : "";
  return `${prefix}${bracketed(address.host)}:${address.port}`;
}

/** The WebSocket URL of an address; undefined if invalid. `http://` implies port 80, as in a browser. */
export function parseServerUrl(text: string): string | undefined {
  const [, scheme = "", place = "", path = ""] =
    /^(?:(wss?|https?):\/\/)?([^/?#]*)(\/[^#\s]*)?$/i.exec(text.trim()) ?? [];
  if (place === "" || (scheme === "" && path !== "")) return undefined;
  const isTls = /^(?:wss|https)$/i.test(scheme);
  const webPort = /^http$/i.test(scheme) && !/:[0-9]*$/.test(place) ? ":80" : "";
  const address = parseAddress(`${isTls ? "wss://" : ""}${place}${webPort}`, "127.0.0.1");
  if ("problem" in address) return undefined;
  const { host, port, tls } = address;
  return `${tls ? "wss" : "ws"}://${bracketed(host)}:${port}${path === "/" ? "" : path}`;
}

/** Puts an IPv6 address into brackets, as before a port. */
export function bracketed(host: string): string {
  return host.includes(":") ? `[${host}]` : host;
}

/** Normalized addresses kept, since each request needs its peer's, and the longest text kept. */
export const KNOWN_FORMS_MAX = 1024;
const IP_LENGTH_MAX = "ffff:ffff:ffff:ffff:ffff:ffff:255.255.255.255".length;
const keptForm = kept(KNOWN_FORMS_MAX, formOfIp);

/** The canonical form of an IP address: mapped IPv4 as IPv4, no zone, IPv6 shortened; undefined for other text. */
export function normalizeIp(text: string): string | undefined {
  return text.length > IP_LENGTH_MAX ? formOfIp(text) : keptForm(text);
}

function formOfIp(text: string): string | undefined {
  const bare = text.split("%")[0] ?? "";
  // The library's patterns take quadratic time.
  if (bare.length > IP_LENGTH_MAX) return undefined;
  if (ipaddr.IPv4.isValidFourPartDecimal(text)) return text;
  if (!ipaddr.IPv6.isValid(bare)) return undefined;
  const ip = ipaddr.IPv6.parse(bare);
  return ip.isIPv4MappedAddress() ? ip.toIPv4Address().toString() : ip.toRFC5952String();
}

/**
 * Who can reach an IP address: all hosts (`public`), hosts on the same machine or network (`local`), or no host that
 * means a server (`none`: multicast, unspecified, reserved, cloud metadata).
 */
export type Reach = "public" | "local" | "none";

const LOCAL_RANGES = new Set(["loopback", "private", "linkLocal", "carrierGradeNat", "uniqueLocal"]);

// Cloud metadata services, which give credentials to programs inside. 168.63.129.16 looks public and is Azure's.
const METADATA = new Set([
  "169.254.169.254",
  "169.254.170.2",
  "100.100.100.200",
  "168.63.129.16",
  "fd00:ec2::254",
  "fd20:ce::254",
]);

// All IPv6 addresses routed today are in 2000::/3.
const GLOBAL_IPV6 = ipaddr.IPv6.parse("2000::");

/** Classifies an IP address; IPv6 with an embedded IPv4 address by that. */
export function reachOf(ip: string): Reach {
  const normalized = normalizeIp(ip);
  if (normalized === undefined || METADATA.has(normalized)) return "none";
  const address = ipaddr.parse(normalized);
  if (address instanceof ipaddr.IPv6) {
    const inner = innerIpv4(address);
    if (inner !== undefined) return reachOf(inner);
  }
  const range = address.range();
  if (LOCAL_RANGES.has(range)) return "local";
  if (range !== "unicast") return "none";
  return address instanceof ipaddr.IPv6 && !address.match(GLOBAL_IPV6, 3) ? "none" : "public";
}

const EMBEDDINGS: readonly { prefix: readonly number[]; at: number }[] = [
  { prefix: [0, 0, 0, 0, 0, 0], at: 6 }, // ::/96, IPv4-compatible, RFC 4291 §2.5.5.1
  { prefix: [0, 0, 0, 0, 0xffff, 0], at: 6 }, // ::ffff:0:0:0/96, RFC 2765
  { prefix: [0x64, 0xff9b, 0, 0, 0, 0], at: 6 }, // 64:ff9b::/96, NAT64, RFC 6052
  { prefix: [0x2002], at: 1 }, // 2002::/16, 6to4, RFC 3056
];

/** The IPv4 address to which a gateway would route `ip`; `::` and `::1` embed none. */
function innerIpv4(ip: ipaddr.IPv6): string | undefined {
  const { parts } = ip;
  const range = ip.range();
  if (range === "loopback" || range === "unspecified") return undefined;
  const found = EMBEDDINGS.find(({ prefix }) => prefix.every((part, i) => parts[i] === part));
  if (found === undefined) return undefined;
  const [high = 0, low = 0] = parts.slice(found.at, found.at + 2);
  return [high >> 8, high & 0xff, low >> 8, low & 0xff].join(".");
}

/**
 * The client address from a trusted proxy's `X-Forwarded-For`: the last entry, with or without a port, because the
 * client may have sent the others. Undefined if it is no IP address.
 */
export function forwardedAddress(header: string | null | undefined): string | undefined {
  const last = header?.split(",").at(-1)?.trim() ?? "";
  const bare = /^\[([^\]]*)\](?::[0-9]+)?$/.exec(last)?.[1] ?? /^([0-9.]+):[0-9]+$/.exec(last)?.[1] ?? last;
  return normalizeIp(bare);
}

export function isLoopback(ip: string): boolean {
  const normalized = normalizeIp(ip);
  return normalized === "::1" || normalized?.startsWith("127.") === true;
}

/** The key of per-address limits: an IPv4 address or the /64 of an IPv6 address; other text unchanged. */
export function addressBlock(ip: string): string {
  const normalized = normalizeIp(ip);
  return normalized?.includes(":") ? networkOf(normalized, 4) : normalized ?? ip;
}

/** The /48 of an IPv6 address, the largest network of one site, with 65,536 blocks; undefined for other text. */
export function addressSite(ip: string): string | undefined {
  const normalized = normalizeIp(ip);
  return normalized?.includes(":") ? networkOf(normalized, 3) : undefined;
}

/** The network of the first `parts` groups of 16 bits. */
function networkOf(ipv6: string, parts: number): string {
  const network = ipaddr.IPv6.parse(ipv6).parts.slice(0, parts);
  return `${network.map((part) => part.toString(16)).join(":")}::/${16 * parts}`;
}

/** Blocks of one site that may use their whole share on a chat server. Hosters give each customer a /64 of one /48. */
export const BLOCKS_PER_SITE = 4;

/** Addresses that a limit counts as one; they may have `times` the limit. */
export interface AddressPlace {
  readonly key: string;
  readonly times: number;
}

/** The places that an address counts for on a chat server: its block and, in IPv6, its site. */
export function placesOf(ip: string): readonly [AddressPlace, AddressPlace?] {
  const block = { key: addressBlock(ip), times: 1 };
  const site = addressSite(ip);
  return site === undefined ? [block] : [block, { key: site, times: BLOCKS_PER_SITE }];
}

/** True if other machines can reach a server that listens on `hostname`. */
export function isPublicHost(hostname: string): boolean {
  return hostname !== "localhost" && !isLoopback(hostname);
}

/** The URL host by which programs on this machine reach a server that listens on `hostname`. */
export function reachableHost(hostname: string): string {
  if (hostname === "0.0.0.0" || hostname === "::") return "localhost";
  return bracketed(hostname);
}

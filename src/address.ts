/**
 * Where a server is and where a request comes from: `host:port` texts read and written, IP addresses and
 * the ranges that they lie in, PROTOCOL.md §9.
 *
 * Pure: names are not resolved here, and who may name which address is the listing's rule.
 *
 * @module
 */
import ipaddr from "ipaddr.js";
import { ADDRESS_LENGTH_MAX, DEFAULT_PORT } from "./announcement/announcement.ts";

const PORT_MAX = 65_535;
const TLS_PORT = 443;
/** Characters of a host name and of one of its labels, RFC 1035 §2.3.4. */
const HOST_LENGTH_MAX = 253;
const LABEL = /^[a-z0-9_](?:[a-z0-9_-]{0,61}[a-z0-9_])?$/;
// What the resolver of many systems takes for a number: 2130706433, 0x7f.1 and 127.1 are all 127.0.0.1.
const NUMERIC_LABEL = /^(?:[0-9]+|0x[0-9a-f]*)$/;

export interface ServerAddress {
  /** A host name in lower case, or an IP address as text, IPv6 without brackets. */
  readonly host: string;
  readonly port: number;
  /** Whether the server is reached by TLS: said by `wss://`, or by port 443. */
  readonly tls: boolean;
}

/** What is wrong with an address, as half a sentence that goes on with what is allowed. */
export interface AddressProblem {
  readonly problem: string;
}

/**
 * Reads `host:port`, `host`, `[v6]:port`, `[v6]` or `:port`, each also with `wss://` or `ws://` in front.
 *
 * Without a host it is `origin`, an IP address; without a port it is 5000, or 443 after `wss://`.
 */
export function parseAddress(written: string, origin: string): ServerAddress | AddressProblem {
  if (written.length > ADDRESS_LENGTH_MAX) {
    return { problem: `it is longer than ${ADDRESS_LENGTH_MAX} characters` };
  }
  // Before the letters are folded: U+212A, the Kelvin sign, is a small k then.
  if (!/^\p{ASCII}*$/u.test(written)) {
    return {
      problem: "it has characters beyond ASCII; a name of other letters is written in punycode, as xn--",
    };
  }
  const text = written.toLowerCase();
  const scheme = /^([a-z][a-z0-9+.-]*):\/\//.exec(text);
  if (scheme && scheme[1] !== "wss" && scheme[1] !== "ws") {
    return { problem: `it starts with ${scheme[1]}://, and only wss:// and ws:// are known` };
  }
  const place = scheme ? text.slice(scheme[0].length) : text;
  if (/[/?#\\]/.test(place)) return { problem: "it has a path, and every server is at /" };
  if (place.includes("@")) return { problem: "it has credentials" };
  const parts = /^(\[[^\[\]]*\]|[^:]*)(?::([^:]*))?$/.exec(place);
  if (!parts) return { problem: "it has too many colons; an IPv6 address is written in brackets" };
  const [, hostText = "", portText] = parts;
  const explicitTls = scheme?.[1] === "wss";
  const port = portText === undefined ? (explicitTls ? TLS_PORT : DEFAULT_PORT) : parsePort(portText);
  if (port === undefined) return { problem: `its port is not a number of 1 to ${PORT_MAX}` };
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
    // A zone, as in fe80::1%eth0, has a meaning only on the machine that wrote it.
    return inner.includes("%") || !ipaddr.IPv6.isValid(inner) ? undefined : normalizeIp(inner);
  }
  if (ipaddr.IPv4.isValidFourPartDecimal(text)) return text;
  const name = text.endsWith(".") ? text.slice(0, -1) : text;
  const labels = name.split(".");
  if (name.length > HOST_LENGTH_MAX || !labels.every((label) => LABEL.test(label))) return undefined;
  return NUMERIC_LABEL.test(labels.at(-1) ?? "") ? undefined : name;
}

/** Writes an address as everybody sees it: always with its port, `wss://` only where the port does not say it. */
export function formatAddress(address: ServerAddress): string {
  const prefix = address.tls && address.port !== TLS_PORT ? "wss://" : "";
  return `${prefix}${bracketed(address.host)}:${address.port}`;
}

/**
 * The WebSocket URL that an address stands for; undefined where it is none. `http://` without a port is port 80, as
 * in a browser; everything else without one is as PROTOCOL.md §9.2 has it.
 */
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

/** The host as it stands before a colon: IPv6 in brackets. */
export function bracketed(host: string): string {
  return host.includes(":") ? `[${host}]` : host;
}

/** Addresses whose one form is remembered, since every request asks for its peer's, and the longest text of one. */
export const KNOWN_FORMS_MAX = 1024;
const IP_LENGTH_MAX = "ffff:ffff:ffff:ffff:ffff:ffff:255.255.255.255".length;
const knownForms = new Map<string, string>();

/**
 * An IP address in its one form: IPv4 also where it came mapped into IPv6, no zone, IPv6 shortened.
 * Undefined for anything else; the short and octal forms of IPv4 are anything else.
 */
export function normalizeIp(text: string): string | undefined {
  const known = knownForms.get(text);
  if (known !== undefined) return known;
  const form = formOfIp(text);
  if (form !== undefined && text.length <= IP_LENGTH_MAX) {
    if (knownForms.size >= KNOWN_FORMS_MAX) knownForms.clear();
    knownForms.set(text, form);
  }
  return form;
}

function formOfIp(text: string): string | undefined {
  if (ipaddr.IPv4.isValidFourPartDecimal(text)) return text;
  const bare = text.split("%")[0] ?? "";
  if (!ipaddr.IPv6.isValid(bare)) return undefined;
  const ip = ipaddr.IPv6.parse(bare);
  return ip.isIPv4MappedAddress() ? ip.toIPv4Address().toString() : ip.toRFC5952String();
}

/**
 * Who can reach an IP address: everybody (`public`), those on the same machine or network (`local`), or nobody
 * who means a server (`none`: multicast, unspecified, reserved, and where clouds keep their metadata).
 */
export type Reach = "public" | "local" | "none";

const LOCAL_RANGES = new Set(["loopback", "private", "linkLocal", "carrierGradeNat", "uniqueLocal"]);

// They give credentials to whoever asks from inside, and never is a chat server there. 168.63.129.16 looks
// public and is Azure's.
const METADATA = new Set([
  "169.254.169.254",
  "169.254.170.2",
  "100.100.100.200",
  "168.63.129.16",
  "fd00:ec2::254",
  "fd20:ce::254",
]);

// An allow-list for IPv6: all that is routed today lies in 2000::/3.
const GLOBAL_IPV6 = ipaddr.IPv6.parse("2000::");

/** Judges an IP address; one that carries an IPv4 address inside is judged by that. */
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

/** The IPv4 address to which a gateway would pass packets for `ip`; `::` and `::1` carry none. */
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
 * The address that a trusted proxy names in `X-Forwarded-For`: the last entry, with or without a port. Those before
 * it are whatever the client sent. Undefined where there is none that is an IP address.
 */
export function forwardedAddress(header: string | null | undefined): string | undefined {
  const last = header?.split(",").at(-1)?.trim() ?? "";
  const bare = /^\[([^\]]*)\](?::[0-9]+)?$/.exec(last)?.[1] ?? /^([0-9.]+):[0-9]+$/.exec(last)?.[1] ?? last;
  return normalizeIp(bare);
}

/** Whether an IP address is the machine's own. */
export function isLoopback(ip: string): boolean {
  const normalized = normalizeIp(ip);
  return normalized !== undefined && ipaddr.parse(normalized).range() === "loopback";
}

/**
 * What limits per address count by: the IPv4 address, or the /64 of an IPv6 address, since whoever has one has
 * all of its 2^64. Text that is no IP address stands for itself.
 */
export function addressBlock(ip: string): string {
  const normalized = normalizeIp(ip);
  if (normalized === undefined || !normalized.includes(":")) return normalized ?? ip;
  const network = ipaddr.IPv6.parse(normalized).parts.slice(0, 4);
  return `${network.map((part) => part.toString(16)).join(":")}::/64`;
}

/**
 * The /48 that an IPv6 address lies in, as far as one site can have its own: whoever has one has 65,536 of the
 * networks that `addressBlock` tells apart. Undefined for anything else.
 */
export function addressSite(ip: string): string | undefined {
  const normalized = normalizeIp(ip);
  if (normalized === undefined || !normalized.includes(":")) return undefined;
  const site = ipaddr.IPv6.parse(normalized).parts.slice(0, 3);
  return `${site.map((part) => part.toString(16)).join(":")}::/48`;
}

/** Whether others than this machine can reach a server that listens there. */
export function isPublicHost(hostname: string): boolean {
  return hostname !== "localhost" && !isLoopback(hostname);
}

/** The host in a URL, with which a program of this machine reaches a server that listens on `hostname`. */
export function reachableHost(hostname: string): string {
  if (hostname === "0.0.0.0" || hostname === "::") return "localhost";
  return bracketed(hostname);
}

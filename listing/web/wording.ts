/**
 * The words of the listing's page about a server, used by the server for the first page and by the browser for
 * updates. Pure; the fields are those of docs/listing_api.md §9.7.
 *
 * @module
 */

export interface Server {
  readonly id: number;
  readonly displayName: string;
  readonly address: string;
  readonly connectedUsers: number;
  readonly peakUsers: number;
  readonly maxUsers: number;
  readonly onlineSince: number;
  readonly roundTripMs: number;
  readonly uptime: number;
  readonly description?: string;
  readonly tags?: readonly string[];
  readonly language?: string;
}

const MINUTE_MS = 60_000;
const HOUR_MS = 60 * MINUTE_MS;
const DAY_MS = 24 * HOUR_MS;

/** The URL of a server's web client; undefined if `address` is invalid. */
export function webAddress(address: string): string | undefined {
  const isTls = address.startsWith("wss://") || address.endsWith(":443");
  const place = address.replace(/^wss?:\/\//, "");
  // Letters, digits and the characters of an IPv6 address: none can start another part of a URL.
  if (!/^(?:[a-z0-9._-]+|\[[0-9a-f:.]+\]):[0-9]{1,5}$/.test(place)) return undefined;
  const url = `${isTls ? "https" : "http"}://${place}/`;
  return URL.canParse(url) ? new URL(url).href : undefined;
}

/** In the largest unit that fits. */
export function duration(ms: number): string {
  if (ms < MINUTE_MS) return "< 1 min";
  if (ms < HOUR_MS) return `${Math.floor(ms / MINUTE_MS)} min`;
  if (ms < 2 * DAY_MS) return `${Math.floor(ms / HOUR_MS)} h`;
  return `${Math.floor(ms / DAY_MS)} days`;
}

/** A share of 0 to 1 as percent; only exactly 1 is 100 %. */
export function percent(share: number): string {
  return `${share === 1 ? 100 : (Math.floor(share * 1000) / 10).toFixed(1)} %`;
}

export function isFull({ connectedUsers, maxUsers }: Pick<Server, "connectedUsers" | "maxUsers">): boolean {
  return connectedUsers >= maxUsers;
}

export function fill(server: Server): string {
  return `${grouped(server.connectedUsers)} of ${grouped(server.maxUsers)}${isFull(server) ? ", full" : ""}`;
}

/** What a button of a row says to those who do not see the row; it begins with the words that are seen. */
export function copyLabel(displayName: string): string {
  return `Copy the address of ${displayName}`;
}

export function joinLabel(server: Pick<Server, "displayName" | "connectedUsers" | "maxUsers">): string {
  return `Join ${server.displayName}${isFull(server) ? ", which is full" : ""}`;
}

/** The servers that are shown, of how many, and the people on them. */
export function summary(shown: Iterable<Pick<Server, "connectedUsers">>, total?: number): string {
  let count = 0;
  let people = 0;
  for (const { connectedUsers } of shown) {
    count++;
    people += connectedUsers;
  }
  const servers = total === undefined || total === count
    ? counted(count, "server", "servers")
    : `${grouped(count)} of ${counted(total, "server", "servers")}`;
  return `${servers}, ${counted(people, "person", "people")} connected`;
}

/** The classes of a server's icon: one of twelve hues by its id, so that it keeps its colour. */
export function hueOf(id: number): string {
  return `hue-${id % 12}`;
}

/** The first letter of a server's name, for its icon. */
export function initialOf(displayName: string): string {
  const [first = ""] = displayName;
  if (first <= "~") return first.toUpperCase();
  // An emoji or a letter with marks may be several characters.
  letters ??= new Intl.Segmenter();
  for (const { segment } of letters.segment(displayName)) return segment.toUpperCase();
  return "";
}

let letters: Intl.Segmenter | undefined;

export function peakText({ peakUsers }: Pick<Server, "peakUsers">): string {
  return `peak ${grouped(peakUsers)}`;
}

export function counted(count: number, one: string, many: string): string {
  return `${grouped(count)} ${count === 1 ? one : many}`;
}

/** As `1,234,567`, by hand: the first toLocaleString of a page takes a phone 100 ms. */
export function grouped(number: number): string {
  const digits = String(number);
  return number < 1000 ? digits : `${grouped(Math.floor(number / 1000))},${digits.slice(-3)}`;
}

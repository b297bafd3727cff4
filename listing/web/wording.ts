/**
 * How the listing's page words what a server is: the same on the server, which writes the first page, and in the
 * browser, which goes on from there.
 *
 * Pure. PROTOCOL.md §9.7 says what the fields are.
 *
 * @module
 */

/** A server as GET /servers shows it. */
export interface Server {
  readonly id: number;
  readonly displayName: string;
  readonly address: string;
  readonly connectedUsers: number;
  readonly maxUsers: number;
  readonly onlineSince: number;
  readonly roundTripMs: number;
  readonly uptime: number;
}

const MINUTE_MS = 60_000;
const HOUR_MS = 60 * MINUTE_MS;
const DAY_MS = 24 * HOUR_MS;

/** Where the web client of the server at `address` is; undefined where that is no address. */
export function webAddress(address: string): string | undefined {
  const isTls = address.startsWith("wss://") || address.endsWith(":443");
  const place = address.replace(/^wss?:\/\//, "");
  // Letters, digits and what an IPv6 address has: nothing that could be another part of a URL.
  if (!/^(?:[a-z0-9._-]+|\[[0-9a-f:.]+\]):[0-9]{1,5}$/.test(place)) return undefined;
  const url = `${isTls ? "https" : "http"}://${place}/`;
  return URL.canParse(url) ? new URL(url).href : undefined;
}

/** For how long, in the largest unit that fits. */
export function duration(ms: number): string {
  if (ms < MINUTE_MS) return "< 1 min";
  if (ms < HOUR_MS) return `${Math.floor(ms / MINUTE_MS)} min`;
  if (ms < 2 * DAY_MS) return `${Math.floor(ms / HOUR_MS)} h`;
  return `${Math.floor(ms / DAY_MS)} days`;
}

/** A share of 0 to 1 as percent; only what is whole is 100 %. */
export function percent(share: number): string {
  return `${share === 1 ? 100 : (Math.floor(share * 1000) / 10).toFixed(1)} %`;
}

export function isFull({ connectedUsers, maxUsers }: Server): boolean {
  return connectedUsers >= maxUsers;
}

export function fill(server: Server): string {
  return `${grouped(server.connectedUsers)} of ${grouped(server.maxUsers)}${isFull(server) ? ", full" : ""}`;
}

/** How much of a bar of 100 % is filled. */
export function fillWidth({ connectedUsers, maxUsers }: Server): string {
  return `${Math.min(100, Math.round(connectedUsers / Math.max(1, maxUsers) * 100))}%`;
}

/** How many servers are shown, and how many people are on them. */
export function summary(servers: Iterable<Server>): string {
  let count = 0;
  let people = 0;
  for (const { connectedUsers } of servers) {
    count++;
    people += connectedUsers;
  }
  return `${counted(count, "server", "servers")}, ${counted(people, "person", "people")} connected`;
}

export function counted(count: number, one: string, many: string): string {
  return `${grouped(count)} ${count === 1 ? one : many}`;
}

function grouped(number: number): string {
  return String(number).replace(/\B(?=(?:[0-9]{3})+$)/g, ",");
}

/**
 * A page of the list: sorted, filtered and cut as the query asks, with a cursor to go on, PROTOCOL.md §9.7.
 *
 * Pure. A cursor names the last server of its page by what it was sorted by, so that servers that come and go
 * between two pages shift nothing.
 *
 * @module
 */

/** A server as the list shows it. */
export interface ListedServer {
  readonly id: number;
  readonly displayName: string;
  readonly address: string;
  readonly connectedUsers: number;
  readonly maxUsers: number;
  readonly onlineSince: number;
  readonly roundTripMs: number;
  readonly uptime: number;
}

export const SORTS = ["id", "users", "name", "age"] as const;
export type Sort = (typeof SORTS)[number];

export interface PageQuery {
  readonly sort: Sort;
  /** Part of a name or an address, in any letter case; empty for all. */
  readonly q: string;
  /** False leaves out servers with no room. */
  readonly full: boolean;
  /** False leaves out servers without users. */
  readonly empty: boolean;
  readonly limit: number | undefined;
  readonly after: Cursor | undefined;
}

export interface Page {
  readonly servers: ListedServer[];
  /** Absent on the last page. */
  readonly nextCursor?: string;
}

type SortKey = number | string;

/** The place of the last server of a page. */
export interface Cursor {
  readonly sort: Sort;
  readonly key: SortKey;
  readonly id: number;
}

const SORT_KEYS: { readonly [sort in Sort]: (server: ListedServer) => SortKey } = {
  id: ({ id }) => id,
  users: ({ connectedUsers }) => -connectedUsers,
  name: ({ displayName }) => displayName.toLowerCase(),
  age: ({ onlineSince }) => onlineSince,
};

/** All servers in the order of `sort`: most users first, names as in a dictionary, longest online first. */
export function sortServers(servers: Iterable<ListedServer>, sort: Sort): ListedServer[] {
  const keyOf = SORT_KEYS[sort];
  return [...servers].map((server) => ({ server, key: keyOf(server) }))
    .sort((a, b) => compare(a.key, b.key) || a.server.id - b.server.id)
    .map(({ server }) => server);
}

/** The page that `query` asks for, of servers that `sortServers` has put in order by `query.sort`. */
export function selectPage(sorted: readonly ListedServer[], query: PageQuery): Page {
  const { after, limit = Infinity } = query;
  const keyOf = SORT_KEYS[query.sort];
  const q = query.q.toLowerCase();
  const servers: ListedServer[] = [];
  for (const server of sorted) {
    if (after && (compare(keyOf(server), after.key) || server.id - after.id) <= 0) continue;
    if (!query.full && server.connectedUsers >= server.maxUsers) continue;
    if (!query.empty && server.connectedUsers === 0) continue;
    if (q !== "" && !server.displayName.toLowerCase().includes(q) && !server.address.includes(q)) continue;
    const last = servers.at(-1);
    if (servers.length >= limit && last) {
      return { servers, nextCursor: writeCursor({ sort: query.sort, key: keyOf(last), id: last.id }) };
    }
    servers.push(server);
  }
  return { servers };
}

function compare(a: SortKey, b: SortKey): number {
  return a < b ? -1 : a > b ? 1 : 0;
}

function writeCursor({ sort, key, id }: Cursor): string {
  const bytes = new TextEncoder().encode(JSON.stringify([sort, key, id]));
  return btoa(String.fromCharCode(...bytes)).replaceAll("+", "-").replaceAll("/", "_").replaceAll("=", "");
}

/** Reads what `nextCursor` gave; undefined for anything else. */
export function readCursor(text: string): Cursor | undefined {
  try {
    const binary = atob(text.replaceAll("-", "+").replaceAll("_", "/"));
    const json = new TextDecoder().decode(Uint8Array.from(binary, (char) => char.charCodeAt(0)));
    const [sort, key, id, ...more]: unknown[] = JSON.parse(json);
    if (!SORTS.some((known) => known === sort) || !Number.isSafeInteger(id) || more.length > 0) {
      return undefined;
    }
    if (sort === "name" ? typeof key !== "string" : typeof key !== "number") return undefined;
    return { sort: sort as Sort, key: key as SortKey, id: id as number };
  } catch {
    return undefined;
  }
}

/**
 * One page of the list: sorted, filtered and cut as the query asks, with a cursor for the next, PROTOCOL.md §9.7.
 * Pure. A cursor holds the sort key of the page's last server, so servers that appear or disappear between two pages
 * shift nothing.
 *
 * @module
 */

export interface ListedServer {
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

export const SORTS = ["id", "users", "name", "age", "peak", "ping", "uptime"] as const;
export type Sort = (typeof SORTS)[number];

export interface PageQuery {
  readonly sort: Sort;
  /** Part of a name or an address, case-insensitive; empty for all. */
  readonly q: string;
  /** False omits full servers. */
  readonly full: boolean;
  /** False omits servers without users. */
  readonly empty: boolean;
  /** Only servers with this tag; empty for all. */
  readonly tag: string;
  /** Only servers in this language or a variety of it, as `pt` includes `pt-BR`; empty for all. */
  readonly language: string;
  readonly limit: number | undefined;
  readonly after: Cursor | undefined;
}

export interface Page {
  readonly servers: ListedServer[];
  readonly nextCursor?: string;
}

type SortKey = number | string;

/** The position of a page's last server. */
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
  peak: ({ peakUsers }) => -peakUsers,
  ping: ({ roundTripMs }) => roundTripMs,
  uptime: ({ uptime }) => -uptime,
};

/** The best first: most users, highest peak, longest online, shortest ping; by name or id; equal keys by id. */
export function sortServers(servers: Iterable<ListedServer>, sort: Sort): ListedServer[] {
  const keyOf = SORT_KEYS[sort];
  return [...servers].map((server) => ({ server, key: keyOf(server) }))
    .sort((a, b) => compare(a.key, b.key) || a.server.id - b.server.id)
    .map(({ server }) => server);
}

/** The page that `query` asks for. `sorted` must be in the order of `query.sort`. */
export function selectPage(sorted: readonly ListedServer[], query: PageQuery): Page {
  const { after, tag, language, limit = Infinity } = query;
  const keyOf = SORT_KEYS[query.sort];
  const q = query.q.toLowerCase();
  const servers: ListedServer[] = [];
  for (const server of sorted) {
    if (after && (compare(keyOf(server), after.key) || server.id - after.id) <= 0) continue;
    if (!query.full && server.connectedUsers >= server.maxUsers) continue;
    if (!query.empty && server.connectedUsers === 0) continue;
    if (q !== "" && !server.displayName.toLowerCase().includes(q) && !server.address.includes(q)) continue;
    if (tag !== "" && !server.tags?.includes(tag)) continue;
    if (language !== "" && !isIn(language, server)) continue;
    const last = servers.at(-1);
    if (servers.length >= limit && last) {
      return { servers, nextCursor: writeCursor({ sort: query.sort, key: keyOf(last), id: last.id }) };
    }
    servers.push(server);
  }
  return { servers };
}

function isIn(wanted: string, { language }: ListedServer): boolean {
  return language === wanted || language?.startsWith(`${wanted}-`) === true;
}

function compare(a: SortKey, b: SortKey): number {
  return a < b ? -1 : a > b ? 1 : 0;
}

function writeCursor({ sort, key, id }: Cursor): string {
  const bytes = new TextEncoder().encode(JSON.stringify([sort, key, id]));
  return btoa(String.fromCharCode(...bytes)).replaceAll("+", "-").replaceAll("/", "_").replaceAll("=", "");
}

/** Reads a `nextCursor`; undefined for anything else. */
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

/**
 * Which servers the page shows and in what order, as in GET /servers, docs/listing_api.md §9.7. Pure; a test compares
 * it with listing/list/page.ts.
 *
 * @module
 */
import type { Server } from "./wording.ts";

export type Sort = "id" | "users" | "name" | "age" | "peak" | "ping" | "uptime";

/** What the user asks for. `full` and `empty` mean that such servers are shown. */
export interface ListChoice {
  readonly sort: Sort;
  readonly q: string;
  /** Only servers with this tag; "" for all. */
  readonly tag: string;
  /** Only servers in this language or a variety of it; "" for all. */
  readonly language: string;
  readonly full: boolean;
  readonly empty: boolean;
  /** Whether the page pings the servers from the browser. */
  readonly ping: boolean;
}

const SORT = "users";

const KEYS: { readonly [sort in Sort]: (server: Server) => number | string } = {
  id: ({ id }) => id,
  users: ({ connectedUsers }) => -connectedUsers,
  name: ({ displayName }) => displayName.toLowerCase(),
  age: ({ onlineSince }) => onlineSince,
  peak: ({ peakUsers }) => -peakUsers,
  ping: ({ roundTripMs }) => roundTripMs,
  uptime: ({ uptime }) => -uptime,
};

/** True if servers may be left out. */
export function isNarrowed({ q, tag, language, full, empty }: ListChoice): boolean {
  return q !== "" || tag !== "" || language !== "" || !full || !empty;
}

/** The sorts whose first server has the least of something. */
export function isAscending(sort: Sort): boolean {
  return sort === "name" || sort === "ping" || sort === "id";
}

export function shown(servers: Iterable<Server>, choice: ListChoice): Server[] {
  const { sort, q, tag, language, full, empty } = choice;
  const keyOf = KEYS[sort];
  const part = q.toLowerCase();
  return [...servers]
    .filter((server) =>
      (full || server.connectedUsers < server.maxUsers) && (empty || server.connectedUsers > 0) &&
      (part === "" || server.displayName.toLowerCase().includes(part) || server.address.includes(part)) &&
      (tag === "" || server.tags?.includes(tag)) && (language === "" || isIn(language, server))
    )
    .map((server) => ({ server, key: keyOf(server) }))
    .sort((a, b) => (a.key < b.key ? -1 : a.key > b.key ? 1 : a.server.id - b.server.id))
    .map(({ server }) => server);
}

function isIn(wanted: string, { language }: Server): boolean {
  return language === wanted || language?.startsWith(`${wanted}-`) === true;
}

/** Reads the choice from a URL. Invalid values count as absent. */
export function readChoice(parameters: URLSearchParams): ListChoice {
  const sort = parameters.get("sort") ?? SORT;
  return {
    sort: Object.hasOwn(KEYS, sort) ? sort as Sort : SORT,
    q: parameters.get("q") ?? "",
    tag: parameters.get("tag") ?? "",
    language: parameters.get("language") ?? "",
    full: parameters.get("full") !== "false",
    empty: parameters.get("empty") !== "false",
    ping: parameters.get("ping") === "here",
  };
}

/** The choice as the query of a URL with its question mark; "" for the default. */
export function writeChoice({ sort, q, tag, language, full, empty, ping }: ListChoice): string {
  const parameters = new URLSearchParams();
  if (sort !== SORT) parameters.set("sort", sort);
  if (q !== "") parameters.set("q", q);
  if (tag !== "") parameters.set("tag", tag);
  if (language !== "") parameters.set("language", language);
  if (!full) parameters.set("full", "false");
  if (!empty) parameters.set("empty", "false");
  if (ping) parameters.set("ping", "here");
  return parameters.size === 0 ? "" : `?${parameters}`;
}

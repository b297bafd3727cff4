/**
 * Which servers the listing's page shows and in what order, as GET /servers does it, PROTOCOL.md §9.7.
 *
 * Pure. A test holds it to listing/list/page.ts.
 *
 * @module
 */
import type { Server } from "./wording.ts";

export type Sort = "id" | "users" | "name" | "age";

/** What the person asks for. `full` and `empty`: whether such servers are shown. */
export interface Wish {
  readonly sort: Sort;
  readonly q: string;
  readonly full: boolean;
  readonly empty: boolean;
}

/** The order of the page where none is asked for: where people are. */
export const SORT = "users";

const KEYS: { readonly [sort in Sort]: (server: Server) => number | string } = {
  id: ({ id }) => id,
  users: ({ connectedUsers }) => -connectedUsers,
  name: ({ displayName }) => displayName.toLowerCase(),
  age: ({ onlineSince }) => onlineSince,
};

export function shown(servers: Iterable<Server>, { sort, q, full, empty }: Wish): Server[] {
  const keyOf = KEYS[sort];
  const part = q.toLowerCase();
  return [...servers]
    .filter((server) =>
      (full || server.connectedUsers < server.maxUsers) && (empty || server.connectedUsers > 0) &&
      (part === "" || server.displayName.toLowerCase().includes(part) || server.address.includes(part))
    )
    .map((server) => ({ server, key: keyOf(server) }))
    .sort((a, b) => (a.key < b.key ? -1 : a.key > b.key ? 1 : a.server.id - b.server.id))
    .map(({ server }) => server);
}

/** What a URL asks for. What it says wrong counts for not said. */
export function readWish(parameters: URLSearchParams): Wish {
  const sort = parameters.get("sort") ?? SORT;
  return {
    sort: Object.hasOwn(KEYS, sort) ? sort as Sort : SORT,
    q: parameters.get("q") ?? "",
    full: parameters.get("full") !== "false",
    empty: parameters.get("empty") !== "false",
  };
}

/** The same as the part of a URL from the question mark on; "" where nothing is asked for. */
export function writeWish({ sort, q, full, empty }: Wish): string {
  const parameters = new URLSearchParams();
  if (sort !== SORT) parameters.set("sort", sort);
  if (q !== "") parameters.set("q", q);
  if (!full) parameters.set("full", "false");
  if (!empty) parameters.set("empty", "false");
  return parameters.size === 0 ? "" : `?${parameters}`;
}

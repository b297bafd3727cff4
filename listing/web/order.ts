/**
 * Which servers the listing's page shows and in what order, as GET /servers does it, PROTOCOL.md §9.7.
 *
 * Pure. A test holds it to listing/list/page.ts.
 *
 * @module
 */
// @ts-check

/** @typedef {import("./wording.js").Server} Server */
/** @typedef {"id" | "users" | "name" | "age"} Sort */
/**
 * What the person asks for. `full` and `empty`: whether such servers are shown.
 *
 * @typedef {{ readonly sort: Sort, readonly q: string, readonly full: boolean, readonly empty: boolean }} Wish
 */

/** The order of the page where none is asked for: where people are. */
export const SORT = /** @type {const} */ ("users");

/** @type {{ readonly [sort in Sort]: (server: Server) => number | string }} */
const KEYS = {
  id: ({ id }) => id,
  users: ({ connectedUsers }) => -connectedUsers,
  name: ({ displayName }) => displayName.toLowerCase(),
  age: ({ onlineSince }) => onlineSince,
};

/**
 * @param {Iterable<Server>} servers
 * @param {Wish} wish
 * @returns {Server[]}
 */
export function shown(servers, { sort, q, full, empty }) {
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

/**
 * What a URL asks for. What it says wrong counts for not said.
 *
 * @param {URLSearchParams} parameters
 * @returns {Wish}
 */
export function readWish(parameters) {
  const sort = parameters.get("sort") ?? SORT;
  return {
    sort: Object.hasOwn(KEYS, sort) ? /** @type {Sort} */ (sort) : SORT,
    q: parameters.get("q") ?? "",
    full: parameters.get("full") !== "false",
    empty: parameters.get("empty") !== "false",
  };
}

/**
 * The same as the part of a URL from the question mark on; "" where nothing is asked for.
 *
 * @param {Wish} wish
 */
export function writeWish({ sort, q, full, empty }) {
  const parameters = new URLSearchParams();
  if (sort !== SORT) parameters.set("sort", sort);
  if (q !== "") parameters.set("q", q);
  if (!full) parameters.set("full", "false");
  if (!empty) parameters.set("empty", "false");
  return parameters.size === 0 ? "" : `?${parameters}`;
}

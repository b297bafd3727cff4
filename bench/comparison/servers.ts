/**
 * The table of compared servers: how to start each one and how the load generator must speak to it. Pure;
 * bench/peers/ holds the other servers' programs.
 *
 * @module
 */

/** The values for a start. */
export interface Start {
  readonly port: number;
  /** An empty folder for this server. */
  readonly folder: string;
  /** The store of a listing, or the file whose bytes a bare server sends. */
  readonly data: string;
  /** The path of the Deno that runs the bench. */
  readonly deno: string;
  /** The project's folder, with a slash. */
  readonly root: string;
  /** Deno's flags of the task `chat`. */
  readonly programFlags: readonly string[];
}

export interface Server {
  readonly name: string;
  readonly title: string;
  readonly kind: "room" | "list";
  readonly command: (start: Start) => readonly string[];
  /** Arguments of the load generator. */
  readonly load: readonly string[];
  /** `one`: a core of its own beside the generator's. `all`: for servers with threads. */
  readonly cores: "one" | "all";
  /** True if it needs the packages of bench/peers/package.json. */
  readonly needsPackages: boolean;
}

/** Order, storage, history, outbox and flood limits are on, as by default. Flood limits and users are above the load. */
const CHAT_LIMITS = [
  ...["--max-users", "100000", "--max-sockets", "100000"],
  ...["--flood-rate", "1000000", "--flood-burst", "1000000"],
  ...["--max-unanswered-frames", "1000000"],
];

function chatter(
  name: string,
  title: string,
  flags: (start: Start) => readonly string[],
  cores: Server["cores"] = "one",
): Server {
  return {
    name,
    title,
    kind: "room",
    command: (start) => [
      ...[start.deno, "run", "--no-check", ...start.programFlags, `${start.root}main.ts`, "chat"],
      ...["--hostname", "127.0.0.1", "--port", `${start.port}`, "--no-listing", "--log-level", "error"],
      ...CHAT_LIMITS,
      ...flags(start),
    ],
    load: ["--dialect", "c2"],
    cores,
    needsPackages: false,
  };
}

/** Two rows that show what threads gain: both on all cores, with a sleeping generator that leaves them the cores. */
function onAllCores(transport: "ws" | "serve"): readonly Server[] {
  const flags = ["--transport", transport, "--kv", ":memory:"];
  return [
    chatter(`chatter-${transport}-cores`, `Chatter, ${transport}, on all cores`, () => flags, "all"),
    chatter(
      `chatter-${transport}-2`,
      `Chatter, ${transport}, 2 workers, on all cores`,
      () => [...flags, "--workers", "2"],
      "all",
    ),
  ];
}

/** One row per way to run Chatter. */
const CHATTER: readonly Server[] = [
  chatter("chatter-ws", "Chatter, ws, in memory", () => ["--transport", "ws", "--kv", ":memory:"]),
  chatter("chatter-serve", "Chatter, serve, in memory", () => ["--transport", "serve", "--kv", ":memory:"]),
  chatter(
    "chatter-ws-file",
    "Chatter, ws, on disk",
    ({ folder }) => ["--transport", "ws", "--kv", `${folder}/chat.db`],
  ),
  chatter(
    "chatter-serve-file",
    "Chatter, serve, on disk",
    ({ folder }) => ["--transport", "serve", "--kv", `${folder}/chat.db`],
  ),
  ...onAllCores("ws"),
  ...onAllCores("serve"),
];

function peer(
  name: string,
  title: string,
  command: Server["command"],
  rest: Partial<Pick<Server, "kind" | "load" | "needsPackages">> = {},
): Server {
  return {
    name,
    title,
    kind: "room",
    command,
    load: ["--dialect", "c2"],
    cores: "one",
    needsPackages: true,
    ...rest,
  };
}

const PEERS: readonly Server[] = [
  peer("bun", "Bun, native publish", ({ root, port }) => [
    "node_modules/.bin/bun",
    `${root}bench/peers/bun_publish.mjs`,
    `${port}`,
  ]),
  peer("node-ws", "Node and ws", ({ root, port }) => ["node", `${root}bench/peers/node_ws.mjs`, `${port}`]),
  peer(
    "socket.io",
    "Socket.IO on Node",
    ({ root, port }) => ["node", `${root}bench/peers/socketio.mjs`, `${port}`],
    {
      load: ["--dialect", "socketio", "--path", "/socket.io/?EIO=4&transport=websocket"],
    },
  ),
  peer(
    "deno-serve",
    "bare Deno.serve",
    ({ deno, root, port }) => [deno, "run", "--allow-net", `${root}bench/peers/deno_broadcast.ts`, `${port}`],
    { needsPackages: false },
  ),
  peer(
    "deno-http",
    "bare node:http",
    ({ deno, root, port, programFlags }) => [
      ...[deno, "run", ...programFlags, `${root}bench/peers/deno_http.ts`, `${port}`],
    ],
    { needsPackages: false },
  ),
];

const LISTS: readonly Server[] = [
  {
    name: "listing",
    title: "Chatter's listing",
    kind: "list",
    command: ({ deno, root, port, programFlags, data }) => [
      ...[deno, "run", "--no-check", ...programFlags, `${root}main.ts`, "listing", "--hostname", "127.0.0.1"],
      ...["--port", `${port}`, "--kv", data, "--check-interval", "86400", "--log-level", "error"],
    ],
    load: [],
    cores: "one",
    needsPackages: false,
  },
  peer("bare-http", "bare Deno.serve, same bytes", ({ deno, root, port, data }) => [
    ...[deno, "run", "--allow-net", "--allow-read", `${root}bench/peers/deno_bytes.ts`, `${port}`, data],
  ], { kind: "list", load: [], needsPackages: false }),
];

export const SERVERS: readonly Server[] = [...CHATTER, ...PEERS, ...LISTS];
/** The server that others are compared with, by kind. */
export const BASES: Readonly<Record<Server["kind"], string>> = { room: "bun", list: "bare-http" };
/** What Chatter's transports are made of, by server: what a session costs beyond that is ours. */
export const BARE: Readonly<Record<string, string>> = {
  "chatter-ws": "deno-http",
  "chatter-serve": "deno-serve",
};
/** What a change is compared with in a short run. */
export const QUICK_SERVERS: readonly string[] = [
  ...["chatter-ws", "chatter-serve", "chatter-ws-file", "bun", "deno-serve", "deno-http"],
];

/**
 * Pure. The table of what is measured beside each other: how each is started, and what the load generator has to
 * speak to it. What the peers are is in bench/peers/.
 *
 * @module
 */

/** What a start is told. */
export interface Start {
  readonly port: number;
  /** A folder of its own, empty. */
  readonly folder: string;
  /** The store of a listing, or the file whose bytes a bare server answers. */
  readonly data: string;
  /** The Deno that runs the bench. */
  readonly deno: string;
  /** The project's folder, with a slash. */
  readonly root: string;
  /** What the task `chat` tells Deno. */
  readonly programFlags: readonly string[];
}

export interface Server {
  readonly name: string;
  readonly title: string;
  readonly kind: "room" | "list";
  readonly command: (start: Start) => readonly string[];
  /** Of the load generator. */
  readonly load: readonly string[];
  /** `one` for a core of its own beside the generator's; `all` where it has threads to spread. */
  readonly cores: "one" | "all";
  /** Whether it needs what bench/peers/package.json names. */
  readonly needsPackages: boolean;
}

/**
 * Everything is on as by default: order, storage, history, outbox limits, flood limits. The last, and the number of
 * users, are set where the load does not reach them.
 */
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

/**
 * What several threads are worth is told by these two beside each other: both on all cores, with a generator that
 * sleeps, since one that spins would take a core from them.
 */
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

/** One row for each way to run Chatter. */
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
/** What others are shown as a share of, by kind. */
export const BASES: Readonly<Record<Server["kind"], string>> = { room: "bun", list: "bare-http" };

/**
 * The flags of a node of a cluster, one room over several machines: how it reaches NATS, and what it waits for.
 *
 * Pure.
 *
 * @module
 */
import { type Flag, flag, type FlagValues, type Kind, listOf, text, wholeNumber } from "./flag.ts";

/** Also the name of the stream in NATS and a token of its subjects, which have no dots and no spaces. */
const ROOM = /^[a-z0-9_-]{1,32}$/;
const NODE = /^[A-Za-z0-9][A-Za-z0-9._-]{0,62}$/;
const REPLICAS = { default: 3, min: 1, max: 5 };
const TAKEOVER_SECONDS = { default: 2, min: 1, max: 30 };
const LOST_SECONDS = { default: 5, min: 2, max: 60 };
const PATIENCE_SECONDS = { default: 10, min: 5, max: 120 };
const LOG_HOURS = { default: 24, min: 1, max: 720 };
const OF_CLUSTER = { requires: "cluster" } as const;

const URL_LIST = listOf(
  "URLS",
  "nats://, tls://, ws:// or wss:// URLs, separated by commas or spaces; the same kind for all, at most one user, and no " +
    "password, which CHATTER_CLUSTER_PASSWORD holds",
  readServerUrl,
);
const SERVERS: Kind<readonly string[]> = {
  ...URL_LIST,
  read(text) {
    const urls = URL_LIST.read(text) ?? [];
    const parts = urls.map((url) => new URL(url));
    const kinds = new Set(parts.map(({ protocol }) => protocol));
    const users = new Set(parts.map(({ username }) => username).filter((user) => user !== ""));
    return kinds.size === 1 && users.size <= 1 ? urls : undefined;
  },
};

/** The flag of commands that cannot do without it. */
export const natsServers = flag("URLs of the NATS servers of the cluster, the nearest first", SERVERS, {
  default: [],
  required: true,
});

/** How to reach the NATS servers of a cluster: flags of every command that does. */
export const natsFlags = {
  cluster: flag(
    "URLs of the NATS servers of a cluster, the nearest first; the server is then one node of a room over several machines",
    SERVERS,
  ),
  clusterName: flag(
    "the room's name in NATS: nodes with the same name are one room",
    text("NAME", "1 to 32 of a-z, 0-9, _ and -", ROOM),
    { default: "room", ...OF_CLUSTER },
  ),
  clusterPassword: flag("password of the user in --cluster", text("PASSWORD"), {
    secret: true,
    onlyVariable: true,
    ...OF_CLUSTER,
  }),
  clusterCreds: flag("credentials file of NATS, instead of a user and a password", text("FILE"), {
    conflicts: "clusterPassword",
    ...OF_CLUSTER,
  }),
  clusterCa: flag(
    "certificates in PEM of the authorities that NATS servers may be certified by, for tls:// and wss://",
    text("FILE"),
    { defaultText: "the authorities that Deno trusts", ...OF_CLUSTER },
  ),
  clusterReplicas: flag(
    "NATS servers that store each record; 1 only for tests, since that server's disk is then the only one",
    wholeNumber("N", { unit: "servers", ...REPLICAS }),
    { default: REPLICAS.default, ...OF_CLUSTER },
  ),
  clusterLogHours: flag(
    "how long NATS keeps the records; a node that was away for longer copies another node's store",
    wholeNumber("HOURS", { unit: "hours", ...LOG_HOURS }),
    { default: LOG_HOURS.default, ...OF_CLUSTER },
  ),
};

export const clusterFlags = {
  ...natsFlags,
  clusterNode: flag(
    "the node's name in logs, metrics and chatter admin cluster",
    text("NAME", "1 to 63 ASCII letters, digits, dots, _ and -", NODE),
    { defaultText: "the host name", ...OF_CLUSTER },
  ),
  clusterTakeover: seconds("silence of the leading node after which another leads", TAKEOVER_SECONDS),
  clusterLost: seconds("silence of a node after which its users are lost", LOST_SECONDS),
  clusterPatience: seconds(
    "time without NATS after which a node closes its sockets, so that clients resume on another",
    PATIENCE_SECONDS,
  ),
};

/** The values of the flags, of a command line with --cluster. */
export type NatsValues = FlagValues<typeof natsFlags> & { readonly cluster: readonly string[] };
export type ClusterValues = FlagValues<typeof clusterFlags> & NatsValues;

type Range = { readonly default: number; readonly min: number; readonly max: number };
function seconds(description: string, range: Range): Flag<number> {
  const kind = wholeNumber("SECONDS", { unit: "seconds", ...range });
  return flag(description, kind, { default: range.default, ...OF_CLUSTER });
}

/** The URL of a NATS server in its usual form. A password in it would be in the list of processes. */
function readServerUrl(text: string): string | undefined {
  const url = /^(?:nats|tls|wss?):\/\/[^/?#]/i.test(text) ? URL.parse(text) : null;
  if (url === null || url.hostname === "" || url.password !== "" || url.search !== "" || url.hash !== "") {
    return undefined;
  }
  // A proxy may have WebSocket at a path.
  const isAllowed = /^wss?:$/.test(url.protocol) || url.pathname === "" || url.pathname === "/";
  return isAllowed ? url.href.replace(/\/$/, "") : undefined;
}

/**
 * The flags of a node of a cluster, one room over several machines: how it reaches NATS, and what it waits for.
 *
 * Pure.
 *
 * @module
 */
import { FILE, flag, type FlagValues, listOf, numberFlag, text } from "./flag.ts";

const OF_CLUSTER = { requires: "cluster" } as const;

const SERVERS = listOf(
  "URLS",
  "nats://, tls://, ws:// or wss:// URLs, separated by commas or spaces; the same kind for all, at most one user, and no " +
    "password, which CHATTER_CLUSTER_PASSWORD holds",
  readServerUrl,
  (texts) => {
    const urls = texts.map((text) => new URL(text));
    const users = new Set(urls.map(({ username }) => username).filter((user) => user !== ""));
    return new Set(urls.map(({ protocol }) => protocol)).size === 1 && users.size <= 1;
  },
);

/** The flag of commands that cannot do without it. */
export const natsServers = flag(
  "URLs of the NATS servers of the cluster, the nearest first",
  SERVERS,
  { default: [], required: true },
);

/** How to reach the NATS servers of a cluster: flags of every command that does. */
export const natsFlags = {
  cluster: flag(
    "URLs of the NATS servers of a cluster, the nearest first; the server is then one node of a room over several machines",
    SERVERS,
  ),
  clusterName: flag(
    "the room's name in NATS: nodes with the same name are one room",
    // Also the name of the stream and a token of its subjects, which have no dots and no spaces.
    text("NAME", "1 to 32 of a-z, 0-9, _ and -", /^[a-z0-9_-]{1,32}$/),
    { default: "room", ...OF_CLUSTER },
  ),
  clusterPassword: flag("password of the user in --cluster", text("PASSWORD"), {
    secret: true,
    onlyVariable: true,
    ...OF_CLUSTER,
  }),
  clusterCreds: flag("credentials file of NATS, instead of a user and a password", FILE, {
    conflicts: "clusterPassword",
    ...OF_CLUSTER,
  }),
  clusterCa: flag(
    "certificates in PEM of the authorities that NATS servers may be certified by, for tls:// and wss://",
    FILE,
    { defaultText: "the authorities that Deno trusts", ...OF_CLUSTER },
  ),
  clusterReplicas: numberFlag(
    "NATS servers that store each record; 1 only for tests, since that server's disk is then the only one",
    { unit: "servers", min: 1, max: 5, default: 3, ...OF_CLUSTER },
  ),
  clusterLogHours: numberFlag(
    "how long NATS keeps the records; a node that was away for longer copies another node's store",
    { unit: "hours", min: 1, max: 720, default: 24, ...OF_CLUSTER },
  ),
};

export const clusterFlags = {
  ...natsFlags,
  clusterNode: flag(
    "the node's name in logs, metrics and chatter admin cluster",
    text("NAME", "1 to 63 ASCII letters, digits, dots, _ and -", /^[A-Za-z0-9][\w.-]{0,62}$/),
    { defaultText: "the host name", ...OF_CLUSTER },
  ),
  clusterTakeover: numberFlag(
    "silence of the leading node after which another leads",
    { unit: "seconds", min: 1, max: 30, default: 2, ...OF_CLUSTER },
  ),
  clusterLost: numberFlag(
    "silence of a node after which its users are lost",
    { unit: "seconds", min: 2, max: 60, default: 5, ...OF_CLUSTER },
  ),
  clusterPatience: numberFlag(
    "time without NATS after which a node closes its sockets, so that clients resume on another",
    { unit: "seconds", min: 5, max: 120, default: 10, ...OF_CLUSTER },
  ),
};

/** The values of the flags, of a command line with --cluster. */
export type NatsValues = FlagValues<typeof natsFlags> & { readonly cluster: readonly string[] };
export type ClusterValues = FlagValues<typeof clusterFlags> & NatsValues;

/** The URL of a NATS server in its usual form. A password in it would be in the list of processes. */
function readServerUrl(text: string): string | undefined {
  const url = /^(?:nats|tls|wss?):\/\/[^/?#]/i.test(text) ? URL.parse(text) : null;
  if (!url?.hostname || url.password + url.search + url.hash !== "") return undefined;
  // A proxy may have WebSocket at a path.
  return /^wss?:$/.test(url.protocol) || url.pathname.length < 2 ? url.href.replace(/\/$/, "") : undefined;
}

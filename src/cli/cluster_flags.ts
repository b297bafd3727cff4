/**
 * The flags of a node of a cluster, one room over several machines: how it reaches NATS, and what it waits for.
 *
 * Pure.
 *
 * @module
 */
import { FILE, flag, type FlagValues, kind, listOf, wholeNumber } from "./flag.ts";

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
export const natsServers = flag("URLs of the NATS servers of the cluster, the nearest first")
  .takes(SERVERS, { default: [], required: true });

/** How to reach the NATS servers of a cluster: flags of every command that does. */
export const natsFlags = {
  cluster: flag(
    "URLs of the NATS servers of a cluster, the nearest first; the server is then one node of a room over several machines",
  ).takes(SERVERS),
  clusterName: flag("the room's name in NATS: nodes with the same name are one room")
    // Also the name of the stream and a token of its subjects, which have no dots and no spaces.
    .takes(kind("NAME", "1 to 32 of a-z, 0-9, _ and -", /^[a-z0-9_-]{1,32}$/), {
      default: "room",
      ...OF_CLUSTER,
    }),
  clusterPassword: flag("password of the user in --cluster")
    .takes(kind("PASSWORD"), { secret: true, onlyVariable: true, ...OF_CLUSTER }),
  clusterCreds: flag("credentials file of NATS, instead of a user and a password")
    .takes(FILE, { conflicts: "clusterPassword", ...OF_CLUSTER }),
  clusterCa: flag(
    "certificates in PEM of the authorities that NATS servers may be certified by, for tls:// and wss://",
  ).takes(FILE, { defaultText: "the authorities that Deno trusts", ...OF_CLUSTER }),
  clusterReplicas: flag(
    "NATS servers that store each record; 1 only for tests, since that server's disk is then the only one",
  ).takes(wholeNumber(1, 5, "servers"), { default: 3, ...OF_CLUSTER }),
  clusterLogHours: flag(
    "how long NATS keeps the records; a node that was away for longer copies another node's store",
  ).takes(wholeNumber(1, 720, "hours"), { default: 24, ...OF_CLUSTER }),
};

export const clusterFlags = {
  ...natsFlags,
  clusterNode: flag("the node's name in logs, metrics and chatter admin cluster")
    .takes(kind("NAME", "1 to 63 ASCII letters, digits, dots, _ and -", /^[A-Za-z0-9][\w.-]{0,62}$/), {
      defaultText: "the host name",
      ...OF_CLUSTER,
    }),
  clusterTakeover: flag("silence of the leading node after which another leads")
    .takes(wholeNumber(1, 30, "seconds"), { default: 2, ...OF_CLUSTER }),
  clusterLost: flag("silence of a node after which its users are lost")
    .takes(wholeNumber(2, 60, "seconds"), { default: 5, ...OF_CLUSTER }),
  clusterPatience: flag(
    "time without NATS after which a node closes its sockets, so that clients resume on another",
  ).takes(wholeNumber(5, 120, "seconds"), { default: 10, ...OF_CLUSTER }),
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

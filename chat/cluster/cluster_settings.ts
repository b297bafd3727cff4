/**
 * The settings of a node of a cluster, made from its flags. They hold until the next start.
 *
 * @module
 */
import type { ClusterValues, NatsValues } from "../../src/cli/cluster_flags.ts";

/** How to reach the NATS servers. */
export interface NatsSettings {
  /** URLs, the nearest first, all by TCP or all by WebSocket. */
  readonly servers: readonly string[];
  readonly user: string | undefined;
  readonly password: string | undefined;
  /** Path of a credentials file. */
  readonly credsFile: string | undefined;
  /** Path of certificates in PEM; undefined for those that Deno trusts. */
  readonly caFile: string | undefined;
}

/** The form of the log: the stream of this room. */
export interface LogSettings {
  readonly room: string;
  /** NATS servers that store each record. */
  readonly replicas: number;
  /** How long NATS keeps each record. */
  readonly logHours: number;
}

export interface ClusterSettings extends NatsSettings, LogSettings {
  /** The node's name, for people. */
  readonly node: string;
  /** Silence of the leader after which another node leads. */
  readonly takeoverMs: number;
  /** Silence of a node after which its sessions are lost. */
  readonly lostMs: number;
  /** Time without the log after which the sockets are closed. */
  readonly patienceMs: number;
}

/** `hostName` is asked for the name of this machine, the default of `--cluster-node`. */
export function clusterSettings(values: ClusterValues, hostName: () => string): ClusterSettings {
  return {
    ...natsSettings(values),
    ...logSettings(values),
    node: values.clusterNode ?? hostName(),
    takeoverMs: values.clusterTakeover * 1000,
    lostMs: values.clusterLost * 1000,
    patienceMs: values.clusterPatience * 1000,
  };
}

export function natsSettings(values: NatsValues): NatsSettings {
  const urls = values.cluster.map((url) => new URL(url));
  const user = urls.map(({ username }) => username).find((name) => name !== "");
  return {
    servers: values.cluster.map((url) => url.replace(/\/\/[^/@]*@/, "//")),
    user: user === undefined ? undefined : decodeURIComponent(user),
    password: values.clusterPassword,
    credsFile: values.clusterCreds,
    caFile: values.clusterCa,
  };
}

export function logSettings({ clusterName, clusterReplicas, clusterLogHours }: NatsValues): LogSettings {
  return { room: clusterName, replicas: clusterReplicas, logHours: clusterLogHours };
}

/**
 * The metrics of a node of a cluster, beside those of a chat server; docs/metrics.md describes them. Gauges are read at
 * a scrape, counters change at most once for each append. Pure.
 *
 * @module
 */
import { type Meters, SECONDS } from "../../src/metrics/meters.ts";

/** Upper bounds in seconds: an append takes milliseconds, and an election of NATS up to 16 s. */
const APPEND_SECONDS: readonly number[] = [...SECONDS.slice(1), 5, 20];

export interface GaugedNode {
  readonly isLeader: boolean;
  readonly isForked: boolean;
  /** Records of other programs that it has skipped. */
  readonly foreign: number;
  readonly epoch: number;
  readonly applied: number;
  /** The newest record that any node is known to have applied. */
  readonly newest: number;
  /** Nodes that are heard, this one included. */
  readonly nodes: number;
  readonly unconfirmed: number;
  readonly logSilentMs: number;
  readonly isConnected: boolean;
  readonly reconnects: number;
}

export class ClusterMeters {
  /** Call with the gauges' source once it is there. */
  readonly read: (node: GaugedNode) => void;
  readonly appendSeconds;
  readonly appendRetries;

  constructor(meters: Meters) {
    const gauge = meters.gauge.bind(meters);
    const leader = gauge("chatter_cluster_leader", "1 if this node leads the room, else 0");
    const epoch = gauge("chatter_cluster_epoch", "Number of the leader in the log; each election adds one");
    const applied = gauge(
      "chatter_cluster_applied_record",
      "The newest record of the log that this node applied",
    );
    const lag = gauge(
      "chatter_cluster_lag_records",
      "Records that another node applied and this one did not",
    );
    const nodes = gauge("chatter_cluster_nodes", "Nodes of the room that are heard, this one included");
    const waiting = gauge(
      "chatter_cluster_unconfirmed_inputs",
      "Inputs of this node's sessions that the log does not have yet",
    );
    const silent = gauge("chatter_cluster_log_silent_seconds", "Seconds since the log answered this node");
    const forked = gauge(
      "chatter_cluster_log_forked",
      "1 if the log is not what this node has applied, else 0",
    );
    const foreign = gauge(
      "chatter_cluster_foreign_records",
      "Records of other programs that this node skipped since its start",
    );
    this.appendSeconds = meters.histogram(
      "chatter_cluster_append_seconds",
      "Seconds until NATS acknowledged a record of this node, repetitions included",
      APPEND_SECONDS,
    );
    this.appendRetries = meters.counter(
      "chatter_cluster_append_retries_total",
      "Appends that this node repeated, because NATS did not answer",
    );
    const connected = gauge("chatter_nats_connected", "1 if this node is connected to NATS, else 0");
    const reconnects = gauge(
      "chatter_nats_reconnects",
      "Connections to NATS since the start, without the first",
    );
    this.read = (node) => {
      leader.read = () => Number(node.isLeader);
      epoch.read = () => node.epoch;
      applied.read = () => node.applied;
      lag.read = () => Math.max(0, node.newest - node.applied);
      nodes.read = () => node.nodes;
      waiting.read = () => node.unconfirmed;
      silent.read = () => node.logSilentMs / 1000;
      foreign.read = () => node.foreign;
      forked.read = () => Number(node.isForked);
      connected.read = () => Number(node.isConnected);
      reconnects.read = () => node.reconnects;
    };
  }
}

/**
 * What the admin API says of the nodes of a cluster, docs/admin_api.md §11. The node that is asked knows the others by
 * their beats.
 *
 * @module
 */

export interface NodeStatus {
  /** `--cluster-node`. */
  readonly node: string;
  readonly version: string;
  readonly leads: boolean;
  /** Records that another node applied and this one did not. */
  readonly behind: number;
  /** Seconds since it was heard; 0 for the node that is asked. */
  readonly silentSeconds: number;
}

export interface ClusterStatus {
  /** The number of the leader in the log: each election adds one. */
  readonly epoch: number;
  /** The newest record that any node is known to have applied. */
  readonly record: number;
  /** The nodes by name, the one that is asked first. */
  readonly nodes: readonly NodeStatus[];
}

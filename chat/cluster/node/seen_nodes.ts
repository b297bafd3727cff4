/**
 * The nodes of the room as this one sees them, for people: the log, the admin API and metrics. Nothing is decided by it.
 *
 * @module
 */
import type { NowMs } from "../../../src/clock.ts";
import type { Logger } from "../../../src/logging/log.ts";
import type { Limits } from "../../../src/protocol/limits.ts";
import { VERSION } from "../../../src/version.ts";
import type { GaugedNode } from "../cluster_meters.ts";
import type { Member } from "../member.ts";
import { Peers } from "../peers.ts";
import type { Replica } from "../replica.ts";
import type { NodeBeat } from "../wire.ts";
import { differingLimits } from "../nodes_compared.ts";

export interface SeenNodesParts {
  /** `--cluster-node`. */
  readonly node: string;
  /** Read at each use. */
  readonly limits: Limits;
  readonly replica: Replica;
  /** This node's present incarnation. */
  readonly own: () => {
    readonly name: string;
    readonly member: Pick<Member, "isLeader" | "unconfirmed" | "logSilentMs">;
  };
  readonly isForked: () => boolean;
  readonly nats: { readonly isConnected: () => boolean; readonly reconnects: () => number };
  readonly steadyMs: NowMs;
  readonly nowMs: NowMs;
  readonly log: Logger;
}

export class SeenNodes {
  readonly #parts: SeenNodesParts;
  readonly #peers = new Peers();
  #loggedEpoch = 0;
  /** What was logged of the limits of each other node. */
  #loggedLimits = new Map<string, string>();
  /** Nodes whose clock was logged. */
  #loggedClocks = new Set<string>();

  constructor(parts: SeenNodesParts) {
    this.#parts = parts;
  }

  heard(beat: NodeBeat): void {
    const { steadyMs, nowMs } = this.#parts;
    this.#peers.heard(steadyMs(), beat, nowMs());
  }

  /** What the admin API says of the nodes, this one first. */
  status() {
    const { node, replica: { epoch, applied, leader }, own, steadyMs } = this.#parts;
    const nowMs = steadyMs();
    const peers = this.#peers.all(nowMs);
    const record = Math.max(applied, ...peers.map(({ applied }) => applied));
    const first = { by: own().name, node, version: VERSION, applied, heardMs: nowMs };
    return {
      epoch,
      record,
      nodes: [first, ...peers].map(({ by, node, version, applied, heardMs }) => ({
        ...{ node, version, leads: by === leader, behind: record - applied },
        silentSeconds: Math.round((nowMs - heardMs) / 100) / 10,
      })),
    };
  }

  /** Logs who leads and who is there, where that has changed. */
  say(): void {
    const { node: ownNode, replica: { epoch, leader }, own, steadyMs, log } = this.#parts;
    const { up, silent } = this.#peers.changes(steadyMs());
    for (const { node, version } of up) log.info("cluster.node_heard", { node, version });
    for (const { node } of silent) log.warn("cluster.node_silent", { node });
    this.#sayLimits();
    this.#sayClocks();
    if (leader === undefined || epoch === this.#loggedEpoch) return;
    const isOwn = leader === own().name;
    const peer = this.#peers.all(steadyMs()).find(({ by }) => by === leader);
    // A new leader is heard soon after its record.
    if (!isOwn && peer === undefined) return;
    this.#loggedEpoch = epoch;
    log.info("cluster.led", { node: isOwn ? ownNode : peer?.node, epoch, isOwn });
  }

  #sayLimits(): void {
    const { limits, steadyMs, log } = this.#parts;
    const logged = new Map<string, string>();
    for (const { by, node, limits: said = {} } of this.#peers.all(steadyMs())) {
      const settings = differingLimits(limits, said);
      logged.set(by, settings.join());
      const isNew = settings.length > 0 && settings.join() !== this.#loggedLimits.get(by);
      if (isNew) log.warn("cluster.settings_differ", { node, settings });
    }
    this.#loggedLimits = logged;
  }

  #sayClocks(): void {
    const { steadyMs, log } = this.#parts;
    const logged = new Set<string>();
    for (const { by, node, clockAheadMs } of this.#peers.all(steadyMs())) {
      if (clockAheadMs === undefined) continue;
      logged.add(by);
      const seconds = Math.round(clockAheadMs / 1000);
      if (!this.#loggedClocks.has(by)) log.warn("cluster.clocks_differ", { node, seconds });
    }
    this.#loggedClocks = logged;
  }

  /** What metrics read. */
  gauged(): GaugedNode {
    const { replica, own, isForked, nats, steadyMs } = this.#parts;
    const peers = () => this.#peers.all(steadyMs());
    return {
      get isLeader() {
        return own().member.isLeader;
      },
      get isForked() {
        return isForked();
      },
      get foreign() {
        return replica.foreign;
      },
      get epoch() {
        return replica.epoch;
      },
      get applied() {
        return replica.applied;
      },
      get newest() {
        return Math.max(0, ...peers().map(({ applied }) => applied));
      },
      get nodes() {
        return 1 + peers().filter(({ isSilent }) => !isSilent).length;
      },
      get unconfirmed() {
        return own().member.unconfirmed;
      },
      get logSilentMs() {
        return own().member.logSilentMs(steadyMs());
      },
      get isConnected() {
        return nats.isConnected();
      },
      get reconnects() {
        return nats.reconnects();
      },
    };
  }
}

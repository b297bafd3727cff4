/**
 * The other nodes of the room as their beats show them, for people: names, versions, who leads and how far each is.
 * Nothing is decided by it. Pure.
 *
 * @module
 */
import type { NodeBeat } from "./wire.ts";

/** Milliseconds without a beat after which a node is called silent. */
const SILENT_MS = 3000;
/**
 * Milliseconds by which the clock of another node may be ahead or behind; and for which it must be so, since beats that
 * waited come late.
 */
export const CLOCKS_DIFFER_MS = 5000;
/** Nodes that are shown, of a beat and a line of the log each; more than one room has. */
export const PEERS_MAX = 100;
/** Milliseconds for which a silent node is still shown. */
const SHOWN_MS = 600_000;

export interface PeerNode extends NodeBeat {
  /** When it was heard last. */
  readonly heardMs: number;
  readonly isSilent: boolean;
  /** Milliseconds by which its clock is ahead of this node's; undefined if they agree. */
  readonly clockAheadMs: number | undefined;
}

interface Heard {
  readonly beat: NodeBeat;
  readonly heardMs: number;
  readonly aheadMs: number;
  readonly differsSinceMs: number | undefined;
}

export class Peers {
  readonly #heard = new Map<string, Heard>();
  /** What was said of each node last. */
  readonly #said = new Map<string, "up" | "silent">();

  /** `wallMs` is the time by this node's clock. */
  heard(nowMs: number, beat: NodeBeat, wallMs: number): void {
    const before = this.#heard.get(beat.by);
    if (before === undefined) this.#forgetRunsOf(beat.node, nowMs);
    if (before === undefined && this.#heard.size >= PEERS_MAX) return;
    const aheadMs = (beat.wallMs ?? wallMs) - wallMs;
    const differsSinceMs = Math.abs(aheadMs) < CLOCKS_DIFFER_MS ? undefined : before?.differsSinceMs ?? nowMs;
    this.#heard.set(beat.by, { beat, heardMs: nowMs, aheadMs, differsSinceMs });
  }

  /** All nodes by name, silent ones too. */
  all(nowMs: number): PeerNode[] {
    return Array.from(this.#heard.values(), ({ beat, heardMs, aheadMs, differsSinceMs = Infinity }) => ({
      ...beat,
      heardMs,
      isSilent: nowMs - heardMs >= SILENT_MS,
      clockAheadMs: heardMs - differsSinceMs >= CLOCKS_DIFFER_MS ? aheadMs : undefined,
    })).toSorted((a, b) => a.node < b.node ? -1 : 1);
  }

  /** Nodes that came up or fell silent since the last call. */
  changes(nowMs: number): { readonly up: readonly PeerNode[]; readonly silent: readonly PeerNode[] } {
    const all = this.all(nowMs);
    const changed = all.filter(({ by, isSilent }) => this.#said.get(by) !== (isSilent ? "silent" : "up"));
    for (const { by, isSilent, heardMs } of all) {
      this.#said.set(by, isSilent ? "silent" : "up");
      if (nowMs - heardMs >= SHOWN_MS) this.#forget(by);
    }
    return {
      up: changed.filter(({ isSilent }) => !isSilent),
      silent: changed.filter(({ isSilent }) => isSilent),
    };
  }

  /** A node that was started again has another incarnation. */
  #forgetRunsOf(node: string, nowMs: number): void {
    for (const peer of this.all(nowMs)) if (peer.node === node && peer.isSilent) this.#forget(peer.by);
  }

  #forget(by: string): void {
    this.#heard.delete(by);
    this.#said.delete(by);
  }
}

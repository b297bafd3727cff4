/**
 * The other nodes of the room as their beats show them, for people: names, versions, who leads and how far each is.
 * Nothing is decided by it. Pure.
 *
 * @module
 */
import type { NodeBeat } from "./wire.ts";

/** Milliseconds without a beat after which a node is called silent. */
const SILENT_MS = 3000;
/** Milliseconds for which a silent node is still shown. */
const SHOWN_MS = 600_000;

export interface Peer extends NodeBeat {
  /** When it was heard last. */
  readonly heardMs: number;
  readonly isSilent: boolean;
}

export class Peers {
  readonly #heard = new Map<string, { readonly beat: NodeBeat; readonly heardMs: number }>();
  /** What was said of each node last. */
  readonly #said = new Map<string, "up" | "silent">();

  heard(nowMs: number, beat: NodeBeat): void {
    if (!this.#heard.has(beat.by)) this.#forgetRunsOf(beat.node, nowMs);
    this.#heard.set(beat.by, { beat, heardMs: nowMs });
  }

  /** All nodes by name, silent ones too. */
  all(nowMs: number): Peer[] {
    return Array.from(this.#heard.values(), ({ beat, heardMs }) => ({
      ...beat,
      heardMs,
      isSilent: nowMs - heardMs >= SILENT_MS,
    })).toSorted((a, b) => a.node < b.node ? -1 : 1);
  }

  /** Nodes that came up or fell silent since the last call. */
  changes(nowMs: number): { readonly up: readonly Peer[]; readonly silent: readonly Peer[] } {
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

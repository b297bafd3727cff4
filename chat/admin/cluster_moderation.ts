/**
 * Moderation on a node of a cluster: commands go to the leader as inputs of this node, and take effect on all nodes where
 * the log has them, docs/admin_api.md §11. moderation.ts does the same on one machine.
 *
 * @module
 */
import { normalizeIp } from "../../src/address.ts";
import type { Username } from "../../src/protocol/names.ts";
import type { OperatorCommand, Ruled } from "../cluster/command.ts";
import type { Replica } from "../cluster/replica.ts";
import type { Ban } from "../room/bans.ts";
import type { Decision, Input } from "../room/decision.ts";
import { BANS_MAX } from "../room/bans.ts";
import type { Banned, BanRequest, ConnectedUser, ModerationPort } from "./moderation.ts";
import { type AdminRefusal, refuseAdmin } from "./refusals.ts";

/** Milliseconds for the log to have a command: more than the election of its servers mostly takes. */
const OUTCOME_MS = 10_000;

export interface ClusterModerationOptions {
  readonly replica: Pick<Replica, "membership" | "bans">;
  readonly order: (input: OperatorCommand | Input & { type: "ANNOUNCE" }) => Promise<Ruled | Decision>;
  readonly nowMs: () => number;
  readonly mintId: () => string;
  /** Milliseconds for the outcome of a command. */
  readonly outcomeMs?: number;
}

export class ClusterModeration implements ModerationPort {
  readonly #options: ClusterModerationOptions;

  constructor(options: ClusterModerationOptions) {
    this.#options = options;
  }

  users(): ConnectedUser[] {
    const { replica: { membership: { roster, sessions } }, nowMs } = this.#options;
    const now = nowMs();
    return Array.from(roster.occupants, ([id, { username, connectedAtMs, hold }]) => ({
      username: username.shown,
      address: normalizeIp(sessions.get(id)?.remoteAddress ?? "") ?? "unknown",
      connectedAtMs,
      connectedSeconds: Math.max(0, Math.floor((now - connectedAtMs) / 1000)),
      away: hold !== undefined,
    }));
  }

  bans(): Ban[] {
    return this.#options.replica.bans.inForce(this.#options.nowMs());
  }

  async ban({ name, address, withAddress, message, seconds }: BanRequest): Promise<Banned | AdminRefusal> {
    const id = this.#options.mintId();
    const ruled = await this.#order({
      ...{ type: "ORDER_BAN", id, name, address, withAddress, message, seconds },
    });
    return ruled.kind === "banned" ? ruled : refusalOf(ruled);
  }

  async lift(
    which: { readonly id: string } | { readonly name: Username },
  ): Promise<readonly Ban[] | AdminRefusal> {
    const ruled = await this.#order({ type: "ORDER_LIFT", which });
    return ruled.kind === "lifted" ? ruled.bans : refusalOf(ruled);
  }

  async kick(name: Username): Promise<{ readonly kicked: string } | AdminRefusal> {
    const ruled = await this.#order({ type: "ORDER_KICK", name });
    return ruled.kind === "kicked" ? { kicked: ruled.username } : refusalOf(ruled);
  }

  async announce(text: string): Promise<AdminRefusal | undefined> {
    const decision = await this.#order({ type: "ANNOUNCE", text });
    return decision.kind === "stored" ? undefined : refusalOf(decision);
  }

  /** The log has the bans, and each node follows it: there is nothing to read again. */
  reread(): Promise<{ readonly added: number; readonly lifted: number }> {
    return Promise.resolve({ added: 0, lifted: 0 });
  }

  async #order(
    input: Parameters<ClusterModerationOptions["order"]>[0],
  ): Promise<Ruled | Decision | { readonly kind: "unknown" }> {
    const { order, outcomeMs = OUTCOME_MS } = this.#options;
    const { promise: late, resolve } = Promise.withResolvers<{ readonly kind: "unknown" }>();
    const timer = setTimeout(() => resolve({ kind: "unknown" }), outcomeMs);
    try {
      return await Promise.race([order(input), late]);
    } finally {
      clearTimeout(timer);
    }
  }
}

function refusalOf(ruled: Ruled | Decision | { readonly kind: "unknown" }): AdminRefusal {
  if (ruled.kind === "unknown") return refuseAdmin("NO_OUTCOME");
  if (!("refusal" in ruled)) return refuseAdmin("STORE_FAILED");
  return ruled.refusal === "TOO_MANY_BANS"
    ? refuseAdmin("TOO_MANY_BANS", BANS_MAX)
    : refuseAdmin(ruled.refusal);
}

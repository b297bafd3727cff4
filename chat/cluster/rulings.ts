/**
 * What the leader rules on the commands of operators: which bans change, and which sessions end. It changes nothing.
 * Pure.
 *
 * @module
 */
import { addressBlock } from "../../src/address.ts";
import { areTooAlike } from "../../src/lookalikes.ts";
import type { Username } from "../../src/protocol/names.ts";
import { type Ban, type Bans, BANS_MAX, matches, saidOf } from "../room/bans.ts";
import type { Ending, OperatorCommand, Ruled, Ruling } from "./command.ts";
import type { SessionId } from "../room/roster.ts";
import type { Membership } from "./membership.ts";

export interface RulingParts {
  readonly members: Membership;
  readonly bans: Bans;
  readonly nowMs: number;
}

/** Rules on a command, and returns the sessions that it ends. It changes nothing. */
export function ruleOn(
  command: OperatorCommand,
  parts: RulingParts,
): { ruling: Ruling; endings: readonly Ending[] } {
  switch (command.type) {
    case "ORDER_BAN":
      return ban(command, parts);
    case "ORDER_LIFT": {
      const { bans } = parts;
      const past = pastBans(parts);
      const { which } = command;
      const named = "id" in which ? [bans.get(which.id)] : bans.ofName(which.name);
      const lifted = named.filter((ban) => ban !== undefined && !past.includes(ban.id)) as Ban[];
      if (lifted.length === 0) return refused("BAN_UNKNOWN", past);
      return ruling({
        removed: [...past, ...lifted.map(({ id }) => id)],
        answer: { kind: "lifted", bans: lifted },
      });
    }
    case "ORDER_KICK": {
      const holder = holderOf(command.name, parts.members);
      if (holder === undefined) return refused("NOT_CONNECTED");
      const { id, username } = holder;
      return ruling({ answer: { kind: "kicked", username } }, [{ session: id, input: { type: "KICK" } }]);
    }
    case "ORDER_KEEP":
      return ruling({ kept: [[command.key, command.value]], answer: { kind: "kept" } });
  }
}

function ban(
  command: OperatorCommand & { type: "ORDER_BAN" },
  parts: RulingParts,
): ReturnType<typeof ruleOn> {
  const { members, bans, nowMs } = parts;
  const { id, name, message, seconds, withAddress } = command;
  const holder = name === undefined ? undefined : holderOf(name, members);
  if (withAddress && !holder?.remoteAddress) return refused("NOT_CONNECTED");
  const past = pastBans(parts);
  const made: Ban = {
    id,
    name: name?.shown,
    address: withAddress ? addressBlock(holder!.remoteAddress) : command.address,
    message,
    createdAtMs: nowMs,
    endsAtMs: seconds === undefined ? undefined : nowMs + seconds * 1000,
  };
  const replaced = bans.sameTarget(made).map(({ id }) => id);
  const removed = [...new Set([...past, ...replaced])];
  if (replaced.length === 0 && bans.size - past.length >= BANS_MAX) return refused("TOO_MANY_BANS", past);
  const endings: Ending[] = [];
  const disconnected: string[] = [];
  for (const [session, { username }] of members.roster.occupants) {
    if (!matches(made, username, members.sessions.get(session)?.remoteAddress ?? "")) continue;
    endings.push({ session, input: { type: "BAN", message: saidOf(made) } });
    disconnected.push(username.shown);
  }
  return ruling({ removed, added: [made], answer: { kind: "banned", ban: made, disconnected } }, endings);
}

/** Bans past their end go with the next change. */
function pastBans({ bans, nowMs }: RulingParts): string[] {
  return bans.past(nowMs).map(({ id }) => id);
}

/** The session with this name in any letter case; otherwise one with a lookalike. */
export function holderOf(
  name: Username,
  { roster, sessions }: Membership,
): { readonly id: SessionId; readonly username: string; readonly remoteAddress: string } | undefined {
  let alike: SessionId | undefined;
  for (const [id, { username }] of roster.occupants) {
    if (username.folded === name.folded) {
      alike = id;
      break;
    }
    if (areTooAlike(username, name)) alike = id;
  }
  if (alike === undefined) return undefined;
  const username = roster.get(alike)!.username.shown;
  return { id: alike, username, remoteAddress: sessions.get(alike)?.remoteAddress ?? "" };
}

function ruling(
  { removed = [], added = [], kept = [], answer }: Partial<Ruling> & Pick<Ruling, "answer">,
  endings: readonly Ending[] = [],
): { ruling: Ruling; endings: readonly Ending[] } {
  return { ruling: { removed, added, kept, answer }, endings };
}

function refused(
  refusal: (Ruled & { kind: "refused" })["refusal"],
  removed: readonly string[] = [],
): ReturnType<typeof ruling> {
  return ruling({ removed, answer: { kind: "refused", refusal } });
}

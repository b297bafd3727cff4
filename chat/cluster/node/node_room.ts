/**
 * The room's rules on a node: for the leader, which decides by them, and for the answers of every node that change
 * nothing.
 *
 * @module
 */
import type { Limits } from "../../../src/protocol/limits.ts";
import type { Username } from "../../../src/protocol/names.ts";
import { VERSION } from "../../../src/version.ts";
import { Room, type RoomOptions } from "../../room/room.ts";
import type { LeaderRoom } from "../leader.ts";
import type { Replica } from "../replica.ts";

export interface NodeRoomParts extends Pick<RoomOptions, "serverId" | "prove" | "startedSteadyMs"> {
  /** Read at each use. */
  readonly settings: {
    readonly name: string;
    readonly ownName: Username;
    readonly limits: Limits;
    readonly limitLoopback: boolean;
  };
}

/** By the settings of this node. */
export function leaderRoom({ settings, ...fixed }: NodeRoomParts): LeaderRoom {
  return (parts) => ({
    ...fixed,
    get serverName() {
      return settings.name;
    },
    get ownName() {
      return settings.ownName;
    },
    version: VERSION,
    limits: settings.limits,
    get limitLoopback() {
      return settings.limitLoopback;
    },
    ...parts,
  });
}

/** A room on the replica's members: it answers what changes nothing. */
export function answeringRoom(room: LeaderRoom, { state, membership, bans }: Replica): Room {
  const options = room({
    ...{ state, bans, isOfKicked: () => false, sessionOfToken: () => undefined },
    mintId: () => {
      throw new Error("Only the leader makes messages");
    },
  });
  return new Room(options, membership.roster);
}

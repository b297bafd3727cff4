/**
 * The room that a node answers from by itself, by the rules that a leader decides by. What it answers changes nothing.
 *
 * @module
 */
import { Room } from "../../room/room.ts";
import type { LeaderRoom } from "../leader.ts";
import type { Replica } from "../replica.ts";

/** Its roster is the replica's. */
export function answeringRoom(room: LeaderRoom, { state, membership, bans }: Replica): Room {
  const options = room({
    ...{ state, bans, isOfKicked: () => false, sessionOfToken: () => undefined },
    mintId: () => {
      throw new Error("Only the leader makes messages");
    },
  });
  return new Room(options, membership.roster);
}

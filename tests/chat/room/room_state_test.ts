/**
 * The state of the room: which nonces it remembers, and which replays it can serve, PROTOCOL.md §12.3 and §12.4.
 *
 * @module
 */
import { assertEquals } from "@std/assert";
import { History } from "../../../chat/room/history.ts";
import { ReplayBuffer } from "../../../chat/room/replay_buffer.ts";
import { NONCES_MAX, RoomState } from "../../../chat/room/room_state.ts";

function emptyState(): RoomState {
  return new RoomState({
    history: new History({ kept: 100, newest: [], isWhole: true }),
    replayBuffer: new ReplayBuffer({
      reservedFrom: 0,
      replayBytesMax: () => 1000,
      earlier: [],
      earlierFrom: 0,
      reserve: () => {},
    }),
    identity: { serverId: 7, settings: { name: "Pub" } },
  });
}

Deno.test("a session's last 1024 nonces are known, and not one more", () => {
  const state = emptyState();
  for (let n = 0; n < NONCES_MAX; n++) state.remember({ author: "s", nonce: `n${n}`, uuid: `id ${n}` });
  assertEquals(state.sentAs("s", "n0"), "id 0");
  state.remember({ author: "s", nonce: "one more", uuid: "id" });
  assertEquals(state.sentAs("s", "n0"), undefined);
  assertEquals(state.sentAs("s", "n1"), "id 1");
  assertEquals(state.sentAs("other", "n1"), undefined);
});

Deno.test("the nonces of a session that has left are forgotten", () => {
  const state = emptyState();
  state.remember({ author: "s", nonce: "n", uuid: "id" });
  state.remember({ author: "t", nonce: "n", uuid: "other id" });
  const left = {
    kind: "left",
    session: "s",
    departure: "disconnect",
    username: "a",
    message: undefined,
  } as const;
  state.follow(left, [], undefined);
  assertEquals([state.sentAs("s", "n"), state.sentAs("t", "n")], [undefined, "other id"]);
});

/**
 * Moderation on a node: what it answers while the cluster does not, and how rulings become answers. What the leader rules
 * is shown with real nodes in tests/chat/cluster/.
 *
 * @module
 */
import { assertEquals } from "@std/assert";
import { ClusterModeration } from "../../../chat/admin/cluster_moderation.ts";
import { isAdminRefusal } from "../../../chat/admin/refusals.ts";
import type { Ruled } from "../../../chat/cluster/command.ts";
import { Membership } from "../../../chat/cluster/membership.ts";
import type { Decision } from "../../../chat/room/decision.ts";
import { Bans } from "../../../chat/room/bans.ts";

function moderationWith(order: () => Promise<Ruled | Decision>): ClusterModeration {
  const replica = { membership: new Membership(), bans: new Bans([]) };
  return new ClusterModeration({ replica, order, nowMs: () => 0, mintId: () => "id", outcomeMs: 1 });
}

const refusalIn = (answer: object | undefined) =>
  answer !== undefined && isAdminRefusal(answer) ? answer.refusal : undefined;

Deno.test("without an outcome the answer to an operator says that there may be one", async () => {
  const moderation = moderationWith(() => new Promise(() => {}));
  const name = { shown: "ann", folded: "ann" };
  const ban = { name, address: undefined, withAddress: false, message: "no", seconds: undefined };
  const answers = [
    await moderation.ban(ban),
    await moderation.lift({ name }),
    await moderation.kick(name),
    await moderation.announce("hello"),
  ];
  assertEquals(answers.map(refusalIn), Array(4).fill("NO_OUTCOME"));
});

Deno.test("an announcement that the log refuses is a failed store, and a refusal of the leader is its own", async () => {
  const refused = moderationWith(() =>
    Promise.resolve({ kind: "refused", fault: { fault: "STORE_FAILED", text: "no" } })
  );
  assertEquals(refusalIn(await refused.announce("hello")), "STORE_FAILED");
  const full = moderationWith(() => Promise.resolve({ kind: "refused", refusal: "TOO_MANY_BANS" }));
  const answer = await full.lift({ id: "1" });
  assertEquals("text" in answer && answer.text, "Too many bans: at most 10000 are allowed, lift one first");
});

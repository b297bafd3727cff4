/**
 * The identity of a server on listings: an id that is made once and within its range, and a stored key for each
 * listing.
 *
 * @module
 */
import { assertEquals, assertNotEquals, assertRejects } from "@std/assert";
import { KvKeyStore, serverId } from "../../../chat/announce/identity_kv.ts";
import { openKv } from "../../../src/kv/kv.ts";
import { inTempFolder } from "../../support/temp_folder.ts";

function neverAsked(): number {
  throw new Error("randomness was asked for a second id");
}

Deno.test("server id and keys are the same after a restart", () =>
  inTempFolder(async (folder) => {
    const path = `${folder}/chat.db`;
    let made: number;
    {
      using kv = await openKv(path);
      made = await serverId(kv, () => 0.123456789);
      assertEquals(made, Math.floor(0.123456789 * 2 ** 53));
      await new KvKeyStore(kv).set("http://a", "key");
    }
    using kv = await openKv(path);
    assertEquals(await serverId(kv, neverAsked), made);
    assertEquals(await new KvKeyStore(kv).get("http://a"), "key");
  }));

Deno.test("server id reaches from 0 to the largest integer that JSON carries exactly", async () => {
  for (const [random, id] of [[0, 0], [1 - 2 ** -53, Number.MAX_SAFE_INTEGER]] as const) {
    using kv = await openKv(":memory:");
    assertEquals(await serverId(kv, () => random), id);
    assertEquals(await serverId(kv, neverAsked), id, "0 is an id like any other");
  }
});

Deno.test("server ids of two stores differ", async () => {
  using a = await openKv(":memory:");
  using b = await openKv(":memory:");
  assertNotEquals(await serverId(a, Math.random), await serverId(b, Math.random));
});

Deno.test("key store has no key of a listing that gave none, and the newest of one that gave several", async () => {
  using kv = await openKv(":memory:");
  const keys = new KvKeyStore(kv);
  assertEquals([await keys.get("http://a"), await keys.all()], [undefined, []]);
  await keys.set("http://a", "first");
  await keys.set("http://a", "second");
  await keys.set("http://a/", "of another");
  assertEquals([await keys.get("http://a"), await keys.get("http://b")], ["second", undefined]);
  assertEquals(await keys.all(), [["http://a", "second"], ["http://a/", "of another"]]);
});

Deno.test("key store rejects where its store fails, so that the caller can say so", async () => {
  const kv = await openKv(":memory:");
  kv.close();
  const keys = new KvKeyStore(kv);
  await assertRejects(() => keys.get("http://a"));
  await assertRejects(() => keys.set("http://a", "key"));
});

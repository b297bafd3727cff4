/**
 * The keys of listings: each under its own listing, and there after a restart.
 *
 * @module
 */
import { assertEquals, assertRejects } from "@std/assert";
import { KvKeyStore } from "../../chat/announce/identity_kv.ts";
import { openKv } from "../../src/kv/kv.ts";

Deno.test("key store has no key of a listing that gave none, and the newest of one that gave several", async () => {
  const kv = await openKv(":memory:");
  const keys = new KvKeyStore(kv);
  assertEquals(await keys.get("http://a"), undefined);
  await keys.set("http://a", "first");
  await keys.set("http://a", "second");
  await keys.set("http://a/", "of another");
  assertEquals(await keys.get("http://a"), "second");
  assertEquals(await keys.get("http://a/"), "of another");
  assertEquals(await keys.get("http://b"), undefined);
  kv.close();
});

Deno.test("key store in a file has its keys after a restart", async () => {
  const folder = await Deno.makeTempDir({ prefix: "chatter_keys_" });
  try {
    const first = await openKv(`${folder}/chat.db`);
    await new KvKeyStore(first).set("http://a", "key");
    first.close();
    const second = await openKv(`${folder}/chat.db`);
    assertEquals(await new KvKeyStore(second).get("http://a"), "key");
    second.close();
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
});

Deno.test("key store rejects where its store fails, so that the caller can say so", async () => {
  const kv = await openKv(":memory:");
  kv.close();
  const keys = new KvKeyStore(kv);
  await assertRejects(() => keys.get("http://a"));
  await assertRejects(() => keys.set("http://a", "key"));
});

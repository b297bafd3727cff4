/**
 * The server's id: made once, within its range, and kept.
 *
 * @module
 */
import { assertEquals, assertNotEquals } from "@std/assert";
import { serverId } from "../../chat/announce/identity_kv.ts";
import { openKv } from "../../src/kv/kv.ts";

function neverAsked(): number {
  throw new Error("randomness was asked for a second id");
}

Deno.test("server id is made at the first boot and the same at every later one", async () => {
  using kv = await openKv(":memory:");
  const made = await serverId(kv, () => 0.123456789);
  assertEquals(made, Math.floor(0.123456789 * 2 ** 53));
  assertEquals(await serverId(kv, neverAsked), made);
});

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

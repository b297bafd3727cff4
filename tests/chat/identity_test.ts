/**
 * The server's id: made once, within its range, and kept.
 *
 * @module
 */
import { assertEquals } from "@std/assert";
import { serverId } from "../../chat/identity.ts";
import { openKv } from "../../src/kv.ts";

async function withKv(test: (kv: Deno.Kv) => Promise<void>): Promise<void> {
  const kv = await openKv(":memory:");
  try {
    await test(kv);
  } finally {
    kv.close();
  }
}

function neverAsked(): number {
  throw new Error("randomness was asked for a second id");
}

Deno.test("server id is made at the first boot and the same at every later one", () =>
  withKv(async (kv) => {
    const made = await serverId(kv, () => 0.123456789);
    assertEquals(made, Math.floor(0.123456789 * 2 ** 53));
    assertEquals(await serverId(kv, neverAsked), made);
  }));

Deno.test("server id reaches from 0 to the largest integer that JSON carries exactly", async () => {
  for (const [random, id] of [[0, 0], [1 - 2 ** -53, Number.MAX_SAFE_INTEGER]] as const) {
    await withKv(async (kv) => {
      assertEquals(await serverId(kv, () => random), id);
      assertEquals(await serverId(kv, neverAsked), id, "0 is an id like any other");
    });
  }
});

Deno.test("server ids of two stores differ", () =>
  withKv((a) =>
    withKv(async (b) => {
      assertEquals(await serverId(a, Math.random) === await serverId(b, Math.random), false);
    })
  ));

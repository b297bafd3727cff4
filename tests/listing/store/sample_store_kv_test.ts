/**
 * The samples in Deno KV: parts, several processes, and the bound of the rows.
 *
 * @module
 */
import { assertEquals, assertRejects } from "@std/assert";
import { type Sample, SAMPLES_KEPT } from "../../../listing/store/sample_store.ts";
import { KvSampleStore, ROW_SERVERS_MAX } from "../../../listing/store/sample_store_kv.ts";
import { StoreFailed } from "../../../listing/store/store.ts";
import { openKv } from "../../../src/kv/kv.ts";

const FIRST = 6_000_000;

function sample(slot: number, servers = 1, users = 1): Sample {
  return {
    slot,
    ids: Float64Array.from({ length: servers }, (_, i) => Number.MAX_SAFE_INTEGER - i),
    users: new Uint32Array(servers).fill(users),
  };
}

/** Slot, servers and sum of users of what is stored. */
async function stored(
  store: KvSampleStore,
  slot: number,
): Promise<[slot: number, servers: number, users: number][]> {
  const bySlot = new Map<number, [number, number, number]>();
  for await (const { slot: of, ids, users } of store.upTo(slot)) {
    const [, servers, sum] = bySlot.get(of) ?? [of, 0, 0];
    bySlot.set(of, [of, servers + ids.length, sum + users.reduce((a, b) => a + b, 0)]);
  }
  return [...bySlot.values()].sort(([a], [b]) => a - b);
}

Deno.test("a sample of as many servers as a row takes is one row, one more makes two, and 60,001 take two commits", async () => {
  using kv = await openKv(":memory:");
  const store = new KvSampleStore(kv);
  for (const [i, servers] of [0, ROW_SERVERS_MAX, ROW_SERVERS_MAX + 1, 12 * ROW_SERVERS_MAX + 1].entries()) {
    assertEquals(await store.add(sample(FIRST + i, servers)), true);
    const rows = await Array.fromAsync(
      kv.list({ prefix: ["listing", "samples", (FIRST + i) % SAMPLES_KEPT] }),
    );
    assertEquals(rows.length, Math.max(1, Math.ceil(servers / ROW_SERVERS_MAX)));
    assertEquals((await stored(store, FIRST + i)).at(-1), [FIRST + i, servers, servers]);
  }
});

Deno.test("of several processes the first stores a slot's sample, also at once", async () => {
  using kv = await openKv(":memory:");
  const stores = [1, 2, 3].map(() => new KvSampleStore(kv));
  const added = await Promise.all(stores.map((store, i) => store.add(sample(FIRST, 2, i + 1))));
  assertEquals(added.filter((isAdded) => isAdded).length, 1);
  const winner = added.indexOf(true) + 1;
  assertEquals(await stored(stores[0]!, FIRST), [[FIRST, 2, 2 * winner]]);
  assertEquals(await stores[1]!.add(sample(FIRST, 2, 9)), false);
});

Deno.test("samples of 24 hours are kept, later ones take the rows of earlier ones, and those of a clock ahead are not read", async () => {
  using kv = await openKv(":memory:");
  const store = new KvSampleStore(kv);
  for (let i = 0; i < 2 * SAMPLES_KEPT; i++) {
    await store.add(sample(FIRST + i, i < 9 ? ROW_SERVERS_MAX + 1 : 1));
  }
  const last = FIRST + 2 * SAMPLES_KEPT - 1;
  const all = await stored(store, last);
  assertEquals([all.length, all[0]?.[0], all.at(-1)], [SAMPLES_KEPT, last - SAMPLES_KEPT + 1, [last, 1, 1]]);
  const rows = await Array.fromAsync(kv.list({ prefix: ["listing", "samples"] }));
  assertEquals(rows.length, SAMPLES_KEPT + 9);
  await store.add(sample(last + 100 * SAMPLES_KEPT));
  assertEquals((await stored(store, last)).length, SAMPLES_KEPT - 1);
});

Deno.test("a store whose file was removed says so, and stores nothing", async () => {
  using kv = await openKv(":memory:");
  const store = new KvSampleStore(kv, () => {
    throw new Error("gone");
  });
  await assertRejects(() => store.add(sample(FIRST)), StoreFailed, "gone");
});

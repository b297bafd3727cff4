/**
 * The store in Deno KV: writes that share a commit, versions, and writes of other processes.
 *
 * @module
 */
import { assert, assertEquals, assertExists, assertLess, assertRejects } from "@std/assert";
import { openKv } from "../../../src/kv/kv.ts";
import { type ServerRecord, StoreFailed } from "../../../listing/store/store.ts";
import { KvServerStore } from "../../../listing/store/store_kv.ts";
import { ABROAD_RECORD } from "../abroad_record.ts";

function record(id: number, connectedUsers = 0): ServerRecord {
  return { ...ABROAD_RECORD, id, connectedUsers };
}

async function commits(kv: Deno.Kv): Promise<number> {
  return Number((await kv.get<Deno.KvU64>(["listing", "revision"])).value?.value ?? 0n);
}

Deno.test("writes that come together share commits, and each is reported in order before it resolves", async () => {
  using kv = await openKv(":memory:");
  const store = new KvServerStore(kv);
  const notified: number[] = [];
  store.onWrite((id) => notified.push(id));
  const ids = Array.from({ length: 500 }, (_, id) => id);
  const written = await Promise.all(ids.map(async (id) => {
    const done = await store.write(id, undefined, record(id));
    assert(notified.includes(id));
    return done;
  }));
  assertEquals(written, ids.map(() => true));
  assertEquals(notified, ids);
  assertLess(await commits(kv), 20);
});

Deno.test("of writes that share a commit only the one with a version that has passed fails", async () => {
  using kv = await openKv(":memory:");
  const store = new KvServerStore(kv);
  const notified: number[] = [];
  await store.write(2, undefined, record(2, 1));
  store.onWrite((id) => notified.push(id));
  const written = await Promise.all([1, 2, 3].map((id) => store.write(id, undefined, record(id, 9))));
  assertEquals([written, notified], [[true, false, true], [1, 3]]);
  assertEquals((await store.get(2))?.record.connectedUsers, 1);
});

Deno.test("two writes of one id that name the same version: the first is taken, the second is not", async () => {
  using kv = await openKv(":memory:");
  const store = new KvServerStore(kv);
  const written = await Promise.all([1, 2].map((users) => store.write(7, undefined, record(7, users))));
  assertEquals(written, [true, false]);
  const found = await store.get(7);
  assertExists(found);
  assertEquals(found.record.connectedUsers, 1);
  assert(await store.write(7, found.version, undefined));
  assertEquals(await store.get(7), undefined);
  assertEquals(await store.write(7, found.version, undefined), false);
});

Deno.test("the whole is read once, and again only after another process has written", async () => {
  using kv = await openKv(":memory:");
  const [one, two] = [new KvServerStore(kv), new KvServerStore(kv)];
  assertEquals(await one.changesOfOthers(), []);
  // Between own writes that are in progress.
  const own = [one.write(1, undefined, record(1)), one.changesOfOthers(), one.write(2, undefined, record(2))];
  assertEquals(await Promise.all(own), [true, undefined, true]);
  assertEquals(await one.changesOfOthers(), undefined);
  await two.write(3, undefined, record(3));
  assertEquals((await one.changesOfOthers())?.map(({ id }) => id), [1, 2, 3]);
  assertEquals(await one.changesOfOthers(), undefined);
});

Deno.test("after a write that failed the whole is read again, since it may have been written", async () => {
  using kv = await openKv(":memory:");
  let failing = true;
  // A KV whose commits succeed and are then reported as failed, as by a broken connection.
  const broken = new Proxy(kv, {
    get(target, name) {
      const value = Reflect.get(target, name);
      if (name !== "atomic") return typeof value === "function" ? value.bind(target) : value;
      return () => {
        const atomic = target.atomic();
        const commit = atomic.commit.bind(atomic);
        atomic.commit = async () => {
          const result = await commit();
          if (failing) throw new TypeError("connection lost");
          return result;
        };
        return atomic;
      };
    },
  });
  const store = new KvServerStore(broken);
  assertEquals(await store.changesOfOthers(), []);
  const writes = [1, 2].map((id) => assertRejects(() => store.write(id, undefined, record(id)), StoreFailed));
  await Promise.all(writes);
  failing = false;
  assertEquals((await store.changesOfOthers())?.map(({ id }) => id), [1, 2]);
  assert(await store.write(3, undefined, record(3)), "it goes on");
});

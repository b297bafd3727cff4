/**
 * The lease on a store without a file: one holder at a time, however the one before it ended.
 *
 * @module
 */
import { assertEquals, assertRejects } from "@std/assert";
import { steadyClock } from "../src/clock.ts";
import { type LeaseOptions, StoreLease } from "../src/kv/lease.ts";
import { StoreInUse } from "../src/kv/file_lock.ts";

/** Milliseconds, scaled down. */
const TIMES = { renewal: 20, expiry: 200, poll: 5 };
const NEVER = 1_000_000;

async function withStore(test: (kv: Deno.Kv) => Promise<void>): Promise<void> {
  using kv = await Deno.openKv(":memory:");
  await test(kv);
}

function take(kv: Deno.Kv, options: Partial<LeaseOptions> = {}): Promise<StoreLease> {
  return StoreLease.take(kv, { asks: false, steadyMs: steadyClock, times: TIMES, ...options });
}

/** Whether a commit behind the lease goes through. */
async function commits(kv: Deno.Kv, { fence }: StoreLease): Promise<boolean> {
  return (await kv.atomic().check(fence).set(["said"], true).commit()).ok;
}

Deno.test("who does not ask is refused a lease that is renewed, and gets it once it is given back", () =>
  withStore(async (kv) => {
    const first = await take(kv);
    await assertRejects(() => take(kv), StoreInUse);
    assertEquals(await commits(kv, first), true);
    await first.release();
    const second = await take(kv);
    assertEquals([await commits(kv, first), await commits(kv, second)], [false, true]);
    await second.release();
  }));

Deno.test("who asks has the holder told, and gets the lease when that one gives it back", () =>
  withStore(async (kv) => {
    // Told at once where the store tells, and else with the next renewal.
    for (const renewal of [NEVER, 5]) {
      const first = await take(kv, { times: { ...TIMES, renewal } });
      let isTaken = false;
      const waiting = take(kv, { asks: true, times: { ...TIMES, expiry: NEVER } }).finally(() =>
        isTaken = true
      );
      assertEquals(await first.ending, "asked");
      assertEquals([isTaken, await commits(kv, first)], [false, true]);
      await first.release();
      const second = await waiting;
      assertEquals(await commits(kv, second), true);
      await second.release();
    }
  }));

Deno.test("of two who ask one gets the lease, and the other is refused instead of taking it from that one", () =>
  withStore(async (kv) => {
    const first = await take(kv);
    const waiting = [take(kv, { asks: true }), take(kv, { asks: true })];
    const settled = Promise.allSettled(waiting);
    await first.ending;
    await first.release();
    const outcomes = await settled;
    assertEquals(outcomes.map(({ status }) => status).toSorted(), ["fulfilled", "rejected"]);
    for (const outcome of outcomes) {
      if (outcome.status === "fulfilled") await outcome.value.release();
      else assertEquals(outcome.reason instanceof StoreInUse, true, String(outcome.reason));
    }
  }));

Deno.test("a lease that is not renewed goes to who waits, and its holder can commit nothing any more", () =>
  withStore(async (kv) => {
    const dead = await take(kv, { times: { ...TIMES, renewal: NEVER } });
    const next = await take(kv);
    assertEquals([await commits(kv, dead), await commits(kv, next)], [false, true]);
    // What it gives back is not its own any more.
    await dead.release();
    assertEquals(await commits(kv, next), true);
    await next.release();
  }));

Deno.test("a holder that stood still for too long learns that it has lost the lease", () =>
  withStore(async (kv) => {
    const slow = await take(kv, { times: { ...TIMES, renewal: 400 } });
    const next = await take(kv);
    assertEquals(await slow.ending, "lost");
    await slow.release();
    await next.release();
  }));

Deno.test("a holder whose store fails gives the lease up when others may have it", async () => {
  const kv = await Deno.openKv(":memory:");
  const lease = await take(kv);
  kv.close();
  assertEquals(await lease.ending, "lost");
  await lease.release();
});

/**
 * The sweep: when servers are checked, the effect of misses, and that dead servers delay no others.
 *
 * @module
 */
import { assertEquals, assertExists } from "@std/assert";
import { CHECKS_AT_ONCE_MAX, Liveness } from "../../../listing/registry/liveness.ts";
import { MISSES_MAX } from "../../../listing/registry/rules.ts";
import { type ServerRecord, StoreFailed } from "../../../listing/store/store.ts";
import { until } from "../../support/until.ts";
import { ANSWERED, ListingUnderTest, SILENT } from "../listing_under_test.ts";

async function check(listing: ListingUnderTest, id: number): Promise<void> {
  const record = listing.index.record(id);
  assertExists(record);
  await listing.registry.check(record);
}

function sweep(
  listing: ListingUnderTest,
  interval: number,
  check = (record: ServerRecord) => listing.registry.check(record),
  forget = () => listing.registry.forget(),
): Liveness {
  const liveness = new Liveness({
    index: listing.index,
    check,
    forget,
    interval,
    steadyClock: () => performance.now(),
    wallClock: () => listing.nowMs,
  });
  liveness.start();
  return liveness;
}

Deno.test("a removal counts once, though another process writes first", async () => {
  await using listing = await ListingUnderTest.start();
  await listing.list(7);
  listing.prober.answer = () => SILENT;
  const write = listing.store.write.bind(listing.store);
  for (let miss = 1; miss <= MISSES_MAX; miss++) {
    let conflicts = 1;
    listing.store.write = (...written) => conflicts-- > 0 ? Promise.resolve(false) : write(...written);
    await check(listing, 7);
  }
  assertEquals(await listing.shown(7), undefined);
  const { text } = await listing.ask("GET", "/metrics");
  assertEquals(/chatter_servers_changed_total\{change="removed"\} ([0-9]+)/.exec(text)?.[1], "1");
});

Deno.test("three misses in a row remove a server, fewer do not", async () => {
  await using listing = await ListingUnderTest.start();
  await listing.list(7);
  listing.prober.answer = () => SILENT;
  for (let miss = 1; miss < MISSES_MAX; miss++) {
    await check(listing, 7);
    assertExists(await listing.shown(7), `after ${miss}`);
  }
  listing.prober.answer = () => ANSWERED;
  await check(listing, 7);
  listing.prober.answer = () => SILENT;
  for (let miss = 1; miss < MISSES_MAX; miss++) await check(listing, 7);
  assertExists(await listing.shown(7), "an answer in between resets the count");
  await check(listing, 7);
  assertEquals(await listing.shown(7), undefined);
  assertEquals(await listing.store.get(7), undefined);
});

Deno.test("the round trip is that of the last answer, and the uptime the share of answered checks", async () => {
  await using listing = await ListingUnderTest.start();
  await listing.list(7);
  listing.prober.answer = () => SILENT;
  await check(listing, 7);
  const missed = await listing.shown(7);
  assertEquals([missed?.["roundTripMs"], missed?.["uptime"]], [3, 0.5]);
  listing.prober.answer = () => ({ answered: true, roundTripMs: 41.2 });
  await check(listing, 7);
  const answered = await listing.shown(7);
  assertEquals([answered?.["roundTripMs"], answered?.["uptime"]], [42, 0.667]);
});

Deno.test("a server that registers again with its key keeps its share of answered checks", async () => {
  await using listing = await ListingUnderTest.start();
  const key = await listing.list(7);
  listing.prober.answer = () => SILENT;
  await check(listing, 7);
  listing.prober.answer = () => ANSWERED;
  await listing.list(7, {}, { key });
  assertEquals((await listing.shown(7))?.["uptime"], 0.667);
});

Deno.test("a check overwrites nothing that changed while it was under way", async () => {
  await using listing = await ListingUnderTest.start();
  const key = await listing.list(7, { connectedUsers: 1 });
  listing.prober.answer = async () => {
    await listing.ask("PUT", "/servers/7", { key, body: { connectedUsers: 2 } });
    return SILENT;
  };
  await check(listing, 7);
  assertEquals((await listing.shown(7))?.["connectedUsers"], 2);
  assertEquals(listing.index.record(7)?.misses, 1);
});

Deno.test("a check of a server that moved, registered again or left meanwhile means nothing", async () => {
  const meanwhile: ((listing: ListingUnderTest, key: string) => Promise<unknown>)[] = [
    (listing, key) => listing.ask("PUT", "/servers/7", { key, body: { address: "new.example" } }),
    (listing, key) => listing.ask("POST", "/servers/7", { key, body: { address: "new.example" } }),
    (listing, key) => listing.ask("DELETE", "/servers/7", { key }),
  ];
  for (const [i, happens] of meanwhile.entries()) {
    await using listing = await ListingUnderTest.start();
    const key = await listing.list(7, { address: "old.example" });
    listing.prober.answer = async (address) => {
      if (!address.startsWith("old")) return ANSWERED;
      await happens(listing, key);
      return SILENT;
    };
    await check(listing, 7);
    const record = listing.index.record(7);
    assertEquals(record?.misses, i === 2 ? undefined : 0);
  }
});

Deno.test("a check that is cut off by the listing's stop is no miss", async () => {
  await using listing = await ListingUnderTest.start();
  await listing.list(7);
  listing.prober.answer = () => {
    listing.stopping.abort();
    return SILENT;
  };
  await check(listing, 7);
  assertEquals(listing.index.record(7)?.misses, 0);
});

Deno.test("a store that cannot free the ids that were kept holds up no check", async () => {
  await using listing = await ListingUnderTest.start();
  await listing.list(7);
  listing.nowMs += 60_000;
  let checks = 0;
  const check = () => {
    listing.nowMs += 1000;
    checks++;
    return Promise.resolve();
  };
  const liveness = sweep(listing, 0.05, check, () => Promise.reject(new StoreFailed("disk")));
  try {
    await until("it is checked again", () => checks > 2);
  } finally {
    await liveness.stop();
  }
});

Deno.test("the sweep checks every server again and again, and removes the dead", async () => {
  await using listing = await ListingUnderTest.start();
  for (let id = 0; id < 10; id++) {
    await listing.list(id, { address: id % 2 ? "dead.example" : "alive.example" });
  }
  listing.nowMs += 60_000;
  listing.prober.answer = (address) => {
    // The store's clock advances, so that a check counts as past.
    listing.nowMs += 1000;
    return address.startsWith("dead") ? SILENT : ANSWERED;
  };
  const liveness = sweep(listing, 0.1);
  try {
    await until("the dead are gone", () => listing.index.size === 5);
    await until(
      "all others are checked again",
      () => [...listing.index.records()].every(({ checks }) => checks > 3),
    );
  } finally {
    await liveness.stop();
  }
  assertEquals(
    [...listing.index.records()].map(({ id, misses }) => [id % 2, misses]),
    Array(5).fill([0, 0]),
  );
});

Deno.test("a server that was just checked, as by another process, is left alone", async () => {
  await using listing = await ListingUnderTest.start();
  await listing.list(1);
  await listing.list(2);
  const stale = await listing.store.get(2);
  assertExists(stale);
  await listing.store.write(2, stale.version, { ...stale.record, checkedAtMs: 0 });
  const checked: number[] = [];
  // Nothing is written and the clock does not move: one server stays fresh and the other due.
  const liveness = sweep(listing, 0.03, ({ id }) => {
    checked.push(id);
    return Promise.resolve();
  });
  await until("five checks are made", () => checked.length >= 5);
  await liveness.stop();
  assertEquals(new Set(checked), new Set([2]));
});

Deno.test("checks at once are limited", async () => {
  await using listing = await ListingUnderTest.start({ limits: { maxServersPerOrigin: 1000 } });
  await Promise.all(Array.from({ length: 300 }, (_, id) => listing.list(id)));
  listing.nowMs += 60_000;
  let underWay = 0;
  let most = 0;
  listing.prober.answer = async () => {
    most = Math.max(most, ++underWay);
    await new Promise((resolve) => setTimeout(resolve, 30));
    underWay--;
    return ANSWERED;
  };
  const liveness = sweep(listing, 0.05);
  await until("as many are checked at once as may be", () => most === CHECKS_AT_ONCE_MAX);
  await liveness.stop();
  assertEquals([most, underWay], [CHECKS_AT_ONCE_MAX, 0]);
});

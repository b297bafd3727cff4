/**
 * Distinguishes an outage from servers that ended, and from pings that the listing could not send.
 *
 * @module
 */
import { configure, type LogRecord, reset } from "@logtape/logtape";
import { assert, assertEquals, assertExists } from "@std/assert";
import { Outage, OUTAGE_CHECKS_MIN, OUTAGE_INTERVALS_MAX } from "../../../listing/registry/outage.ts";
import type { PingOutcome } from "../../../listing/probe/prober.ts";
import { MISSES_MAX } from "../../../listing/registry/rules.ts";
import { ANSWERED, ListingUnderTest, SILENT } from "../listing_under_test.ts";

const INTERVAL_MS = 60_000;
const UNHEARD: PingOutcome = { answered: false, problem: "Nothing was heard.", doubt: "network" };
const UNASKED: PingOutcome = { answered: false, problem: "No descriptor was left.", doubt: "listing" };

async function listMany(listing: ListingUnderTest, count: number): Promise<void> {
  for (let id = 0; id < count; id++) await listing.list(id, { address: `s${id}.example` });
}

/** Checks every server once, spread over an interval. */
async function sweepOnce(listing: ListingUnderTest): Promise<void> {
  const records = [...listing.index.records()];
  for (const record of records) {
    listing.nowMs += INTERVAL_MS / records.length;
    await listing.registry.check(record);
  }
}

Deno.test("silence of more than half is an outage, from ten checks on; half is not", () => {
  const cases: [checks: number, silent: number, isOutage: boolean][] = [
    [OUTAGE_CHECKS_MIN - 1, OUTAGE_CHECKS_MIN - 1, false],
    [OUTAGE_CHECKS_MIN, OUTAGE_CHECKS_MIN, true],
    [OUTAGE_CHECKS_MIN, OUTAGE_CHECKS_MIN / 2, false],
    [OUTAGE_CHECKS_MIN, OUTAGE_CHECKS_MIN / 2 + 1, true],
    [1000, 500, false],
    [1000, 501, true],
  ];
  for (const [checks, silent, isOutage] of cases) {
    const outage = new Outage(60);
    let last = false;
    for (let i = 0; i < checks; i++) last = outage.note(i < silent, i);
    assertEquals(last, isOutage, `${silent} of ${checks}`);
  }
});

Deno.test("only the last interval counts", () => {
  const outage = new Outage(60);
  for (let i = 0; i < 100; i++) outage.note(false, i);
  for (let i = 0; i < 20; i++) assertEquals(outage.note(true, 30_000), false);
  for (let i = 0; i < 20; i++) outage.note(true, 59_000);
  assertEquals(outage.note(true, 61_000), true, "the hundred are forgotten");
});

Deno.test("an outage lasts ten intervals if some servers answer, and without limit if none does", () => {
  const until = OUTAGE_INTERVALS_MAX * INTERVAL_MS;
  for (const isAnyHeard of [true, false]) {
    const outage = new Outage(60);
    const ends: number[] = [];
    for (let nowMs = 0; nowMs < 2 * until; nowMs += INTERVAL_MS / 30) {
      const isSilent = !(isAnyHeard && nowMs % INTERVAL_MS === 0);
      if (!outage.note(isSilent, nowMs) && nowMs > INTERVAL_MS) ends.push(nowMs);
    }
    if (!isAnyHeard) assertEquals(ends, []);
    else assert(ends[0]! >= until && ends[0]! < until + 2 * INTERVAL_MS, String(ends[0]));
  }
});

Deno.test("a listing that is cut off for hours keeps its list, says so once, and goes on when it is back", async () => {
  const events: string[] = [];
  const keep = ({ message }: LogRecord) => events.push(message.join(""));
  await configure({
    reset: true,
    sinks: { keep },
    loggers: [
      { category: "chatter", sinks: ["keep"], lowestLevel: "info" },
      { category: ["logtape", "meta"], sinks: [], lowestLevel: "fatal" },
    ],
  });
  try {
    await using listing = await ListingUnderTest.start();
    await listMany(listing, 20);
    await sweepOnce(listing);
    listing.prober.answer = () => UNHEARD;
    for (let interval = 0; interval < 200; interval++) await sweepOnce(listing);
    assertEquals(listing.index.size, 20);
    listing.prober.answer = (address) => address.startsWith("thief") ? ANSWERED : UNHEARD;
    const theft = await listing.ask("POST", "/servers/3", { body: { address: "thief.example" } });
    assertEquals(theft.status, 503, "a client on this side of the cut gets no other's id");
    for (const { misses } of listing.index.records()) {
      assert(misses < MISSES_MAX - 1, "at most one was counted");
    }
    listing.prober.answer = () => ANSWERED;
    await sweepOnce(listing);
    assertEquals([...listing.index.records()].map(({ misses }) => misses), Array(20).fill(0));
    assertEquals(events.filter((event) => event.startsWith("checks.")), [
      "checks.suspended",
      "checks.resumed",
    ]);
  } finally {
    await reset();
  }
});

Deno.test("in an outage a server that refuses is removed, and the silent ones are kept for ten intervals", async () => {
  await using listing = await ListingUnderTest.start();
  await listMany(listing, 20);
  listing.prober.answer = (_, { id }) => id === 0 ? SILENT : id < 4 ? ANSWERED : UNHEARD;
  for (let interval = 0; interval < MISSES_MAX; interval++) await sweepOnce(listing);
  assertEquals(await listing.shown(0), undefined);
  assertEquals(listing.index.size, 19);
  for (let interval = 0; interval < OUTAGE_INTERVALS_MAX + MISSES_MAX; interval++) await sweepOnce(listing);
  assertEquals(listing.index.size, 3, "by then they are gone and not cut off");
});

Deno.test("many servers that end at once are removed as any other, since their machines refuse", async () => {
  await using listing = await ListingUnderTest.start();
  await listMany(listing, 20);
  listing.prober.answer = () => SILENT;
  for (let interval = 0; interval < MISSES_MAX; interval++) await sweepOnce(listing);
  assertEquals(listing.index.size, 0);
});

Deno.test("a few silent servers among many are removed", async () => {
  await using listing = await ListingUnderTest.start();
  await listMany(listing, 20);
  listing.prober.answer = (_, { id }) => id < 9 ? UNHEARD : ANSWERED;
  for (let interval = 0; interval < MISSES_MAX + 1; interval++) await sweepOnce(listing);
  assertEquals(listing.index.size, 11);
});

Deno.test("a check that the listing could not make is no miss, and no server is taken for dead by it", async () => {
  await using listing = await ListingUnderTest.start();
  const key = await listing.list(7);
  listing.prober.answer = () => UNASKED;
  for (let i = 0; i < MISSES_MAX + 1; i++) {
    const record = listing.index.record(7);
    assertExists(record);
    await listing.registry.check(record);
  }
  assertEquals(listing.index.record(7)?.misses, 0);
  assertEquals((await listing.ask("POST", "/servers/7", { body: { address: "new.example" } })).status, 503);
  assertEquals((await listing.ask("POST", "/servers/8")).status, 503);
  assertEquals(
    (await listing.ask("PUT", "/servers/7", { key, body: { address: "new.example" } })).status,
    503,
  );
});

/**
 * The samples of a listing: when they are taken, over restarts and with several processes, and GET of them.
 *
 * @module
 */
import { assert, assertEquals, assertMatch } from "@std/assert";
import { IDS_MAX } from "../../../listing/http/routes.ts";
import { QUERY_RATE } from "../../../listing/http/answers.ts";
import { PeopleOverTime } from "../../../listing/list/people.ts";
import { Sampler } from "../../../listing/registry/sampler.ts";
import { SAMPLE_MS, type SampleStore, slotOf } from "../../../listing/store/sample_store.ts";
import { openKv } from "../../../src/kv/kv.ts";
import { ABROAD_RECORD } from "../abroad_record.ts";
import { ANSWERED, ListingUnderTest } from "../listing_under_test.ts";

async function people(listing: ListingUnderTest, id: number) {
  const { status, text } = await listing.ask("GET", `/servers/${id}/people`);
  assertEquals(status, 200, text);
  return JSON.parse(text);
}

/** The next sample's time comes, and the sampler looks. */
async function sampleNext(listing: ListingUnderTest): Promise<void> {
  listing.nowMs += SAMPLE_MS;
  await listing.sampler.look();
}

Deno.test("a sample is taken every 5 minutes, and the peak is exact in between", async () => {
  await using listing = await ListingUnderTest.start();
  const key = await listing.list(7, { connectedUsers: 3 });
  const users = (connectedUsers: number) =>
    listing.ask("PUT", "/servers/7", { key, body: { connectedUsers } });
  await sampleNext(listing);
  const firstAt = Math.floor(listing.nowMs / SAMPLE_MS) * SAMPLE_MS;
  const peakAt = listing.nowMs += 1000;
  await users(40);
  await users(5);
  await listing.sampler.look();
  await sampleNext(listing);
  await users(40);
  assertEquals(await people(listing, 7), {
    id: 7,
    peak: { users: 40, at: peakAt },
    intervalMs: SAMPLE_MS,
    firstAt,
    users: [3, 5],
  });
  assertEquals((await listing.shown(7))?.["peakUsers"], 40);
});

Deno.test("a listing that starts again has the samples of before, with a gap, and takes no second one of a slot", async () => {
  using kv = await openKv(":memory:");
  const before = new ListingUnderTest(kv, { sharedKv: true });
  await before.list(7, { connectedUsers: 3 });
  await sampleNext(before);
  await using after = new ListingUnderTest(kv, { sharedKv: true });
  after.nowMs = before.nowMs;
  await after.index.refresh();
  await after.sampler.load();
  assertEquals((await people(after, 7)).users, [3]);
  await after.sampler.look();
  after.nowMs += SAMPLE_MS;
  await sampleNext(after);
  assertEquals((await people(after, 7)).users, [3, null, 3]);
});

Deno.test("a listing that starts again holds no samples of servers that have gone, whatever their number", async () => {
  await using listing = await ListingUnderTest.start();
  await listing.list(7);
  const people = new PeopleOverTime();
  const held: number[] = [];
  const last = slotOf(listing.nowMs);
  const samples: SampleStore = {
    async *upTo() {
      for (let n = 0; n < 10; n++) {
        const ids = Float64Array.from({ length: 100 }, (_, i) => i === 0 ? 7 : 1000 + 100 * n + i);
        yield { slot: last - n, ids, users: new Uint32Array(100) };
        held.push(people.size);
      }
    },
    add: () => Promise.resolve(true),
  };
  const { index } = listing;
  await new Sampler({ index, people, samples, wallClock: () => listing.nowMs }).load();
  assertEquals(held, new Array(10).fill(1));
});

Deno.test("listings that share a store store one sample a slot, and each shows its own", async () => {
  using kv = await openKv(":memory:");
  const listings = [1, 2].map(() => new ListingUnderTest(kv, { sharedKv: true }));
  await listings[0]!.list(7, { connectedUsers: 3 });
  for (const listing of listings) listing.nowMs += 2000;
  for (const _ of [1, 2]) await Promise.all(listings.map(sampleNext));
  for (const listing of listings) assertEquals((await people(listing, 7)).users, [3, 3]);
  assertEquals((await Array.fromAsync(kv.list({ prefix: ["listing", "samples"] }))).length, 2);
});

Deno.test("a clock that jumps ahead and back takes no sample twice, and shows none of the future", async () => {
  await using listing = await ListingUnderTest.start();
  await listing.list(7, { connectedUsers: 3 });
  await sampleNext(listing);
  listing.wallAheadMs = 100 * 86_400_000;
  await sampleNext(listing);
  assertEquals((await people(listing, 7)).users, [3]);
  listing.wallAheadMs = 0;
  await sampleNext(listing);
  assertEquals((await people(listing, 7)).users, [3, null, 3]);
});

Deno.test("a new server with the id of one that left has neither its people nor its peak, and the same server has both", async () => {
  await using listing = await ListingUnderTest.start();
  const key = await listing.list(7, { connectedUsers: 30 });
  await sampleNext(listing);
  await listing.list(7, { connectedUsers: 1 }, { key });
  const { users, peak } = await people(listing, 7);
  assertEquals([users, peak.users], [[30], 30]);
  await listing.ask("DELETE", "/servers/8", { key: await listing.list(8, { connectedUsers: 9 }) });
  await sampleNext(listing);
  await listing.list(8, { connectedUsers: 2 });
  const other = await people(listing, 8);
  assertEquals([other.users, other.peak.users], [[], 2]);
});

Deno.test("a proven server that restarts keeps its people and its peak, and one that takes its id for good does not", async () => {
  await using listing = await ListingUnderTest.start();
  listing.prober.answer = () => ({ ...ANSWERED, isProven: true });
  const headers = { "C2-Proof": "p".repeat(43) };
  const key = await listing.list(7, { connectedUsers: 30 }, { headers });
  await sampleNext(listing);
  await listing.ask("DELETE", "/servers/7", { key });
  await sampleNext(listing);
  await listing.list(7, { connectedUsers: 2 }, { headers });
  await sampleNext(listing);
  const { users, peak } = await people(listing, 7);
  assertEquals([users, peak.users], [[30, null, 2], 30]);
  await listing.list(8, { connectedUsers: 50 });
  await sampleNext(listing);
  await listing.list(8, { connectedUsers: 1 }, { headers });
  const taken = await people(listing, 8);
  assertEquals([taken.users, taken.peak.users], [[], 1]);
});

Deno.test("a row from before peaks has its last report as its peak", async () => {
  await using listing = await ListingUnderTest.start();
  await listing.put(7, 8, { connectedUsers: 12, keyUsedAtMs: 99 });
  assertEquals((await people(listing, 7)).peak, { users: 12, at: 99 });
});

Deno.test("people of many servers come at once, up to the limit; unknown ones are left out, malformed ones refused", async () => {
  await using listing = await ListingUnderTest.start();
  await listing.put(0, 3, { connectedUsers: 4 });
  await sampleNext(listing);
  const ask = (ids: string) =>
    listing.ask("GET", `/people?ids=${ids}`, { peer: "192.0.2.1", arrivedAt: "8.8.8.8" });
  const { people: some } = JSON.parse((await ask("2,0,2,77")).text);
  assertEquals(some.map(({ id, users }: { id: number; users: number[] }) => [id, users]), [[2, [4]], [0, [
    4,
  ]]]);
  const ids = (count: number) => Array.from({ length: count }, (_, i) => Number.MAX_SAFE_INTEGER - i).join();
  assertEquals((await ask(ids(IDS_MAX))).status, 200);
  for (const bad of [ids(IDS_MAX + 1), "", "1,", "x", "01", "1".repeat(2000)]) {
    const { status, text } = await ask(bad);
    assertEquals(status, 400, bad);
    assertMatch(text, /^The query is malformed: ids/);
  }
  const statuses: number[] = [];
  for (let i = 0; i <= QUERY_RATE.burst; i++) statuses.push((await ask("1")).status);
  assert(statuses.includes(429));
  assertEquals((await listing.ask("GET", "/servers/77/people")).status, 404);
  assertEquals((await listing.ask("PUT", "/servers/1/people")).status, 405);
  assertEquals((await listing.ask("POST", "/people")).status, 405);
});

Deno.test("an answer is the same until the next sample, and 304 to who has it", async () => {
  await using listing = await ListingUnderTest.start();
  await listing.store.write(7, undefined, { ...ABROAD_RECORD, id: 7 });
  await sampleNext(listing);
  const { headers } = await listing.ask("GET", "/servers/7/people");
  listing.nowMs += 1000;
  const etag = headers.get("etag")!;
  const again = () => listing.ask("GET", "/servers/7/people", { headers: { "If-None-Match": etag } });
  assertEquals((await again()).status, 304);
  await sampleNext(listing);
  assertEquals((await again()).status, 200);
});

/**
 * Limits on the rate and concurrency of writes: 32 honest servers behind one address never reach a limit, whatever
 * others at that address do.
 *
 * @module
 */
import { assertEquals, assertLessOrEqual, assertStringIncludes } from "@std/assert";
import { QUERY_RATE } from "../../../listing/http/answers.ts";
import { OriginRate, ORIGINS_MAX } from "../../../listing/origin_rate.ts";
import {
  HOLDER_AT_ONCE_MAX,
  HOLDER_RATE,
  ORIGIN_AT_ONCE_MAX,
  SITE_AT_ONCE_MAX,
  STRANGERS_AT_ONCE_MAX,
} from "../../../listing/http/write_limits.ts";
import { DEFAULT_LISTING_LIMITS, NETWORKS_PER_SITE } from "../../../src/announcement/listing_limits.ts";
import { ListingUnderTest } from "../listing_under_test.ts";

const ABROAD = "198.51.100.7";
const WRONG_KEY = "A".repeat(43);
const { maxServersPerOrigin, writeBurstPerOrigin, writeRatePerOrigin } = DEFAULT_LISTING_LIMITS;

async function listAll(listing: ListingUnderTest, peer: string): Promise<string[]> {
  const keys: string[] = [];
  for (let id = 0; id < maxServersPerOrigin; id++) keys.push(await listing.list(id, {}, { peer }));
  return keys;
}

/** Sends guesses of server 0's key until a limit refuses one. Returns how many were judged. */
async function guessAway(listing: ListingUnderTest, peer: string): Promise<number> {
  for (let judged = 0;; judged++) {
    const { status, headers } = await listing.ask("PUT", "/servers/0", { key: WRONG_KEY, body: {}, peer });
    if (status === 401) continue;
    assertEquals([status, headers.get("retry-after")], [429, "1"]);
    return judged;
  }
}

Deno.test("32 servers behind one address that each PUT once a second are never refused", async () => {
  await using listing = await ListingUnderTest.start();
  const keys = await listAll(listing, ABROAD);
  // Were they limited by their address, its burst would end in the eighth second.
  for (let second = 1; second <= 10; second++) {
    listing.nowMs += 1000;
    const statuses = await Promise.all(
      keys.map(async (key, id) =>
        (await listing.ask("PUT", `/servers/${id}`, { key, body: { connectedUsers: second }, peer: ABROAD }))
          .status
      ),
    );
    assertEquals(new Set(statuses), new Set([200]), `in second ${second}`);
  }
});

Deno.test("32 servers behind one address that the listing forgot come back at once", async () => {
  await using listing = await ListingUnderTest.start();
  for (let id = 0; id < maxServersPerOrigin; id++) {
    const path = `/servers/${id}`;
    assertEquals((await listing.ask("PUT", path, { key: WRONG_KEY, body: {}, peer: ABROAD })).status, 400);
    assertEquals((await listing.ask("POST", path, { key: WRONG_KEY, peer: ABROAD })).status, 201);
  }
});

Deno.test("requests without the right key are limited by origin, and the right key is not", async () => {
  await using listing = await ListingUnderTest.start();
  const keys = await listAll(listing, ABROAD);
  listing.nowMs += 60_000;
  assertEquals(await guessAway(listing, ABROAD), writeBurstPerOrigin);
  const refused = await listing.ask("POST", "/servers/99", { peer: ABROAD });
  assertEquals(refused.status, 429);
  assertStringIncludes(refused.text, `sustained rate limit is ${writeRatePerOrigin} per second`);
  assertEquals((await listing.ask("DELETE", "/servers/0", { peer: ABROAD })).status, 429);
  const { status } = await listing.ask("PUT", "/servers/0", { key: keys[0] ?? "", body: {}, peer: ABROAD });
  assertEquals(status, 200, "a neighbour's guesses cost the server nothing");
  assertEquals((await listing.ask("PUT", "/servers/0", { body: {}, peer: "198.51.100.8" })).status, 401);
  listing.nowMs += 1000;
  assertEquals(await guessAway(listing, ABROAD), writeRatePerOrigin);
});

Deno.test("one server's changes are limited, and cost its neighbour nothing", async () => {
  await using listing = await ListingUnderTest.start();
  const [first = "", second = ""] = await listAll(listing, ABROAD);
  const put = (id: number, key: string) =>
    listing.ask("PUT", `/servers/${id}`, { key, body: { connectedUsers: 1 }, peer: ABROAD });
  for (let i = 0; i < HOLDER_RATE.burst; i++) assertEquals((await put(0, first)).status, 200);
  const past = await put(0, first);
  assertEquals([past.status, past.headers.get("retry-after")], [429, "1"]);
  assertStringIncludes(past.text, `sustained rate limit is ${HOLDER_RATE.perSecond} requests per second`);
  assertEquals((await put(1, second)).status, 200);
  listing.nowMs += 1000;
  assertEquals((await put(0, first)).status, 200);
});

Deno.test("loopback is exempt, and a rate of 0 exempts all clients", async () => {
  await using listing = await ListingUnderTest.start({ limits: { writeBurstPerOrigin: 1 } });
  for (let i = 0; i < 5; i++) assertEquals((await listing.ask("DELETE", "/servers/0")).status, 400);
  await using open = await ListingUnderTest.start({
    limits: { writeBurstPerOrigin: 1, writeRatePerOrigin: 0 },
  });
  for (let i = 0; i < 5; i++) {
    assertEquals((await open.ask("DELETE", "/servers/0", { peer: ABROAD })).status, 400);
  }
});

Deno.test("an IPv6 network has one rate, and a site that of so many networks", async () => {
  await using listing = await ListingUnderTest.start({ limits: { writeBurstPerOrigin: 2 } });
  const remove = async (peer: string) => (await listing.ask("DELETE", "/servers/0", { peer })).status;
  const network = ["2001:db8:0:1::1", "2001:db8:0:1:ffff::2", "2001:db8:0:1::3"];
  assertEquals([await remove(network[0]!), await remove(network[1]!), await remove(network[2]!)], [
    400,
    400,
    429,
  ]);
  const statuses: number[] = [];
  // The site has room for 16 networks of 2; one of them is used up.
  for (let i = 2; i <= NETWORKS_PER_SITE + 1; i++) {
    statuses.push(await remove(`2001:db8:0:${i}::1`), await remove(`2001:db8:0:${i}::1`));
  }
  assertEquals(statuses.filter((status) => status === 400).length, 2 * (NETWORKS_PER_SITE - 1));
  assertEquals(statuses.at(-1), 429);
  assertEquals(await remove("2001:db8:1:1::1"), 400, "another site has its own");
});

Deno.test("a site may list as many servers as 16 networks, and no more by having 65,536 of them", async () => {
  await using listing = await ListingUnderTest.start({ limits: { maxServersPerOrigin: 2 } });
  const post = async (id: number, network: number) =>
    (await listing.ask("POST", `/servers/${id}`, { peer: `2001:db8:0:${network.toString(16)}::1` })).status;
  for (let id = 0; id < 2 * NETWORKS_PER_SITE; id++) assertEquals(await post(id, id), 201);
  const past = await listing.ask("POST", "/servers/999", { peer: "2001:db8:0:999::1" });
  assertEquals([past.status, past.text.includes("at most 32 are")], [429, true]);
  assertEquals((await listing.ask("POST", "/servers/999", { peer: "2001:db8:1:999::1" })).status, 201);
});

Deno.test("what is remembered of origins is bounded however many come", () => {
  const rate = new OriginRate({ burst: 1, perSecond: 1 });
  for (let i = 0; i < ORIGINS_MAX + 100; i++) {
    rate.consume(`2001:${(i >> 12).toString(16)}:${(i & 0xfff).toString(16)}::1`, 0);
  }
  assertLessOrEqual(rate.size, 2 * ORIGINS_MAX);
  assertEquals(rate.consume("2001:0:0::1", 0), true, "who is forgotten has a full bucket");
});

/** A body that never ends, and a function that ends it. */
function endless(): { raw: ReadableStream; end: () => void } {
  let end = () => {};
  const raw = new ReadableStream({
    start(controller) {
      end = () => controller.close();
    },
  });
  return { raw, end: () => end() };
}

Deno.test("a /48 has at most half of the writes under way, however many networks it writes from", async () => {
  await using listing = await ListingUnderTest.start();
  const open: { end: () => void; answer: Promise<unknown> }[] = [];
  for (let i = 0; i < SITE_AT_ONCE_MAX; i++) {
    const { raw, end } = endless();
    open.push({ end, answer: listing.ask("POST", "/servers/x", { raw, peer: `2001:db8:0:${i % 100}::1` }) });
  }
  const past = await listing.ask("POST", "/servers/x", { peer: "2001:db8:0:ffff::1" });
  assertEquals([past.status, past.text.includes(String(SITE_AT_ONCE_MAX))], [429, true]);
  assertEquals((await listing.ask("POST", "/servers/x", { peer: ABROAD })).status, 400, "others write");
  for (const { end } of open) end();
  await Promise.all(open.map(({ answer }) => answer));
  assertEquals((await listing.ask("POST", "/servers/x", { peer: "2001:db8:0:ffff::1" })).status, 400);
});

Deno.test("writes under way are limited by origin, by server, and in all", async () => {
  await using listing = await ListingUnderTest.start();
  const key = await listing.list(0, {}, { peer: ABROAD });
  const open: { end: () => void; answer: Promise<{ status: number }> }[] = [];
  const begin = (path: string, peer: string, key?: string) => {
    const { raw, end } = endless();
    open.push({
      end,
      answer: listing.ask(key === undefined ? "POST" : "PUT", path, { raw, peer, ...(key && { key }) }),
    });
  };
  for (let i = 0; i < ORIGIN_AT_ONCE_MAX; i++) begin("/servers/x", ABROAD);
  const past = await listing.ask("POST", "/servers/x", { peer: ABROAD });
  assertEquals([past.status, past.text.includes(String(ORIGIN_AT_ONCE_MAX))], [429, true]);

  for (let i = 0; i < HOLDER_AT_ONCE_MAX; i++) begin("/servers/0", ABROAD, key);
  assertEquals((await listing.ask("PUT", "/servers/0", { key, body: {}, peer: ABROAD })).status, 429);

  for (let i = ORIGIN_AT_ONCE_MAX; i < STRANGERS_AT_ONCE_MAX; i++) {
    begin("/servers/x", `198.51.100.${100 + i % 100}`);
  }
  assertEquals((await listing.ask("POST", "/servers/x", { peer: "203.0.113.1" })).status, 503);
  const ended = open.pop();
  ended?.end();
  assertEquals((await ended?.answer)?.status, 400);
  assertEquals(
    (await listing.ask("POST", "/servers/x", { peer: "203.0.113.1" })).status,
    400,
    "there is room again",
  );

  for (const { end } of open) end();
  const statuses = await Promise.all(open.map(async ({ answer }) => (await answer).status));
  assertEquals(statuses.filter((status) => status !== 400), []);
  assertEquals((await listing.ask("PUT", "/servers/0", { key, body: {}, peer: ABROAD })).status, 200);
});

Deno.test("lists with parameters are limited by origin, and the plain list is not", async () => {
  await using listing = await ListingUnderTest.start();
  const get = (query: string, peer = ABROAD) => listing.ask("GET", `/servers${query}`, { peer });
  for (let i = 0; i < QUERY_RATE.burst; i++) assertEquals((await get(`?q=${i}`)).status, 200);
  const past = await get("?q=x");
  assertEquals([past.status, past.headers.get("retry-after")], [429, "1"]);
  assertEquals((await listing.ask("HEAD", "/servers?q=x", { peer: ABROAD })).status, 429);
  for (const query of ["", "?sort=users", "?unknown=1"]) assertEquals((await get(query)).status, 200);
  assertEquals((await get("?q=x", "198.51.100.8")).status, 200);
  listing.nowMs += 1000;
  assertEquals((await get("?q=x")).status, 200);
});

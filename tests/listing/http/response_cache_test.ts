/**
 * Cached answers: equal to the route's, only for requests that the route would answer so, and only while current.
 *
 * @module
 */
import { assert, assertEquals, assertExists, assertNotEquals } from "@std/assert";
import { QUERY_RATE } from "../../../listing/http/answers.ts";
import {
  PIECE_BYTES,
  WHOLE_BYTES_MAX,
  WHOLE_UNDER_WAY_PER_ORIGIN_MAX,
} from "../../../listing/http/large_responses.ts";
import { ResponseCache } from "../../../listing/http/response_cache.ts";
import { REFRESH_MS } from "../../../listing/list/server_index.ts";
import { LARGE_LIST, LARGE_LIST_AGE_MS } from "../../../listing/list/snapshot.ts";
import { ABROAD_RECORD } from "../abroad_record.ts";
import { ListingUnderTest } from "../listing_under_test.ts";

const READER = "198.51.100.1";
const WRITER = "198.51.100.2";
const LIST = "http://localhost/servers";

class Reads {
  readonly cache: ResponseCache;
  #sent: (() => void)[] = [];

  constructor(readonly listing: ListingUnderTest) {
    this.cache = new ResponseCache(listing.snapshot, listing.largeResponses);
  }

  find(request: Request, origin = READER): Response | undefined {
    const sent = () => new Promise<void>((resolve) => this.#sent.push(resolve));
    return this.cache.find(request, { origin: () => origin, sent });
  }

  async route(request: Request, origin = READER): Promise<Response> {
    const response = await this.listing.app.fetch(request, { peer: origin, arrivedAt: origin });
    await this.cache.keep(request, response, origin);
    return response;
  }

  /** The listing's answer: from the cache, otherwise from the route. */
  async json(origin = READER): Promise<{ servers: { id: number; connectedUsers: number }[] }> {
    const request = new Request(LIST);
    return await (this.find(request, origin) ?? await this.route(request, origin)).json();
  }

  /** Completes all pending answers. */
  async sendAll(): Promise<void> {
    for (const resolve of this.#sent.splice(0)) resolve();
    await Promise.resolve();
  }
}

async function whole(response: Response): Promise<unknown> {
  const bytes = new Uint8Array(await response.arrayBuffer());
  return { status: response.status, headers: [...response.headers].sort(), bytes };
}

Deno.test("a cached answer is the very same as the route's, for every request that gets one", async () => {
  for (const names of [[], ["ASCII"], ["Ünïcode 🎉"], Array.from({ length: 300 }, (_, i) => `Server ${i}`)]) {
    await using listing = await ListingUnderTest.start();
    await Promise.all(
      names.map((serverName, id) => listing.store.write(id, undefined, { ...ABROAD_RECORD, id, serverName })),
    );
    const reads = new Reads(listing);
    const etag = (await listing.ask("GET", "/servers")).headers.get("etag") ?? "";
    const encodings = ["gzip, deflate, br", "br", "gzip;q=0", "*", "", "GZIP", "gzip;q=0.1, identity"];
    const matches = [etag, `"x", ${etag}`, etag.slice(2), "*", 'W/"another"', ""];
    const requests: [url: string, headers: Record<string, string>][] = [
      ...[LIST, "https://chat.example:8443/servers", "http://[::1]:80/servers"].map((
        url,
      ): [string, Record<string, string>] => [url, {}]),
      ...encodings.map((codings): [string, Record<string, string>] => [LIST, { "accept-encoding": codings }]),
      ...matches.map((match): [string, Record<string, string>] => [LIST, { "if-none-match": match }]),
      [LIST, { "if-none-match": etag, "accept-encoding": "gzip" }],
      [LIST, {
        "accept": "text/html",
        "range": "bytes=0-9",
        "authorization": "C2Listing x",
        "last-event-id": "7",
      }],
    ];
    for (const [url, headers] of requests) {
      const request = () => new Request(url, { headers });
      const expected = await whole(await reads.route(request()));
      for (let again = 0; again < 2; again++) {
        const found = reads.find(request());
        assertExists(found, JSON.stringify([url, headers]));
        assertEquals(await whole(found), expected, JSON.stringify([url, headers]));
      }
    }
  }
});

Deno.test("no other request gets a cached answer", async () => {
  await using listing = await ListingUnderTest.start();
  await listing.put(0, 3);
  const reads = new Reads(listing);
  assert(reads.find(new Request(LIST)) === undefined, "nor before the first was answered");
  await (await reads.route(new Request(LIST))).text();
  assertExists(reads.find(new Request(LIST)));
  const others: [method: string, url: string, headers?: Record<string, string>][] = [
    ...["HEAD", "OPTIONS", "POST", "PUT", "DELETE", "PATCH"].map((
      method,
    ): [string, string] => [method, LIST]),
    ...["?", "?sort=id", "?sort=users", "?limit=1", "?cursor=", "?unknown=/servers", "/", "/1", "//"]
      .map((rest): [string, string] => ["GET", LIST + rest]),
    ...["//servers", "/a/servers", "/SERVERS", "/servers%2f", "/%73ervers", "/", "/events", "/?/servers"]
      .map((path): [string, string] => ["GET", `http://localhost${path}`]),
  ];
  for (const [method, url, headers = {}] of others) {
    const request = () => new Request(url, { method, headers });
    // The route treats `?` as no parameters.
    await (await reads.route(request())).body?.cancel();
    const found = reads.find(request());
    assertEquals(found, undefined, `${method} ${url}`);
  }
});

for (const servers of [LARGE_LIST - 1, LARGE_LIST]) {
  Deno.test(`of ${servers} servers an origin that has written sees it in the next list, and others within a second`, async () => {
    await using listing = await ListingUnderTest.start({ limits: { maxServersPerOrigin: 10 } });
    await listing.put(0, servers - 1);
    const key = await listing.list(servers, { address: "192.0.2.1:5000" }, { peer: WRITER });
    listing.nowMs += LARGE_LIST_AGE_MS;
    const reads = new Reads(listing);
    const users = async (origin: string) => (await reads.json(origin)).servers.at(-1)?.connectedUsers;
    const put = (connectedUsers: number) =>
      listing.ask("PUT", `/servers/${servers}`, { key, peer: WRITER, body: { connectedUsers } });
    await users(READER);
    for (let value = 1; value <= 5; value += 2) {
      await put(value);
      // The writer's request makes a new list, which all others then get too.
      assertEquals(await users(WRITER), value);
      assertEquals(await users(READER), value);
      await put(value + 1);
      const seenByOthers = servers < LARGE_LIST ? value + 1 : value;
      assertEquals(await users(READER), seenByOthers);
      assertEquals((await listing.shown(servers))?.["connectedUsers"], value + 1, "one alone is as it is");
      listing.nowMs += LARGE_LIST_AGE_MS - 1;
      assertEquals(await users(READER), seenByOthers);
      listing.nowMs += 1;
      assertEquals(await users(READER), value + 1);
    }
    await listing.ask("DELETE", `/servers/${servers}`, { key, peer: WRITER });
    assertEquals((await reads.json(WRITER)).servers.length, servers - 1);
    await listing.list(servers, { address: "192.0.2.1:5000" }, { peer: WRITER });
    assertEquals((await reads.json(WRITER)).servers.length, servers);
    for (const sort of ["users", "name", "age"]) {
      const key = await listing.list(servers + 1, { address: "192.0.2.2:5000" }, { peer: WRITER });
      const asked = await listing.ask("GET", `/servers?sort=${sort}`, { peer: WRITER });
      assertEquals(JSON.parse(asked.text).servers.length, servers + 1, sort);
      await listing.ask("DELETE", `/servers/${servers + 1}`, { key, peer: WRITER });
    }
  });
}

Deno.test("a long list is made for its writer at the rate of lists with parameters, and past that when it is due", async () => {
  await using listing = await ListingUnderTest.start();
  await listing.put(0, LARGE_LIST);
  listing.nowMs += LARGE_LIST_AGE_MS;
  const reads = new Reads(listing);
  await reads.json();
  const users = async (connectedUsers: number) => {
    const found = await listing.store.get(0);
    await listing.store.write(0, found?.version, { ...found!.record, connectedUsers });
    listing.snapshot.noteWriter(WRITER);
    return (await reads.json(WRITER)).servers[0]!.connectedUsers;
  };
  for (let value = 1; value <= QUERY_RATE.burst; value++) assertEquals(await users(value), value);
  assertEquals(await users(1000), QUERY_RATE.burst);
  listing.nowMs += LARGE_LIST_AGE_MS;
  assertEquals(await users(1001), 1001);
});

Deno.test("what another process writes is seen within a second by readers of cached answers", async () => {
  await using listing = await ListingUnderTest.start();
  await listing.put(0, 3);
  await using other = new ListingUnderTest(listing.kv, { sharedKv: true });
  const reads = new Reads(listing);
  assertEquals((await reads.json()).servers.length, 3);
  await other.list(77);
  listing.nowMs += REFRESH_MS - 1;
  assertEquals((await reads.json()).servers.length, 3);
  listing.nowMs += 1;
  assertEquals((await reads.json()).servers.length, 4);
});

Deno.test("a list goes out whole up to a size and while few are under way, else the route sends it in pieces", async () => {
  await using listing = await ListingUnderTest.start();
  const reads = new Reads(listing);
  for (const [servers, isWhole] of [[700, true], [2000, false]] as const) {
    const description = isWhole ? "" : "x".repeat(2000);
    await listing.put(isWhole ? 0 : 700, servers, { description });
    listing.nowMs += LARGE_LIST_AGE_MS;
    const bytes = (await (await reads.route(new Request(LIST))).arrayBuffer()).byteLength;
    assert(isWhole ? bytes > PIECE_BYTES && bytes <= WHOLE_BYTES_MAX : bytes > WHOLE_BYTES_MAX);
    assertEquals(reads.find(new Request(LIST)) !== undefined, isWhole);
    await reads.sendAll();
    if (!isWhole) continue;
    const most = Math.floor(WHOLE_UNDER_WAY_PER_ORIGIN_MAX / bytes);
    for (let i = 0; i < most; i++) assertExists(reads.find(new Request(LIST)));
    assertEquals(reads.find(new Request(LIST)), undefined, "one origin has its fill");
    assertExists(reads.find(new Request(LIST), WRITER), "and another has its own");
    await reads.sendAll();
    assertExists(reads.find(new Request(LIST)));
  }
});

Deno.test("a change gives another ETag, and the same list the same, however it was made", async () => {
  await using listing = await ListingUnderTest.start();
  await listing.put(0, 1500);
  listing.nowMs += LARGE_LIST_AGE_MS;
  const etag = async () => {
    listing.nowMs += LARGE_LIST_AGE_MS;
    return (await listing.ask("GET", "/servers")).headers.get("etag");
  };
  const change = async (connectedUsers: number) => {
    const found = await listing.store.get(700);
    await listing.store.write(700, found?.version, { ...found!.record, connectedUsers });
  };
  await change(1);
  const first = await etag();
  await change(2);
  const second = await etag();
  assertNotEquals(second, first);
  await change(1);
  assertEquals(await etag(), first);
  await using another = new ListingUnderTest(listing.kv, { sharedKv: true });
  assertEquals((await another.ask("GET", "/servers")).headers.get("etag"), first, "of another process too");
});

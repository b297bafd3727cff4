/**
 * Server-sent events of the list without a port: what is sent, when, to how many streams, and to slow readers. The
 * test moves the clock and the ticks.
 *
 * @module
 */
import { assert, assertEquals, assertLessOrEqual, assertMatch, assertStringIncludes } from "@std/assert";
import { CHANGES_MAX } from "../../../listing/list/change_log.ts";
import {
  CHANGES_PER_SECOND,
  KEEP_ALIVE_SECONDS,
  NOTIFY_MS,
  PIECE_CHARS,
  RETRY_MS,
  STALLED_SECONDS_MAX,
} from "../../../listing/http/event_streams.ts";
import { NETWORKS_PER_SITE } from "../../../src/announcement/listing_limits.ts";
import { EventReader } from "../../support/event_reader.ts";
import { ListingUnderTest } from "../listing_under_test.ts";

const ABROAD = "198.51.100.7";

async function follow(listing: ListingUnderTest, lastEventId?: string, peer = ABROAD): Promise<EventReader> {
  const headers: Record<string, string> = lastEventId === undefined ? {} : { "Last-Event-ID": lastEventId };
  const response = await listing.response("GET", "/events", { headers, peer });
  assertEquals(response.status, 200);
  return new EventReader(response.body as ReadableStream<Uint8Array<ArrayBuffer>>);
}

async function position(listing: ListingUnderTest): Promise<string> {
  return (await listing.ask("GET", "/servers")).headers.get("Last-Event-ID")!;
}

/** Runs a tick that sends what changed, once the ready readers wait. */
async function tell(listing: ListingUnderTest, laterMs = NOTIFY_MS): Promise<void> {
  await new Promise((resolve) => setTimeout(resolve));
  listing.nowMs += laterMs;
  listing.events.tick();
}

Deno.test("a client that follows from the list is sent a server that is added, changed and removed", async () => {
  await using listing = await ListingUnderTest.start();
  const key = await listing.list(1, { serverName: "Old" });
  await using reader = await follow(listing, await position(listing));
  const other = await listing.list(2, { serverName: "Pub" });
  await listing.ask("PUT", "/servers/1", { key, body: { connectedUsers: 3 } });
  await tell(listing);
  const [added, changed] = await reader.take(2);
  assertEquals([added!.name, added!.data], ["added", await listing.shown(2)]);
  assertEquals([changed!.name, changed!.data], ["changed", await listing.shown(1)]);
  await listing.ask("DELETE", "/servers/2", { key: other });
  await tell(listing);
  const removed = await reader.next();
  assertEquals([removed!.name, removed!.data], ["removed", { id: 2 }]);
  assertEquals(reader.retryMs, RETRY_MS);
});

Deno.test("a list that was made before its changes had numbers gets them as events too", async () => {
  await using listing = await ListingUnderTest.start();
  await using _other = await follow(listing, await position(listing));
  await listing.list(1);
  await using reader = await follow(listing, await position(listing));
  await tell(listing);
  assertEquals((await reader.next())?.data, await listing.shown(1));
});

Deno.test("while many servers change all the time, a client must fetch the list once in a while", async () => {
  await using listing = await ListingUnderTest.start();
  await using _reader = await follow(listing, await position(listing));
  const seqs = new Set<number>();
  for (let second = 0; second < 20; second++) {
    for (let id = 0; id <= CHANGES_MAX; id++) listing.changes.note(id, "a", "b");
    await tell(listing, 1000);
    seqs.add(listing.changes.seq);
  }
  assertEquals(seqs.size, 20 / (CHANGES_MAX / CHANGES_PER_SECOND));
});

Deno.test("a stream is not cached, not held up by a proxy, and may be read from any page", async () => {
  await using listing = await ListingUnderTest.start();
  const response = await listing.response("GET", "/events", {
    headers: { Origin: "https://a.example" },
    arrivedAt: "8.8.8.8",
  });
  const headers = ["content-type", "cache-control", "x-accel-buffering", "access-control-allow-origin"];
  assertEquals(headers.map((name) => response.headers.get(name)), [
    "text/event-stream; charset=utf-8",
    "no-store",
    "no",
    "*",
  ]);
  await response.body?.cancel();
  const list = await listing.ask("GET", "/servers");
  assertMatch(list.headers.get("access-control-expose-headers")!, /\bLast-Event-ID\b/);
});

Deno.test("HEAD opens no stream, and another method is not allowed", async () => {
  await using listing = await ListingUnderTest.start();
  const head = await listing.ask("HEAD", "/events");
  assertEquals([head.status, head.text, listing.events.size], [200, "", 0]);
  assertEquals((await listing.ask("POST", "/events")).status, 405);
});

Deno.test("a client that reconnects is sent what it missed, and nothing twice", async () => {
  await using listing = await ListingUnderTest.start();
  await listing.list(1);
  let lastEventId: string;
  {
    await position(listing);
    await using reader = await follow(listing);
    lastEventId = (await reader.next())!.id;
  }
  const key = await listing.list(2);
  {
    // Another reader makes the listing number the changes.
    await using other = await follow(listing, lastEventId);
    await tell(listing);
    assertEquals((await other.next())?.data.id, 2);
    await listing.ask("PUT", "/servers/2", { key, body: { connectedUsers: 9 } });
    await tell(listing);
    assertEquals((await other.next())?.name, "changed");
  }
  for (const query of [true, false]) {
    const response = query
      ? await listing.response("GET", `/events?lastEventID=${lastEventId}`)
      : await listing.response("GET", "/events?lastEventID=nonsense", {
        headers: { "Last-Event-ID": lastEventId },
      });
    await using reader = new EventReader(response.body as ReadableStream<Uint8Array<ArrayBuffer>>);
    const event = await reader.next();
    assertEquals([event!.name, event!.data], ["added", await listing.shown(2)], "new to who has not seen it");
    await listing.ask("PUT", "/servers/2", { key, body: { connectedUsers: query ? 1 : 2 } });
    await tell(listing);
    assertEquals((await reader.next())!.data.connectedUsers, query ? 1 : 2);
  }
});

Deno.test("a client without a known position must fetch the list", async () => {
  await using listing = await ListingUnderTest.start();
  await listing.index.refresh();
  let id = 0;
  for (const lastEventId of [undefined, "", "other-1", "test-999", "test-1; drop", "x".repeat(5000)]) {
    await using reader = await follow(listing, lastEventId);
    const event = await reader.next();
    assertEquals([event!.name, event!.data], ["reset", {}], lastEventId);
    // The reader follows from this event on.
    await listing.list(++id);
    await tell(listing);
    assertEquals((await reader.next())?.name, "added");
  }
});

Deno.test("a list that is fetched after a reset can be followed, also where the list is large and made rarely", async () => {
  await using listing = await ListingUnderTest.start();
  await listing.put(0, CHANGES_MAX);
  await using reader = await follow(listing, await position(listing));
  await listing.put(CHANGES_MAX, 2 * CHANGES_MAX + 1);
  await tell(listing, 0);
  assertEquals((await reader.next())?.name, "reset");
  const { text, headers } = await listing.ask("GET", "/servers");
  assertEquals(JSON.parse(text).servers.length, 2 * CHANGES_MAX + 1);
  assert(listing.changes.knowsAllSince(listing.changes.readPosition(headers.get("Last-Event-ID")!)!));
});

Deno.test("a server that changes all the time is sent once per interval", async () => {
  await using listing = await ListingUnderTest.start();
  const key = await listing.list(1);
  await using reader = await follow(listing, await position(listing));
  const before = listing.changes.seq;
  for (let connectedUsers = 1; connectedUsers <= 20; connectedUsers++) {
    await listing.ask("PUT", "/servers/1", { key, body: { connectedUsers } });
    await tell(listing, NOTIFY_MS / 20);
  }
  assertEquals(listing.changes.seq - before, 1);
  assertEquals((await reader.next())?.data.connectedUsers, 1, "the first is sent at once");
  await tell(listing, NOTIFY_MS / 20);
  assertEquals((await reader.next())?.data.connectedUsers, 20);
});

Deno.test("after many changes at once the next are sent later, as many per second as a page can take", async () => {
  await using listing = await ListingUnderTest.start();
  await using _reader = await follow(listing, await position(listing));
  await listing.put(0, CHANGES_PER_SECOND * 3);
  await tell(listing);
  const { seq } = listing.changes;
  const key = await listing.list(100_000);
  await tell(listing, 2999);
  assertEquals(listing.changes.seq, seq);
  await tell(listing, 1);
  assertEquals(listing.changes.seq, seq + 1);
  // After that, few changes are sent without delay.
  await listing.ask("DELETE", "/servers/100000", { key });
  await tell(listing);
  assertEquals(listing.changes.seq, seq + 2);
});

Deno.test("a quiet stream gets a comment in time, and no sooner", async () => {
  await using listing = await ListingUnderTest.start();
  const response = await listing.response("GET", `/events?lastEventID=${await position(listing)}`);
  const reader = response.body!.getReader();
  const next = async () => new TextDecoder().decode((await reader.read()).value);
  assertEquals(await next(), `retry: ${RETRY_MS}\n\n`);
  const comment = next();
  await tell(listing, KEEP_ALIVE_SECONDS * 1000 - 1);
  await listing.list(1);
  await tell(listing, NOTIFY_MS);
  assertStringIncludes(await comment, "event: added", "one came a moment too soon");
  const another = next();
  await tell(listing, KEEP_ALIVE_SECONDS * 1000);
  assertEquals(await another, ":\n\n");
  await reader.cancel();
});

Deno.test("a reader takes a bounded piece at a time; a slow one is sent fewer events, and not later ones", async () => {
  await using listing = await ListingUnderTest.start();
  const response = await listing.response("GET", `/events?lastEventID=${await position(listing)}`);
  const reader = response.body!.getReader();
  await reader.read();
  await listing.put(0, 1000);
  await tell(listing);
  const { value } = await reader.read();
  const longest = JSON.stringify(await listing.shown(999)).length + 100;
  assert(value!.length >= PIECE_CHARS);
  assertLessOrEqual(value!.length, PIECE_CHARS + longest);
  // Newer changes replace those that wait, so each server is sent once.
  const key = await listing.list(5000);
  for (let connectedUsers = 1; connectedUsers <= 5; connectedUsers++) {
    await listing.ask("PUT", "/servers/5000", { key, body: { connectedUsers } });
    await tell(listing, 10_000);
  }
  let rest = "";
  while (!rest.includes('"id":5000')) rest += new TextDecoder().decode((await reader.read()).value);
  assertEquals(rest.match(/"id":5000/g)?.length, 1);
  assertStringIncludes(rest, '"connectedUsers":5');
  await reader.cancel();
});

Deno.test("a reader that takes nothing is cut in time, and no sooner; one that waits is not", async () => {
  await using listing = await ListingUnderTest.start();
  const stuck = await listing.response("GET", "/events");
  await using waiting = await follow(listing, await position(listing));
  const next = waiting.next();
  assertEquals(listing.events.size, 2);
  await tell(listing, STALLED_SECONDS_MAX * 1000 - 1);
  assertEquals(listing.events.size, 2);
  await tell(listing, 1);
  assertEquals(listing.events.size, 1);
  const error = await stuck.text().catch((error) => error.message);
  assertEquals(error, "the events were not read in time");
  await listing.list(1);
  await tell(listing);
  assertEquals((await next)?.name, "added");
});

Deno.test("streams are counted: so many of one network, sixteen times as many of a site, so many in all", async () => {
  await using listing = await ListingUnderTest.start({
    limits: { maxEventStreams: 2 * NETWORKS_PER_SITE + 3, maxEventStreamsPerOrigin: 2 },
  });
  const open: Response[] = [];
  const status = async (peer: string) => {
    const response = await listing.response("GET", "/events", { peer });
    if (response.status === 200) open.push(response);
    else {
      assertEquals(response.headers.get("content-type"), "text/plain; charset=UTF-8");
      assertEquals(response.headers.get("retry-after"), "1");
      await response.text();
    }
    return response.status;
  };
  for (let network = 0; network < NETWORKS_PER_SITE; network++) {
    const hosts = [1, 2, 3].map((host) => `2001:db8:0:${network}::${host}`);
    assertEquals([await status(hosts[0]!), await status(hosts[1]!), await status(hosts[2]!)], [
      200,
      200,
      429,
    ]);
  }
  assertEquals(await status("2001:db8:0:ffff::1"), 429, "the site has its fill");
  assertEquals([await status(ABROAD), await status(ABROAD), await status(ABROAD)], [200, 200, 429]);
  assertEquals(await status("127.0.0.1"), 200);
  assertEquals(await status("127.0.0.1"), 503, "in all");
  await open[0]!.body!.cancel();
  assertEquals(await status("2001:db8:0:ffff::1"), 200, "who leaves makes room");
  for (const response of open) await response.body?.cancel();
  assertEquals(listing.events.size, 0);
});

Deno.test("a listing that offers no streams says so", async () => {
  await using listing = await ListingUnderTest.start({ limits: { maxEventStreams: 0 } });
  const { status, text } = await listing.ask("GET", "/events");
  assertEquals([status, text], [
    503,
    "Too many event streams: at most 0 are allowed; GET /servers returns the same servers",
  ]);
});

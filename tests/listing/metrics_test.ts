/**
 * The metrics of a listing: each one changes with its own event and with no other.
 *
 * @module
 */
import { assertEquals } from "@std/assert";
import { startTestListing } from "../support/listing_server.ts";
import { grown, metricsOf, type Samples, samplesOf } from "../support/metrics.ts";
import { ANSWERED, ListingUnderTest, SILENT } from "./listing_under_test.ts";

async function read(listing: ListingUnderTest): Promise<Samples> {
  const { status, text } = await listing.ask("GET", "/metrics");
  assertEquals(status, 200, text);
  return samplesOf(text);
}

const ping = (reason: string, outcome: string) =>
  `chatter_pings_total{reason="${reason}",outcome="${outcome}"}`;
const change = (change: string) => `chatter_servers_changed_total{change="${change}"}`;
const requests = (method: string, route: string, status: string) =>
  `chatter_http_requests_total{route="${route}",method="${method}",status="${status}"}`;

Deno.test("servers that come, change and go are counted, with their people and their commits", async () => {
  await using listing = await ListingUnderTest.start();
  const before = await read(listing);
  const key = await listing.list(1, { connectedUsers: 3 });
  await listing.list(2, { connectedUsers: 4, address: ":5002" });
  await listing.ask("PUT", "/servers/1", { key, body: { connectedUsers: 5 } });
  await listing.list(1, { connectedUsers: 6 }, { key });
  const after = await read(listing);
  assertEquals(grown(before, after, "chatter_servers_changed_total"), {
    [change("registered")]: 2,
    [change("changed")]: 1,
    [change("renewed")]: 1,
  });
  assertEquals([after.get("chatter_listed_servers"), after.get("chatter_listed_users")], [2, 10]);
  assertEquals(grown(before, after, "chatter_commit_records_sum"), { chatter_commit_records_sum: 4 });
  assertEquals(after.get("chatter_commit_seconds_count"), after.get("chatter_commit_records_count"));
  const { status } = await listing.ask("DELETE", "/servers/2", { key: "wrong" });
  assertEquals(status, 401);
  const refused = await read(listing);
  assertEquals(grown(after, refused, "chatter_servers_changed_total"), {});
  assertEquals(grown(after, refused, "chatter_refusals_total"), {
    'chatter_refusals_total{refusal="KEY_REFUSED"}': 1,
  });
});

Deno.test("pings are counted by who wanted them and what came of them", async () => {
  await using listing = await ListingUnderTest.start();
  await listing.list(1);
  const before = await read(listing);
  const check = async () => {
    const record = listing.index.record(1);
    if (record !== undefined) await listing.registry.check(record);
  };
  listing.prober.answer = () => ANSWERED;
  await check();
  listing.prober.answer = () => ({ ...SILENT, doubt: "listing" });
  await check();
  listing.prober.answer = () => ({ ...SILENT, doubt: "network" });
  await check();
  listing.prober.answer = () => SILENT;
  await check();
  await check();
  await listing.ask("POST", "/servers/2", { body: {} });
  const after = await read(listing);
  assertEquals(grown(before, after, "chatter_pings_total"), {
    [ping("check", "answered")]: 1,
    [ping("check", "not_asked")]: 1,
    [ping("check", "silent")]: 1,
    [ping("check", "wrong")]: 2,
    [ping("request", "wrong")]: 1,
  });
  assertEquals(grown(before, after, "chatter_ping_seconds_count"), { chatter_ping_seconds_count: 1 });
  assertEquals(grown(before, after, "chatter_servers_changed_total"), { [change("removed")]: 1 });
  assertEquals(grown(before, after, "chatter_refusals_total"), {
    'chatter_refusals_total{refusal="PING_FAILED"}': 1,
  });
});

Deno.test("HTTP requests are counted by route, and no peer can add a row", async () => {
  await using listing = await ListingUnderTest.start();
  const before = await read(listing);
  await listing.list(1);
  for (
    const path of ["/servers", "/servers?q=x", "/servers?limit=0", "/", "/healthz", "/src/web/tokens.css"]
  ) {
    await listing.ask("GET", path);
  }
  await listing.ask("HEAD", "/servers");
  for (const id of ["1", "2", "x", "%00"]) await listing.ask("GET", `/servers/${id}`);
  for (const path of ["/a", "/b", "/servers/1/2", "/c?d=e"]) await listing.ask("GET", path);
  await listing.ask("PATCH", "/servers");
  const after = await read(listing);
  assertEquals(grown(before, after, "chatter_http_requests_total"), {
    [requests("POST", "/servers/:id", "2xx")]: 1,
    [requests("GET", "/servers", "2xx")]: 3,
    [requests("GET", "/servers", "4xx")]: 1,
    [requests("GET", "/", "2xx")]: 1,
    [requests("GET", "/healthz", "2xx")]: 1,
    [requests("GET", "file", "2xx")]: 1,
    [requests("GET", "/servers/:id", "2xx")]: 1,
    [requests("GET", "/servers/:id", "4xx")]: 3,
    [requests("GET", "/metrics", "2xx")]: 1,
    [requests("other", "other", "4xx")]: 5,
  });
  assertEquals([...after.keys()], [...before.keys()]);
});

Deno.test("a list that is given again as it was is counted as any other", async () => {
  await using listing = await startTestListing();
  const ask = async (headers: Record<string, string> = {}) => {
    const response = await fetch(`${listing.url}/servers`, { headers });
    await response.body?.cancel();
    return response.headers.get("etag") ?? "";
  };
  const before = await metricsOf(listing.url);
  const etag = await ask();
  await ask();
  await ask();
  for (let i = 0; i < 2; i++) await ask({ "if-none-match": etag });
  const after = await metricsOf(listing.url);
  const row = 'chatter_http_request_seconds_count{route="/servers",method="GET"}';
  assertEquals(grown(before, after, row), { [row]: 5 });
  assertEquals(grown(before, after, 'chatter_http_requests_total{route="/servers"'), {
    [requests("GET", "/servers", "2xx")]: 3,
    [requests("GET", "/servers", "3xx")]: 2,
  });
});

Deno.test("a stream that is open is counted while it is", async () => {
  await using listing = await ListingUnderTest.start();
  const stream = await listing.response("GET", "/events");
  const reader = stream.body!.getReader();
  await reader.read();
  assertEquals((await read(listing)).get("chatter_event_streams"), 1);
  await reader.cancel();
  assertEquals((await read(listing)).get("chatter_event_streams"), 0);
});

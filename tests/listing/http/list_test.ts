/**
 * GET: the list, its pages, and the headers for caches and browsers; unknown routes and methods.
 *
 * @module
 */
import {
  assert,
  assertEquals,
  assertExists,
  assertMatch,
  assertNotEquals,
  assertStringIncludes,
} from "@std/assert";
import { openKv } from "../../../src/kv/kv.ts";
import { BODY_BYTES_MAX } from "../../../listing/http/read_body.ts";
import { PAGE_LIMIT_MAX } from "../../../listing/http/routes.ts";
import { ListingUnderTest } from "../listing_under_test.ts";

interface Page {
  servers: { id: number; displayName: string }[];
  nextCursor?: string;
}

async function page(listing: ListingUnderTest, query = ""): Promise<Page> {
  const { status, text } = await listing.ask("GET", `/servers${query}`);
  assertEquals(status, 200, text);
  return JSON.parse(text);
}

async function ids(listing: ListingUnderTest, query = ""): Promise<number[]> {
  return (await page(listing, query)).servers.map(({ id }) => id);
}

/** Five servers, listed one second apart in the order of the table. */
async function listFive(listing: ListingUnderTest): Promise<void> {
  const servers: [
    id: number,
    serverName: string,
    address: string,
    connectedUsers: number,
    maxUsers: number,
  ][] = [
    [30, "beta", "b.example", 5, 5],
    [4, "Alpha", "a.example", 0, 50],
    [100, "émile", "c.example", 7, 50],
    [0, "gamma 🎉", "d.example:6000", 5, 50],
    [9_007_199_254_740_991, "alpha", "e.example", 0, 0],
  ];
  for (const [id, serverName, address, connectedUsers, maxUsers] of servers) {
    await listing.list(id, { serverName, address, connectedUsers, maxUsers });
    listing.nowMs += 1000;
  }
}
const MAX = 9_007_199_254_740_991;

Deno.test("the list is empty at first, then sorted by id", async () => {
  await using listing = await ListingUnderTest.start();
  assertEquals(await page(listing), { servers: [] });
  await listFive(listing);
  assertEquals(await ids(listing), [0, 4, 30, 100, MAX]);
  assertEquals(await ids(listing, "/"), [0, 4, 30, 100, MAX], "a trailing slash does no harm");
});

Deno.test("the list is sorted and filtered as asked", async () => {
  await using listing = await ListingUnderTest.start();
  await listFive(listing);
  const cases: [query: string, ids: number[]][] = [
    ["?sort=id", [0, 4, 30, 100, MAX]],
    ["?sort=users", [100, 0, 30, 4, MAX]],
    ["?sort=name", [4, MAX, 30, 0, 100]],
    ["?sort=age", [30, 4, 100, 0, MAX]],
    ["?q=ALPHA", [4, MAX]],
    ["?q=%C3%89MI", [100]],
    ["?q=d.EXAMPLE:6", [0]],
    ["?q=nobody", []],
    ["?q=", [0, 4, 30, 100, MAX]],
    ["?full=false", [0, 4, 100]],
    ["?empty=false", [0, 30, 100]],
    ["?full=false&empty=false&sort=users", [100, 0]],
    ["?full=true&empty=true", [0, 4, 30, 100, MAX]],
    ["?unknown=1", [0, 4, 30, 100, MAX]],
  ];
  for (const [query, expected] of cases) assertEquals(await ids(listing, query), expected, query);
});

Deno.test("the list is filtered by tag and by language, with its varieties", async () => {
  await using listing = await ListingUnderTest.start();
  const servers = [
    { tags: ["games", "go"], language: "pt" },
    { tags: ["games"], language: "pt-BR" },
    { tags: ["go-games"], language: "ptk" },
    {},
  ];
  for (const [id, body] of servers.entries()) await listing.list(id, body);
  const cases: [query: string, ids: number[]][] = [
    ["?tag=games", [0, 1]],
    ["?tag=go", [0]],
    ["?tag=none", []],
    ["?tag=&language=", [0, 1, 2, 3]],
    ["?language=pt", [0, 1]],
    ["?language=PT-br", [1]],
    ["?language=ptk", [2]],
    ["?language=pt&tag=games&limit=5", [0, 1]],
  ];
  for (const [query, expected] of cases) assertEquals(await ids(listing, query), expected, query);
});

Deno.test("pages of each order join to the whole list", async () => {
  await using listing = await ListingUnderTest.start();
  await listFive(listing);
  for (const sort of ["id", "users", "name", "age"]) {
    const whole = await ids(listing, `?sort=${sort}`);
    for (const limit of [1, 2, 5, PAGE_LIMIT_MAX]) {
      const joined: number[] = [];
      let cursor = "";
      for (;;) {
        const { servers, nextCursor } = await page(listing, `?sort=${sort}&limit=${limit}${cursor}`);
        joined.push(...servers.map(({ id }) => id));
        assert(servers.length <= limit);
        if (nextCursor === undefined) break;
        assertEquals(servers.length, limit);
        cursor = `&cursor=${nextCursor}`;
      }
      assertEquals(joined, whole, `${sort} by ${limit}`);
    }
  }
});

Deno.test("servers that come and go between two pages shift nothing", async () => {
  await using listing = await ListingUnderTest.start();
  const keys = new Map<number, string>();
  for (const id of [10, 20, 30, 40]) keys.set(id, await listing.list(id));
  const { servers, nextCursor } = await page(listing, "?limit=2");
  assertEquals(servers.map(({ id }) => id), [10, 20]);
  await listing.ask("DELETE", "/servers/20", { key: keys.get(20) ?? "" });
  await listing.list(5);
  await listing.list(25);
  assertEquals(await ids(listing, `?limit=9&cursor=${nextCursor}`), [25, 30, 40]);
});

Deno.test("a query that is not understood is refused with what is wrong", async () => {
  await using listing = await ListingUnderTest.start();
  await listFive(listing);
  const { nextCursor } = await page(listing, "?sort=name&limit=1");
  assertExists(nextCursor);
  const cases: [query: string, says: string][] = [
    ["?sort=size", "sort"],
    ["?limit=0", "limit"],
    [`?limit=${PAGE_LIMIT_MAX + 1}`, "limit"],
    ["?limit=-1", "limit"],
    ["?limit=1.5", "limit"],
    ["?limit=", "limit"],
    ["?limit=ten", "limit"],
    ["?full=no", "full"],
    ["?empty=0", "empty"],
    ["?cursor=x", "cursor"],
    ["?cursor=", "cursor"],
    [`?cursor=${btoa('["id","text",1]')}`, "cursor"],
    [`?cursor=${btoa('["id",1]')}`, "cursor"],
    [`?cursor=${btoa('{"a":1}')}`, "cursor"],
    [`?cursor=${nextCursor}`, "another sort"],
    [`?cursor=${"A".repeat(1025)}`, "cursor"],
    [`?q=${"a".repeat(271)}`, "q"],
    ["?tag=Games", "tag"],
    ["?tag=a,b", "tag"],
    ["?language=de_AT", "BCP 47"],
  ];
  for (const [query, says] of cases) {
    const { status, text } = await listing.ask("GET", `/servers${query}`);
    assertEquals([status, text.includes(says)], [400, true], `${query.slice(0, 60)}: ${text}`);
  }
});

Deno.test("an unchanged list is answered by 304, and any change gives another ETag at once", async () => {
  await using listing = await ListingUnderTest.start();
  const key = await listing.list(7);
  for (const query of ["", "?sort=users"]) {
    const first = await listing.ask("GET", `/servers${query}`);
    const etag = first.headers.get("etag") ?? "";
    assertMatch(etag, /^W\/".+"$/);
    for (const match of [etag, `"x", ${etag}`, etag.slice(2), "*"]) {
      const again = await listing.ask("GET", `/servers${query}`, { headers: { "If-None-Match": match } });
      assertEquals([again.status, again.text, again.headers.get("etag")], [304, "", etag], match);
    }
    const users = query.length + 1;
    await listing.ask("PUT", "/servers/7", { key, body: { connectedUsers: users } });
    const changed = await listing.ask("GET", `/servers${query}`, { headers: { "If-None-Match": etag } });
    assertEquals(changed.status, 200);
    assertStringIncludes(changed.text, `"connectedUsers":${users}`);
    assertNotEquals(changed.headers.get("etag"), etag);
  }
});

Deno.test("a check that shows nothing new leaves the ETag as it is", async () => {
  await using listing = await ListingUnderTest.start();
  await listing.list(7);
  const before = (await listing.ask("GET", "/servers")).headers.get("etag");
  const record = listing.index.record(7);
  assertExists(record);
  await listing.registry.check(record);
  assertEquals(listing.index.record(7)?.checks, 2);
  assertEquals((await listing.ask("GET", "/servers")).headers.get("etag"), before);
});

Deno.test("a list is compressed for who asks, under the same ETag", async () => {
  await using listing = await ListingUnderTest.start();
  for (let id = 0; id < 20; id++) await listing.list(id);
  const plain = await listing.ask("GET", "/servers");
  assertEquals(plain.headers.get("content-encoding"), null);
  for (const query of ["", "?sort=name"]) {
    const response = await listing.response("GET", `/servers${query}`, {
      headers: { "Accept-Encoding": "br;q=1.0, gzip;q=0.8, *;q=0.1" },
    });
    assertEquals(response.headers.get("content-encoding"), "gzip");
    assertEquals(response.headers.get("etag"), plain.headers.get("etag"));
    assertStringIncludes(response.headers.get("vary") ?? "", "Accept-Encoding");
    assertExists(response.body);
    const text = await new Response(response.body.pipeThrough(new DecompressionStream("gzip"))).text();
    assertEquals(JSON.parse(text).servers.length, 20);
  }
  for (const encodings of ["gzip;q=0", "identity", "br", ""]) {
    const { headers } = await listing.ask("GET", "/servers", { headers: { "Accept-Encoding": encodings } });
    assertEquals(headers.get("content-encoding"), null, encodings);
  }
});

Deno.test("one server is sent as it is, since compressing costs more than it spares, and not again if unchanged", async () => {
  await using listing = await ListingUnderTest.start();
  const key = await listing.list(7);
  for (const path of ["/servers/7", "/servers/7/people"]) {
    const asked = { headers: { "Accept-Encoding": "gzip" } };
    const { text, headers } = await listing.ask("GET", path, asked);
    assertEquals([headers.get("content-encoding"), JSON.parse(text).id], [null, 7], path);
    const etag = headers.get("etag")!;
    const again = async () => (await listing.ask("GET", path, { headers: { "If-None-Match": etag } })).status;
    assertEquals(await again(), 304);
    await listing.ask("PUT", "/servers/7", { key, body: { connectedUsers: path.length } });
    assertEquals(await again(), 200);
  }
});

/** A public address of the listing. */
const PUBLIC = { arrivedAt: "8.8.8.8" };

Deno.test("answers may be read from any site on a public address, and caches ask before they reuse one", async () => {
  await using listing = await ListingUnderTest.start();
  const origin = { Origin: "https://a.example" };
  for (const path of ["/servers", "/servers/7", "/", "/openapi.json"]) {
    const { headers } = await listing.ask("GET", path, { ...PUBLIC, headers: origin });
    assertEquals(headers.get("access-control-allow-origin"), "*", path);
  }
  const { headers } = await listing.ask("GET", "/servers", { ...PUBLIC, headers: origin });
  assertEquals(headers.get("cache-control"), "public, no-cache");
  assertStringIncludes(headers.get("content-type") ?? "", "application/json");
  const preflight = (method: string, asked: object = PUBLIC) =>
    listing.ask("OPTIONS", "/servers/7", {
      ...asked,
      headers: {
        ...origin,
        "Access-Control-Request-Method": method,
        "Access-Control-Request-Headers": "if-none-match",
        "Access-Control-Request-Private-Network": "true",
      },
    });
  const read = await preflight("GET");
  assertEquals([read.status, read.headers.get("access-control-allow-origin")], [204, "*"]);
  assertMatch(read.headers.get("access-control-allow-headers") ?? "", /if-none-match/i);
  assertEquals(read.headers.get("access-control-allow-private-network"), null);
});

const CORS_HEADERS = ["origin", "methods", "headers", "private-network", "credentials"];

Deno.test("no page of another origin writes to a listing or reads its metrics", async () => {
  await using listing = await ListingUnderTest.start();
  const origin = { Origin: "https://a.example" };
  const asked = ["PUT", "POST", "DELETE", "PATCH"].flatMap((method) => [
    ["OPTIONS", "/servers/7", { "Access-Control-Request-Method": method }] as const,
    [method, "/servers/7", {}] as const,
  ]);
  for (const [method, path, more] of [...asked, ["GET", "/metrics", {}] as const]) {
    const { headers } = await listing.ask(method, path, { ...PUBLIC, headers: { ...origin, ...more } });
    for (const name of CORS_HEADERS) {
      assertEquals(headers.get(`access-control-allow-${name}`), null, `${method} ${path} ${name}`);
    }
  }
});

Deno.test("a page of another site reads nothing of a listing on a private address, and the page itself can be opened", async () => {
  await using listing = await ListingUnderTest.start();
  await using open = await ListingUnderTest.start({ allowedOrigins: ["https://a.example"] });
  const origin = { Origin: "https://a.example" };
  const ask = (arrivedAt: string, headers: Record<string, string>, path = "/servers") =>
    listing.ask("GET", path, { arrivedAt, headers });
  for (const arrivedAt of ["127.0.0.1", "10.0.0.1"]) {
    for (const path of ["/servers", "/events", "/metrics", "/servers/7", "/"]) {
      const { status, text, headers } = await ask(arrivedAt, origin, path);
      assertEquals([status, headers.get("access-control-allow-origin")], [403, null], path);
      assertMatch(text, /--allowed-origins/);
    }
    assertEquals((await open.ask("GET", "/servers", { arrivedAt, headers: origin })).status, 200);
    assertEquals((await ask(arrivedAt, { Origin: "null" })).headers.get("access-control-allow-origin"), "*");
    const link = { "Sec-Fetch-Site": "cross-site", "Sec-Fetch-Mode": "navigate", Accept: "text/html" };
    assertEquals((await ask(arrivedAt, link, "/")).status, 200);
    assertEquals((await ask(arrivedAt, { "Sec-Fetch-Site": "cross-site" })).status, 403);
  }
  const rebound = await ask("127.0.0.1", { Host: "evil.example:8000" });
  assertEquals([rebound.status, (await ask("127.0.0.1", { Host: "[::1]:8000" })).status], [403, 200]);
});

Deno.test("one server is shown by itself, and one that is not there is not found", async () => {
  await using listing = await ListingUnderTest.start();
  await listing.list(7);
  const { servers } = await page(listing);
  assertEquals(await listing.shown(7), servers[0] as unknown as Record<string, unknown>);
  const etag = (await listing.ask("GET", "/servers/7")).headers.get("etag") ?? "";
  assertEquals((await listing.ask("GET", "/servers/7", { headers: { "If-None-Match": etag } })).status, 304);
  for (const id of ["8", "07", "x", "-1"]) {
    assertEquals((await listing.ask("GET", `/servers/${id}`)).status, 404);
  }
});

Deno.test("the OpenAPI document holds every route of the servers with its answers", async () => {
  await using listing = await ListingUnderTest.start();
  const { status, text } = await listing.ask("GET", "/openapi.json");
  assertEquals(status, 200);
  const { openapi, paths, components } = JSON.parse(text);
  assertMatch(openapi, /^3\.1\./);
  assertEquals(Object.keys(paths), [
    "/servers",
    "/servers/{id}",
    "/servers/{id}/people",
    "/people",
    "/events",
  ]);
  assertEquals(Object.keys(paths["/events"].get.responses).sort(), ["200", "403", "429", "503"]);
  assertEquals(Object.keys(paths["/servers/{id}"]).sort(), ["delete", "get", "post", "put"]);
  const statuses = (method: string) => Object.keys(paths["/servers/{id}"][method].responses).sort();
  assertEquals(statuses("post"), ["201", "400", "403", "408", "409", "413", "415", "429", "503"]);
  assertEquals(statuses("put"), ["200", "400", "401", "403", "408", "413", "415", "429", "503"]);
  assertEquals(statuses("delete"), ["200", "400", "401", "403", "429", "503"]);
  assertEquals(Object.keys(paths["/servers"].get.responses).sort(), [
    "200",
    "304",
    "400",
    "403",
    "429",
    "503",
  ]);
  const names = paths["/servers"].get.parameters.map(({ name }: { name: string }) => name);
  assertEquals(names, ["sort", "q", "tag", "language", "full", "empty", "limit", "cursor"]);
  const body = paths["/servers/{id}"].put.requestBody.content["application/json"].schema;
  assertEquals(Object.keys(body.properties), [
    "serverName",
    "address",
    "connectedUsers",
    "maxUsers",
    "description",
    "tags",
    "language",
  ]);
  assertEquals(body.additionalProperties, false);
  await listing.list(7, { description: "a pub", tags: ["games"], language: "en" });
  const shown = Object.keys(await listing.shown(7) ?? {});
  assertEquals(
    Object.keys(components.schemas.Server.properties),
    shown,
    "what is shown is what is documented",
  );
});

Deno.test("what is not there and what is not allowed is said in one line", async () => {
  await using listing = await ListingUnderTest.start();
  const cases: [method: string, path: string, status: number][] = [
    ["GET", "/nothing", 404],
    ["GET", "/servers/1/more", 404],
    ["GET", "/servers/%zz", 404],
    ["POST", "/servers", 405],
    ["DELETE", "/servers", 405],
    ["PATCH", "/servers/1", 405],
    ["POST", "/healthz", 405],
    ["PUT", "/", 405],
  ];
  for (const [method, path, status] of cases) {
    const answer = await listing.ask(method, path);
    assertEquals(answer.status, status, `${method} ${path}`);
    assertStringIncludes(answer.headers.get("content-type") ?? "", "text/plain");
    assertEquals(answer.headers.has("allow"), status === 405);
  }
  const head = await listing.ask("HEAD", "/servers");
  assertEquals([head.status, head.text, head.headers.has("etag")], [200, "", true]);
});

Deno.test("the root says what this is, and the health routes answer", async () => {
  await using listing = await ListingUnderTest.start();
  const root = await listing.ask("GET", "/");
  assertStringIncludes(root.text, "GET /servers");
  assertStringIncludes(root.text, "/openapi.json");
  for (const path of ["/healthz", "/readyz"]) {
    const { status, text } = await listing.ask("GET", path);
    assertEquals([status, text], [200, "ok"]);
  }
});

Deno.test("without its store the listing is not ready, changes nothing, and still shows the list", async () => {
  const kv = await openKv(":memory:");
  const listing = new ListingUnderTest(kv, { sharedKv: true });
  const key = await listing.list(7);
  kv.close();
  listing.nowMs += 10_000;
  assertEquals((await listing.ask("GET", "/readyz")).status, 503);
  assertEquals((await listing.ask("GET", "/healthz")).status, 200);
  assertEquals((await listing.ask("PUT", "/servers/7", { key, body: {} })).status, 503);
  assertEquals((await listing.ask("DELETE", "/servers/7", { key })).status, 503);
  assertEquals((await listing.ask("POST", "/servers/8")).status, 503);
  assertEquals(await ids(listing), [7]);
});

Deno.test("a body of 8 KiB is read, one byte more is refused, with and without a Content-Length", async () => {
  await using listing = await ListingUnderTest.start();
  const key = await listing.list(7);
  const filled = (bytes: number) => "{}".padEnd(bytes);
  const chunked = (text: string) =>
    new ReadableStream({
      start(controller) {
        for (let at = 0; at < text.length; at += 1000) {
          controller.enqueue(new TextEncoder().encode(text.slice(at, at + 1000)));
        }
        controller.close();
      },
    });
  for (const [method, ok] of [["POST", 201], ["PUT", 200]] as const) {
    for (const make of [filled, (bytes: number) => chunked(filled(bytes))]) {
      const path = method === "POST" ? "/servers/8" : "/servers/7";
      assertEquals((await listing.ask(method, path, { key, raw: make(BODY_BYTES_MAX + 1) })).status, 413);
      listing.prober.answer = () => ({
        answered: listing.index.record(8) === undefined,
        roundTripMs: 1,
        problem: "",
      });
      assertEquals((await listing.ask(method, path, { key, raw: make(BODY_BYTES_MAX) })).status, ok);
      const made = listing.index.record(8);
      if (made) await listing.store.write(8, (await listing.store.get(8))?.version, undefined);
    }
  }
});

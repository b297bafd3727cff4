/**
 * The page for browsers as served: which clients get it, what it shows without script, and that it cannot be injected
 * into. tests/browser/listing_page.ts covers its looks and updates.
 *
 * @module
 */
import { assert, assertEquals, assertFalse, assertMatch, assertStringIncludes } from "@std/assert";
import fc from "fast-check";
import { QUERY_RATE } from "../../../listing/http/answers.ts";
import { PAGE_ROWS } from "../../../listing/pages/list_page.ts";
import { type ListedServer, selectPage, type Sort, SORTS, sortServers } from "../../../listing/list/page.ts";
import { choices, FACETS_MAX, facetsOf, languageName } from "../../../listing/web/facets.ts";
import { readChoice, shown, writeChoice } from "../../../listing/web/order.ts";
import { duration, fill, percent, summary, webAddress } from "../../../listing/web/wording.ts";
import { formatAddress, parseAddress } from "../../../src/address.ts";
import { runs } from "../../support/property_runs.ts";
import { ABROAD_RECORD } from "../abroad_record.ts";
import { type Answer, ListingUnderTest } from "../listing_under_test.ts";

const ACCEPT = "text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8";

function browse(listing: ListingUnderTest, path = "/", peer = "127.0.0.1"): Promise<Answer> {
  return listing.ask("GET", path, { headers: { Accept: ACCEPT }, peer, arrivedAt: "8.8.8.8" });
}

/** The names of the servers in the page's table, in order. */
function names({ text }: Answer): string[] {
  const table = text.slice(0, text.indexOf("<template"));
  return [...table.matchAll(/class="who">[^]*?class="displayname">([^]*?)<\/bdi>/g)].map(([, name]) => name!);
}

Deno.test("a browser gets a page and any other client a text", async () => {
  await using listing = await ListingUnderTest.start();
  const page = await browse(listing);
  assertEquals(page.headers.get("content-type"), "text/html; charset=utf-8");
  for (const accept of ["*/*", "text/plain", "application/json", "text/html;q=0.5, text/plain"]) {
    const { text, headers } = await listing.ask("GET", "/", { headers: { Accept: accept } });
    assertMatch(headers.get("content-type")!, /^text\/plain\b/, accept);
    assertStringIncludes(text, "GET /servers");
    assertMatch(headers.get("vary")!, /\bAccept\b/);
  }
  assertMatch(
    (await listing.ask("GET", "/")).headers.get("content-type")!,
    /^text\/plain\b/,
    "no Accept at all",
  );
  assertMatch(page.headers.get("vary")!, /\bAccept\b/);
});

Deno.test("the page and its files load nothing from elsewhere and have no script in them", async () => {
  await using listing = await ListingUnderTest.start();
  await listing.list(1);
  const { text, headers } = await browse(listing);
  const policy = headers.get("content-security-policy")!;
  const allowed = ["default-src 'none'", "script-src 'self'", "style-src 'self'", "form-action 'self'"];
  for (const part of [...allowed, "trusted-types 'none'"]) assertStringIncludes(policy, part);
  assertFalse(policy.includes("unsafe"));
  assertFalse(/<script(?![^>]* src=)|<style|\sstyle=|\son[a-z]+=/i.test(text), "something is inline");
  const linked = [...text.matchAll(/(?:src|href)="([^"#][^"]*)"/g)].map(([, url]) =>
    new URL(url!, "http://localhost/").pathname
  );
  const files = linked.filter((url) => /\.(?:css|ts|svg)$/.test(url));
  assertEquals(files.length, 16);
  for (const file of files) {
    const answer = await listing.ask("GET", file);
    assertEquals([file, answer.status], [file, 200]);
    for (const [, url] of answer.text.matchAll(/(?:from|import)\s+"([^"]+)"/g)) {
      const path = new URL(url!, `http://localhost${file}`).pathname;
      assertEquals([path, files.includes(path)], [path, true], "it is fetched only once it is known");
    }
  }
});

Deno.test("the page is answered 304 while nothing has changed, and compressed for who takes it", async () => {
  await using listing = await ListingUnderTest.start();
  await listing.list(1);
  const { headers, text } = await browse(listing);
  const again = await listing.ask("GET", "/", {
    headers: { Accept: ACCEPT, "If-None-Match": headers.get("etag")! },
  });
  assertEquals([again.status, again.text], [304, ""]);
  const gzipped = await listing.response("GET", "/", {
    headers: { Accept: ACCEPT, "Accept-Encoding": "gzip" },
  });
  const stream = (gzipped.body as ReadableStream<Uint8Array<ArrayBuffer>>)
    .pipeThrough(new DecompressionStream("gzip"));
  assertEquals(await new Response(stream).text(), text);
});

Deno.test("without script the list is searched, sorted, narrowed and turned over by its address", async () => {
  await using listing = await ListingUnderTest.start();
  await listing.list(1, { serverName: "Apple", connectedUsers: 5, maxUsers: 5 });
  await listing.list(2, { serverName: "Berry", connectedUsers: 0 });
  await listing.list(3, { serverName: "Cherry", connectedUsers: 7 });
  assertEquals(names(await browse(listing)), ["Cherry", "Apple", "Berry"]);
  assertEquals(names(await browse(listing, "/?sort=name")), ["Apple", "Berry", "Cherry"]);
  assertEquals(names(await browse(listing, "/?full=false")), ["Cherry", "Berry"]);
  assertEquals(names(await browse(listing, "/?empty=false&full=false")), ["Cherry"]);
  assertEquals(names(await browse(listing, "/?q=ERR")), ["Cherry", "Berry"]);
  assertEquals(names(await browse(listing, "/?q=nothing")), []);
  // Invalid parameters are ignored.
  assertEquals(names(await browse(listing, "/?sort=__proto__&full=x&cursor=nonsense&other=1")).length, 3);
  const { text } = await browse(listing, "/?q=%22%3E%3Cb%3E&sort=name&full=false");
  assertStringIncludes(text, 'value="&quot;&gt;&lt;b&gt;"');
  assertMatch(text, /href="\.\/\?q=%22%3E%3Cb%3E&amp;full=false"[^>]*>People</);
  assertMatch(text, /<th[^>]*aria-sort="ascending"[^>]*>\s*<a data-sort="name"/);
});

Deno.test("the head counts the servers and people that are asked for, on all pages of them", async () => {
  await using listing = await ListingUnderTest.start();
  await listing.put(0, PAGE_ROWS + 5, { connectedUsers: 2, tags: ["games"] });
  await listing.put(100, 103, { connectedUsers: 50 });
  const summaryAt = async (path: string) => {
    return /id="summary">([^<]*)</.exec((await browse(listing, path)).text)?.[1];
  };
  assertEquals(await summaryAt("/"), "38 servers, 220 people connected");
  assertEquals(await summaryAt("/?tag=games"), "35 of 38 servers, 70 people connected");
  assertEquals(await summaryAt("/?full=false"), "35 of 38 servers, 70 people connected");
  assertEquals(await summaryAt("/?q=nothing"), "0 of 38 servers, 0 people connected");
});

Deno.test("only a page that is asked to ping may connect to other hosts, and only by WebSocket", async () => {
  await using listing = await ListingUnderTest.start();
  const connects = async (path: string) => {
    const policy = (await browse(listing, path)).headers.get("content-security-policy")!;
    return policy.split("; ").find((part) => part.startsWith("connect-src"));
  };
  for (const path of ["/", "/?ping=there", "/?sort=ping"]) {
    assertEquals(await connects(path), "connect-src 'self'", path);
  }
  assertEquals(await connects("/?ping=here"), "connect-src 'self' ws: wss:");
  assertStringIncludes((await browse(listing, "/?q=x")).text, 'href="./?q=x&amp;ping=here"');
  assertStringIncludes((await browse(listing, "/?q=x&ping=here")).text, 'href="./?q=x"');
});

Deno.test("a server has a page for browsers, and JSON for all others", async () => {
  await using listing = await ListingUnderTest.start();
  const description = `<b>"quoted" & 'bold'</b>`;
  await listing.list(7, { serverName: "The <i>Inn</i>", description, tags: ["go"], language: "pt-BR" });
  const { status, headers, text } = await browse(listing, "/servers/7");
  assertEquals([status, headers.get("content-type")], [200, "text/html; charset=utf-8"]);
  assertMatch(headers.get("vary")!, /\bAccept\b/);
  assertMatch(headers.get("content-security-policy")!, /script-src 'none'.*connect-src 'none'/);
  assertFalse(/<[bi]>|<script|\sstyle=/.test(text));
  for (
    const part of [
      "The &lt;i&gt;Inn&lt;/i&gt;",
      "&lt;b&gt;&quot;quoted&quot;",
      'href="../?tag=go"',
      "Portuguese",
    ]
  ) {
    assertStringIncludes(text, part);
  }
  assertStringIncludes(text, "none yet");
  listing.nowMs += 300_000;
  await listing.sampler.look();
  assertStringIncludes((await browse(listing, "/servers/7")).text, "The last hour: 0 people");
  const json = await listing.ask("GET", "/servers/7");
  assertEquals(JSON.parse(json.text).description, description);
  assertMatch(json.headers.get("vary")!, /\bAccept\b/);
  const slash = await browse(listing, "/servers/7/");
  assertEquals([slash.status, slash.headers.get("location")], [301, "../7"]);
  const missing = await browse(listing, "/servers/8");
  assertEquals([missing.status, missing.headers.get("content-type")], [404, "text/html; charset=utf-8"]);
  assertMatch(missing.headers.get("vary")!, /\bAccept\b/);
  assertStringIncludes(missing.text, 'href="../">All servers');
  const refused = await listing.ask("GET", "/servers/8");
  assertEquals([refused.status, refused.text], [404, "No server is listed under this id"]);
});

Deno.test("a full server's way in is said to be full and is not the first choice", async () => {
  await using listing = await ListingUnderTest.start();
  await listing.list(1, { serverName: "Pub", connectedUsers: 5, maxUsers: 5 });
  const { text } = await browse(listing);
  assertMatch(text, /<tr [^>]*class="full plain"/);
  assertStringIncludes(text, 'aria-label="Join Pub, which is full"');
});

Deno.test(`a page without script has ${PAGE_ROWS} servers, and one more is on the next`, async () => {
  await using listing = await ListingUnderTest.start();
  const write = (id: number) =>
    listing.store.write(id, undefined, { ...ABROAD_RECORD, id, serverName: `Server ${id}` });
  for (let id = 0; id < PAGE_ROWS; id++) await write(id);
  const whole = await browse(listing, "/?sort=id");
  assertEquals([names(whole).length, whole.text.includes('rel="next"')], [PAGE_ROWS, false]);
  await write(PAGE_ROWS);
  const first = await browse(listing, "/?sort=id");
  assertEquals(names(first).length, PAGE_ROWS);
  const next = /rel="next" href="([^"]*)"/.exec(first.text)![1]!.replaceAll("&amp;", "&");
  assertEquals(names(await browse(listing, next)), [`Server ${PAGE_ROWS}`]);
});

Deno.test("a name is text whatever is in it, and keeps its direction to itself", async () => {
  await using listing = await ListingUnderTest.start();
  const serverName = `<img src=x onerror=alert(1)>"'&lt;</bdi>`;
  await listing.list(1, { serverName });
  const { text } = await browse(listing);
  assertFalse(text.includes("<img"));
  assertStringIncludes(
    text,
    `<bdi class="displayname">&lt;img src=x onerror=alert(1)&gt;&quot;&#39;&amp;lt;&lt;/bdi&gt;</bdi>`,
  );
});

Deno.test("no page of a listing can be framed, names itself to other sites, or sets a cookie", async () => {
  await using listing = await ListingUnderTest.start();
  await listing.list(1);
  for (const path of ["/", "/docs", "/servers/1"]) {
    const { status, headers } = await browse(listing, path);
    assertEquals([status, headers.get("referrer-policy"), headers.get("set-cookie")], [
      200,
      "no-referrer",
      null,
    ]);
    assertMatch(headers.get("content-security-policy") ?? "", /(^|; )frame-ancestors 'none'(;|$)/);
  }
});

Deno.test("an empty listing says how to add a server, with its own address", async () => {
  await using listing = await ListingUnderTest.start();
  const { text } = await browse(listing, "http://list.example:8000/");
  assertMatch(text, /<section id="no-servers" class="note"\s*>/);
  assertMatch(
    text,
    /chatter chat --name "My server" --listing\s*<span class="origin">http:\/\/list\.example:8000</,
  );
  await listing.list(1);
  assertMatch((await browse(listing)).text, /<section id="no-servers" class="note"\s+hidden/);
});

Deno.test("pages are made as often as lists with parameters, and no more", async () => {
  await using listing = await ListingUnderTest.start();
  const statuses: number[] = [];
  for (let i = 0; i <= QUERY_RATE.burst; i++) {
    statuses.push((await browse(listing, "/", "198.51.100.7")).status);
  }
  assertEquals([statuses.indexOf(429), statuses.filter((status) => status === 200).length], [
    QUERY_RATE.burst,
    QUERY_RATE.burst,
  ]);
  assertEquals(
    (await listing.ask("GET", "/", { peer: "198.51.100.7" })).status,
    200,
    "the text costs nothing",
  );
});

Deno.test("the way into a server's web client is its address by HTTP, and by HTTPS where it is reached by TLS", () => {
  const cases: [string, string | undefined][] = [
    ["pub.example:5000", "http://pub.example:5000/"],
    ["pub.example:80", "http://pub.example/"],
    ["pub.example:443", "https://pub.example/"],
    ["wss://pub.example:5001", "https://pub.example:5001/"],
    ["[2001:db8::1]:5000", "http://[2001:db8::1]:5000/"],
    ["[::1]:443", "https://[::1]/"],
    ["127.0.0.1:5000", "http://127.0.0.1:5000/"],
    ["javascript:alert(1)", undefined],
    ["javascript:80", "http://javascript/"],
    ["a/b:80", undefined],
    ["a@b:80", undefined],
    ["a:80/x", undefined],
    ["a:99999", undefined],
    ["", undefined],
  ];
  for (const [address, url] of cases) assertEquals(webAddress(address), url, address);
});

Deno.test("every address that a listing can show has a way in, on its own host and port", () => {
  const host = fc.oneof(fc.domain(), fc.ipV4(), fc.ipV6().map((ip) => `[${ip}]`));
  fc.assert(
    fc.property(host, fc.integer({ min: 1, max: 65535 }), fc.boolean(), (host, port, isTls) => {
      const address = parseAddress(`${isTls ? "wss://" : ""}${host}:${port}`, "192.0.2.1");
      if ("problem" in address) return;
      const url = new URL(webAddress(formatAddress(address))!);
      assertEquals(url.protocol, address.tls ? "https:" : "http:");
      assertEquals([url.pathname, url.search, url.hash, url.username], ["/", "", "", ""]);
      assertEquals(Number(url.port || (address.tls ? 443 : 80)), address.port);
    }),
    runs(50),
  );
});

Deno.test("the page in a browser shows the same servers in the same order as GET /servers", () => {
  const server: fc.Arbitrary<ListedServer> = fc.record({
    id: fc.nat(50),
    displayName: fc.stringMatching(/^[a-cA-CäÄ ]{1,3}$/u),
    address: fc.constantFrom("a.example:1", "b.example:2"),
    connectedUsers: fc.nat(3),
    maxUsers: fc.nat(3),
    onlineSince: fc.nat(3),
    peakUsers: fc.nat(3),
    roundTripMs: fc.nat(3),
    uptime: fc.constantFrom(0.5, 1),
    tags: fc.subarray(["a", "b"]),
    language: fc.constantFrom("pt", "pt-BR", "ptk"),
  });
  const choice = fc.record({
    sort: fc.constantFrom(...SORTS),
    q: fc.constantFrom("", "A", "b.EX", "ä"),
    tag: fc.constantFrom("", "a"),
    language: fc.constantFrom("", "pt", "pt-BR"),
    full: fc.boolean(),
    empty: fc.boolean(),
    ping: fc.boolean(),
  });
  fc.assert(
    fc.property(fc.uniqueArray(server, { selector: ({ id }) => id }), choice, (servers, choice) => {
      const { servers: listed } = selectPage(sortServers(servers, choice.sort), {
        ...choice,
        limit: undefined,
        after: undefined,
      });
      assertEquals(shown(servers, choice), listed);
      assertEquals(readChoice(new URLSearchParams(writeChoice(choice))), choice);
    }),
    runs(50),
  );
});

Deno.test("the page offers the most frequent tags and languages with their counts, and no more than its limit", () => {
  const many = Array.from(
    { length: FACETS_MAX + 1 },
    (_, i) => ({ tags: ["all", `t${i}`], language: "pt-BR" }),
  );
  const { tags, languages, isDescribed } = facetsOf([...many, { language: "pt" }, {}]);
  assertEquals([tags.length, tags[0]], [FACETS_MAX, { value: "all", label: "all", count: FACETS_MAX + 1 }]);
  assertEquals(languages, [{ value: "pt", label: "Portuguese", count: FACETS_MAX + 2 }]);
  assert(isDescribed);
  assertEquals(facetsOf([{}]), { tags: [], languages: [], isDescribed: false });
  assertEquals(choices(tags, "rare").length, FACETS_MAX + 1);
  assertEquals([choices(tags, ""), choices(tags, "all")], [tags, tags]);
  assertEquals(["qqq", "zzzzzzzz"].map(languageName), ["qqq", "zzzzzzzz"]);
});

Deno.test("times, shares and counts are said in words that are true", () => {
  const words: [number, string][] = [
    [-5, "< 1 min"],
    [59_999, "< 1 min"],
    [60_000, "1 min"],
    [3_599_999, "59 min"],
    [3_600_000, "1 h"],
    [172_799_999, "47 h"],
    [172_800_000, "2 days"],
  ];
  for (const [ms, text] of words) assertEquals(duration(ms), text);
  assertEquals([1, 0.9999, 0.998, 0.5, 0].map(percent), ["100 %", "99.9 %", "99.8 %", "50.0 %", "0.0 %"]);
  const server = (connectedUsers: number, maxUsers: number) => ({
    id: 1,
    displayName: "a",
    address: "a:1",
    onlineSince: 0,
    roundTripMs: 1,
    uptime: 1,
    peakUsers: 0,
    connectedUsers,
    maxUsers,
  });
  assertEquals(fill(server(1234567, 2000000)), "1,234,567 of 2,000,000");
  assertEquals([fill(server(50, 50)), fill(server(0, 0))], ["50 of 50, full", "0 of 0, full"]);
  assertEquals(summary([server(1, 2)]), "1 server, 1 person connected");
  assertEquals(summary([server(1, 2), server(1999, 2)]), "2 servers, 2,000 people connected");
  assertEquals(summary([server(1, 2)], 1234), "1 of 1,234 servers, 1 person connected");
  assertEquals(summary([server(1, 2)], 1), "1 server, 1 person connected");
  assert(SORTS.includes("users" satisfies Sort));
});

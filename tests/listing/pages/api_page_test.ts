/**
 * The API description for programs and as a page: it covers every route and every refusal, and the page equals the
 * document. tests/browser/api_page.ts covers the page's looks.
 *
 * @module
 */
import { assert, assertEquals, assertFalse, assertStringIncludes } from "@std/assert";
import { type ApiDocument, apiPage } from "../../../listing/pages/api_page.ts";
import { type RefusalName, REFUSALS } from "../../../listing/refusals.ts";
import { ListingUnderTest } from "../listing_under_test.ts";

async function described(listing: ListingUnderTest): Promise<ApiDocument> {
  return JSON.parse((await listing.ask("GET", "/openapi.json")).text);
}

/** Every refusal of the document with its status and text. */
function refusalsOf({ paths }: ApiDocument): [name: string, status: string, text: string][] {
  return Object.values(paths).flatMap((operations) => Object.values(operations)).flatMap(({ responses }) =>
    Object.entries(responses).flatMap(([status, { content = {} }]) =>
      Object.values(content).flatMap(({ examples = {} }) =>
        Object.entries(examples).map(([name, { value }]): [string, string, string] => [name, status, value])
      )
    )
  );
}

function unescaped(text: string): string {
  return text.replaceAll("&lt;", "<").replaceAll("&gt;", ">").replaceAll("&#39;", "'").replaceAll(
    "&quot;",
    '"',
  )
    .replaceAll("&amp;", "&");
}

Deno.test("the document names every refusal, each under its own status and in its own words", async () => {
  await using listing = await ListingUnderTest.start();
  const named = refusalsOf(await described(listing));
  assertEquals([...new Set(named.map(([name]) => name))].toSorted(), Object.keys(REFUSALS).toSorted());
  const wrong = named.filter(([name, status, text]) => {
    const refusal = REFUSALS[name as RefusalName];
    return String(refusal.status) !== status || refusal.text !== text;
  });
  assertEquals(wrong, []);
});

/** Routes that are not part of the API: pages and their files, the description itself, and the operator's routes. */
const UNDOCUMENTED =
  /^GET \/(?:|docs|openapi\.json|robots\.txt|healthz|readyz|metrics|(?:listing|src)\/web\/.+)$/;

Deno.test("the document tells of every request that the listing serves, but for pages and operators' own", async () => {
  await using listing = await ListingUnderTest.start();
  const { paths } = await described(listing);
  const documented = Object.entries(paths).flatMap(([path, operations]) =>
    Object.keys(operations).map((method) => `${method.toUpperCase()} ${path.replace("{id}", ":id")}`)
  );
  const served = listing.app.routes.filter(({ method }) => method !== "ALL")
    .map(({ method, path }) => `${method} ${path}`);
  assertEquals(
    documented.toSorted(),
    [...new Set(served)].filter((route) => !UNDOCUMENTED.test(route)).toSorted(),
  );
});

Deno.test("the page has each request with its parameters, its answers and the words of its refusals", async () => {
  await using listing = await ListingUnderTest.start();
  const api = await described(listing);
  const { status, headers, text } = await listing.ask("GET", "/docs");
  assertEquals([status, headers.get("content-type")], [200, "text/html; charset=utf-8"]);
  const sections = unescaped(text).split("<section").slice(1);
  const asked = Object.entries(api.paths).flatMap(([path, operations]) =>
    Object.entries(operations).map(([method, operation]) => ({ method, path, operation }))
  );
  const objects = Object.entries(api.components.schemas);
  assertEquals(sections.length, asked.length + objects.length);
  for (const [i, { method, path, operation }] of asked.entries()) {
    const section = sections[i]!;
    const heading = `<span class="method">${method.toUpperCase()}</span> <code>${path}</code></h2>`;
    const expected = [
      heading,
      operation.summary,
      ...(operation.parameters ?? []).flatMap((
        { name, description = "" },
      ) => [`<code>${name}</code>`, description]),
      ...Object.entries(operation.responses).flatMap((
        [status, { description }],
      ) => [`>${status}<`, description]),
      ...refusalsOf({ ...api, paths: { [path]: { [method]: operation } } }).flatMap((
        [name, , text],
      ) => [name, text]),
    ];
    for (const piece of expected) assertStringIncludes(section, piece, heading);
    const isKeyed = (operation.security ?? []).some((way) => Object.keys(way).length > 0);
    assertEquals(section.includes('href="#key-C2Listing"'), isKeyed, heading);
  }
  for (const [i, [name, { properties = {} }]] of objects.entries()) {
    const section = sections[asked.length + i]!;
    for (const property of Object.keys(properties)) {
      assertStringIncludes(section, `<code>${property}</code>`, name);
    }
  }
});

Deno.test("every way within the page leads to a place on it", async () => {
  await using listing = await ListingUnderTest.start();
  const { text } = await listing.ask("GET", "/docs");
  const ids = [...text.matchAll(/ id="([^"]+)"/g)].map(([, id]) => id);
  assertEquals(ids.length, new Set(ids).size);
  const aims = [...text.matchAll(/href="#([^"]+)"/g)].map(([, id]) => id);
  assert(aims.length > ids.length, "the page is not linked in itself");
  assertEquals(aims.filter((aim) => !ids.includes(aim)), []);
});

Deno.test("the page has no script, and may not have any", async () => {
  await using listing = await ListingUnderTest.start();
  const { text, headers } = await listing.ask("GET", "/docs");
  const policy = headers.get("content-security-policy")!;
  for (const part of ["default-src 'none'", "script-src 'none'", "style-src 'self'", "connect-src 'none'"]) {
    assertStringIncludes(policy, part);
  }
  assertFalse(policy.includes("unsafe"));
  assertFalse(/<script|<style|\sstyle=|\son[a-z]+=/i.test(text));
  const files = [...text.matchAll(/(?:src|href)="([^"]*\.(?:css|svg))"/g)].map(([, url]) => `/${url}`);
  assertEquals(files.length, 4);
  for (const file of files) assertEquals([file, (await listing.ask("GET", file)).status], [file, 200]);
});

Deno.test("the page is answered 304 to who has it, and led to from the list, by a text and by a link", async () => {
  await using listing = await ListingUnderTest.start();
  const { headers } = await listing.ask("GET", "/docs");
  const again = await listing.ask("GET", "/docs", { headers: { "If-None-Match": headers.get("etag")! } });
  assertEquals([again.status, again.text], [304, ""]);
  assertStringIncludes((await listing.ask("GET", "/")).text, "GET /docs");
  const page = await listing.ask("GET", "/", { headers: { Accept: "text/html" } });
  assertStringIncludes(page.text, 'href="docs"');
  assertEquals((await listing.ask("POST", "/docs")).status, 405);
});

Deno.test("what a document says is text on the page, whatever is in it", async () => {
  const attack = `<img src=x onerror="alert(1)">`;
  const text = await apiPage({
    openapi: attack,
    info: { title: attack, version: attack },
    paths: {
      [`/${attack}`]: {
        get: {
          summary: attack,
          parameters: [{
            name: attack,
            in: attack,
            description: attack,
            schema: { enum: [attack], default: attack },
          }],
          responses: {
            400: {
              description: attack,
              content: { [attack]: { schema: {}, examples: { [attack]: { value: attack } } } },
            },
            200: { description: attack, content: { [attack]: { schema: { $ref: `#/a/${attack}` } } } },
          },
        },
      },
    },
    components: {
      schemas: { [attack]: { properties: { [attack]: { type: attack, description: attack } } } },
      securitySchemes: { [attack]: { description: attack } },
    },
  });
  assertFalse(text.includes("<img"));
  assertEquals(text.split("&lt;img").length - 1 > 15, true);
});

Deno.test("robots.txt keeps search engines from what is for programs, and leaves them the pages", async () => {
  await using listing = await ListingUnderTest.start();
  const { status, text } = await listing.ask("GET", "/robots.txt");
  const [agent, ...rules] = text.trimEnd().split("\n");
  assertEquals([status, agent], [200, "User-agent: *"]);
  const kept = rules.map((rule) => /^Disallow: (\/.+)$/.exec(rule)?.[1] ?? rule);
  assertEquals(kept.toSorted(), ["/events", "/people", "/servers"]);
  assertFalse(kept.some((path) => "/docs".startsWith(path)));
});

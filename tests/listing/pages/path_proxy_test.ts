/**
 * The listing's pages behind a proxy under a path: every file and link of them stays under that path.
 *
 * @module
 */
import { assert, assertEquals, assertMatch } from "@std/assert";
import { startTestChat } from "../../support/chat_server.ts";
import { untilListed } from "../../support/listed_servers.ts";
import { startTestListing } from "../../support/listing_server.ts";
import { startPathProxy } from "../../support/path_proxy.ts";
import { runProgram } from "../../support/program.ts";

async function ok(url: URL): Promise<string> {
  const response = await fetch(url);
  const text = await response.text();
  assertEquals(response.status, 200, url.href);
  return text;
}

Deno.test("behind a proxy under a path the files and links of both pages stay under it, and are there", async () => {
  await using listing = await startTestListing();
  await using proxy = startPathProxy(listing.url);
  const asked = new Set<string>();
  for (const page of ["", "?sort=id&q=x", "docs", "docs/"]) {
    const response = await fetch(`${proxy.url}${page}`, { headers: { accept: "text/html" } });
    assertEquals(response.status, 200, page);
    const html = await response.text();
    const addresses = new Set(
      [...html.matchAll(/ (?:href|src|action)="([^"#][^"]*)"/g)].map((found) => found[1]!),
    );
    assert(addresses.size > 5, html);
    for (const address of addresses) {
      const url = new URL(address, response.url);
      assert(url.href.startsWith(proxy.url), `${page}: ${address}`);
      // A stream of events does not end.
      if (asked.has(url.href) || url.pathname.endsWith("/events")) continue;
      asked.add(url.href);
      await ok(url);
    }
  }
  const [server] = JSON.parse(await ok(new URL("openapi.json", proxy.url))).servers;
  assertEquals(new URL(server.url, `${proxy.url}openapi.json`).href, proxy.url);
  assertEquals(proxy.strays, []);
});

Deno.test("behind a proxy under a path a chat server is listed, and chatter servers shows it", async () => {
  await using listing = await startTestListing();
  await using proxy = startPathProxy(listing.url);
  const url = proxy.url.slice(0, -1);
  await using _chat = await startTestChat({ name: "Pub", listings: [url] });
  await untilListed(url, ([entry]) => entry?.displayName === "Pub");
  const { stdout, status } = await runProgram(["servers", "--listing", url]);
  assertEquals(status, 0);
  assertMatch(stdout, /^Pub /m);
  assertEquals(proxy.strays, []);
});

/**
 * The listing's page in a real browser as the list changes: servers register, fill and leave, and the stream is lost,
 * refused or paused.
 *
 * @module
 */
import { assertEquals, assertFalse, assertStringIncludes } from "@std/assert";
import { DEFAULT_LISTING_LIMITS } from "../../src/announcement/listing_limits.ts";
import { testInBrowser } from "../support/browser.ts";
import { ChatClient } from "../support/chat_client.ts";
import { startTestChat } from "../support/chat_server.ts";
import { freePort } from "../support/free_port.ts";
import { openLive, Pingable, rowsOf, seeRows } from "./listing_visit.ts";
import { startTestListing } from "../support/listing_server.ts";
import { startPathProxy } from "../support/path_proxy.ts";

testInBrowser("a chat server comes, fills and goes in a page that is open", async ({ visitor }) => {
  await using listing = await startTestListing();
  const page = await openLive(await visitor(), listing.url);
  assertStringIncludes(await page.$eval("main", (main) => main.innerText), "There are no servers yet");
  assertStringIncludes(await page.$eval("pre", (pre) => pre.innerText), `--listing ${listing.url}`);
  {
    await using chat = await startTestChat({
      name: "The Pub",
      listings: [listing.url],
      limits: { maxUsers: 2 },
    });
    await seeRows(page, ["The Pub: 0 of 2"]);
    assertEquals(await page.$eval(".join", (link) => (link as HTMLAnchorElement).href), `${chat.url}/`);
    await using _alice = await ChatClient.connect(chat.url, "alice");
    await seeRows(page, ["The Pub: 1 of 2"]);
    await using _bob = await ChatClient.connect(chat.url, "bob");
    await seeRows(page, ["The Pub: 2 of 2, full"]);
    await page.waitForFunction(() =>
      document.querySelector("#summary")?.textContent === "1 server, 2 people connected"
    );
    assertFalse(/no servers? /i.test(await page.$eval("main", (main) => main.innerText)));
    await page.click("#hide-full");
    await seeRows(page, []);
    assertStringIncludes(await page.$eval("main", (main) => main.innerText), "No server matches");
    await page.click("#hide-full");
    await seeRows(page, ["The Pub: 2 of 2, full"]);
  }
  await seeRows(page, []);
  assertStringIncludes(await page.$eval("main", (main) => main.innerText), "There are no servers yet");
});

testInBrowser(
  "behind a proxy under a path the page is live, sorts by its links, and says that path",
  async ({ visitor }) => {
    await using listing = await startTestListing();
    await using proxy = startPathProxy(listing.url);
    await using servers = new Pingable();
    const page = await openLive(await visitor(), proxy.url);
    assertStringIncludes(
      await page.$eval("pre", (pre) => pre.innerText),
      `--listing ${proxy.url.slice(0, -1)}`,
    );
    await servers.list(listing, { id: 1, serverName: "Pub", maxUsers: 2 });
    await seeRows(page, ["Pub: 0 of 2"]);
    const links = await page.$$eval(
      "main a[data-sort], footer a",
      (links) => links.map((link) => (link as HTMLAnchorElement).href),
    );
    assertEquals(
      links.filter((link) => !link.startsWith(proxy.url)),
      [],
    );
    assertEquals(proxy.strays, []);
    // Before the proxy ends, which would break its stream.
    await page.goto("about:blank");
  },
);

testInBrowser(
  "a page that loses its listing comes back by itself, with what changed meanwhile",
  async ({ visitor }) => {
    await using servers = new Pingable();
    const folder = await Deno.makeTempDir();
    try {
      const kv = `${folder}/listing.db`;
      let listing = await startTestListing({ kv, port: freePort() });
      await servers.list(listing, { id: 1, serverName: "Pub" });
      const page = await openLive(
        await visitor({ mayComplain: /ERR_(?:CONNECTION|INCOMPLETE)|503/ }),
        listing.url,
      );
      await seeRows(page, ["Pub: 0 of 50"]);
      await listing.stop();
      await page.waitForSelector('#state[data-state="connecting"]');
      assertEquals(await rowsOf(page), ["Pub: 0 of 50"], "what was known stays in sight");
      listing = await startTestListing({ kv, port: listing.port });
      await servers.send(listing, "PUT", 1, { connectedUsers: 4 });
      await page.waitForSelector('#state[data-state="live"]');
      await seeRows(page, ["Pub: 4 of 50"]);
      await listing.stop();
    } finally {
      await Deno.remove(folder, { recursive: true });
    }
  },
);

testInBrowser("a page that may not follow says so, and shows the list all the same", async ({ visitor }) => {
  await using listing = await startTestListing({ limits: { ...DEFAULT_LISTING_LIMITS, maxEventStreams: 0 } });
  await using servers = new Pingable();
  await servers.list(listing, { id: 1, serverName: "Pub" });
  const page = await visitor({ mayComplain: /503/ });
  await page.goto(listing.url);
  await page.waitForSelector('#state[data-state="polling"]');
  assertEquals(await rowsOf(page), ["Pub: 0 of 50"]);
});

testInBrowser(
  "a hidden page closes its stream, and is up to date when it is shown again",
  async ({ visitor }) => {
    // With one stream per listing, a second page can follow only while the first does not.
    await using listing = await startTestListing({
      limits: { ...DEFAULT_LISTING_LIMITS, maxEventStreams: 1 },
    });
    await using servers = new Pingable();
    await servers.list(listing, { id: 1, serverName: "Pub" });
    const page = await visitor();
    await page.evaluateOnNewDocument(() => {
      const realSetTimeout = setTimeout;
      Object.assign(globalThis, {
        setTimeout: (act: () => void, ms: number) => realSetTimeout(act, ms === 15_000 ? 0 : ms),
      });
    });
    await openLive(page, listing.url);
    const see = (isHidden: boolean) =>
      page.evaluate((isHidden) => {
        Object.defineProperty(document, "hidden", { value: isHidden, configurable: true });
        document.dispatchEvent(new Event("visibilitychange"));
      }, isHidden);
    await see(true);
    const opened = async () => {
      const response = await fetch(`${listing.url}/events`);
      await response.body?.cancel();
      return response.status;
    };
    while (await opened() !== 200);
    await servers.send(listing, "PUT", 1, { connectedUsers: 8 });
    await see(false);
    await seeRows(page, ["Pub: 8 of 50"]);
  },
);

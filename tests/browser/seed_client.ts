/**
 * Pages of other origins in a real browser: the client of 2021 in README.md, which exchanges messages with users of the
 * server's own page, and a page of another site, which gets nothing.
 *
 * @module
 */
import { assertEquals, assertMatch } from "@std/assert";
import { startListing } from "../../listing/mod.ts";
import { FOREIGN_HOST, testInBrowser } from "../support/browser.ts";
import { ChatPage, SOCKET_COMPLAINT } from "../support/chat_page.ts";
import { startTestChat } from "../support/chat_server.ts";
import { inTempFolder } from "../support/temp_folder.ts";
import { seedClient } from "../support/seed_client.ts";

testInBrowser(
  "the client of 2021 runs unchanged on any page, and talks with people on ours",
  async (stage) => {
    await using server = await startTestChat({ name: "Seed Server" });
    const alice = await ChatPage.join(stage, server.url, "alice");
    const script = await seedClient(server.url);
    const elsewhere = Deno.serve(
      { hostname: "127.0.0.1", port: 0, onListen: () => {} },
      () =>
        new Response(
          `<!doctype html><title>2021</title><link rel="icon" href="data:,"><script>${script}</script>`,
          {
            headers: { "content-type": "text/html" },
          },
        ),
    );
    const page = await stage.visitor({ mayComplain: SOCKET_COMPLAINT });
    const printed: string[] = [];
    page.on("console", (line) => printed.push(line.text()));
    await page.goto(`http://127.0.0.1:${elsewhere.addr.port}/`);
    await alice.readsNotice("TestUser joined");
    await alice.readsMessages("hello");
    await alice.say("hello to you");
    await alice.readsMessages("hello", "hello to you");
    while (!printed.some((line) => line.endsWith("hello to you"))) await page.evaluate(() => {});
    assertEquals(printed.slice(0, 2), ["c2/ACKNOWLEDGE Seed Server", "c2/ACKNOWLEDGE"]);
    assertMatch(printed[2] ?? "", /^c2\/MSG TestUser; [0-9]{13}; [0-9a-f-]{36}; hello$/);
    assertMatch(printed[3] ?? "", /^c2\/MSG alice; [0-9]{13}; [0-9a-f-]{36}; hello to you$/);
    assertEquals(printed.length, 4, "and nothing of c2.live");
    await page.close();
    await alice.readsNotice("TestUser lost the connection");
    await elsewhere.shutdown();
  },
);

/** In a page: whether a WebSocket opens. */
function opens(url: string): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = new WebSocket(url);
    socket.onopen = () => (socket.close(), resolve(true));
    socket.onerror = () => resolve(false);
  });
}

/** In a page: what a request of it comes to. */
function asks(url: string, init: RequestInit): Promise<string> {
  return fetch(url, init).then(({ type, status }) => `${type} ${status}`, () => "refused");
}

testInBrowser(
  "a site whose name leads to this machine reaches neither server, and a page from disk reaches both",
  async (stage) => {
    await using chat = await startTestChat();
    await using listing = await startListing({
      hostname: "127.0.0.1",
      port: 0,
      kv: ":memory:",
      checkInterval: 60,
      trustProxy: false,
      tls: undefined,
    });
    const site = Deno.serve(
      { hostname: "127.0.0.1", port: 0, onListen: () => {} },
      () => new Response("<!doctype html><title>Evil</title>", { headers: { "content-type": "text/html" } }),
    );
    const page = await stage.visitor({ mayComplain: /WebSocket|CORS|Failed to load resource/ });
    await page.goto(`http://${FOREIGN_HOST}:${site.addr.port}/`);
    const posted = { method: "POST", mode: "no-cors", body: "{}" } as const;
    for (const host of ["127.0.0.1", "localhost", FOREIGN_HOST]) {
      const [chatHost, listingHost] = [`${host}:${chat.port}`, `${host}:${listing.port}`];
      assertEquals(await page.evaluate(opens, `ws://${chatHost}/`), false, host);
      assertEquals(await page.evaluate(asks, `http://${listingHost}/servers`, {}), "refused", host);
      // Its browser does not show the answer, and nothing was pinged.
      assertEquals(await page.evaluate(asks, `http://${listingHost}/servers/1`, posted), "opaque 0", host);
    }
    for (const { port } of [chat, listing]) {
      const answer = await page.goto(`http://${FOREIGN_HOST}:${port}/`);
      assertEquals(answer?.status(), 403);
    }
    await site.shutdown();
    await inTempFolder(async (folder) => {
      await Deno.writeTextFile(`${folder}/page.html`, "<!doctype html><title>From disk</title>");
      await page.goto(`file://${folder}/page.html`);
      assertEquals(await page.evaluate(opens, chat.url.replace("http", "ws")), true);
      assertEquals(await page.evaluate(asks, `${listing.url}/servers`, {}), "cors 200");
    });
  },
);

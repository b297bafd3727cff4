/**
 * The client of 2021 in README.md on a page of another origin, in a real browser: it exchanges messages with users of
 * the server's own page.
 *
 * @module
 */
import { assertEquals, assertMatch } from "@std/assert";
import { testInBrowser } from "../support/browser.ts";
import { ChatPage, SOCKET_COMPLAINT } from "../support/chat_page.ts";
import { startTestChat } from "../support/chat_server.ts";
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

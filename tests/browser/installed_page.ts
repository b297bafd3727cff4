/**
 * The chat page without its server, in a real browser: the page and what waits to be sent are there after a reload, and
 * a changed page takes the place of the kept one.
 *
 * @module
 */
/// <reference lib="dom" />
import { assertEquals, assertNotEquals } from "@std/assert";
import { testInBrowser } from "../support/browser.ts";
import { ChatPage } from "../support/chat_page.ts";
import { startTestChat } from "../support/chat_server.ts";
import { CuttingProxy } from "../support/cutting_proxy.ts";

const keptShells = ({ page }: ChatPage) =>
  page.evaluate(async () => (await caches.keys()).filter((name) => name.startsWith("chatter ")));

testInBrowser(
  "without its server the page opens with what waits to be sent, and a changed page replaces the kept one",
  async (stage) => {
    const server = await startTestChat({ name: "Before" });
    await using proxy = new CuttingProxy({ target: server.port });
    const alice = await ChatPage.join(stage, proxy.url, "alice", {
      mayComplain: /WebSocket connection to|Failed to load resource/,
    });
    alice.page.on("dialog", (dialog) => dialog.accept());
    await alice.page.evaluate(async () => void await navigator.serviceWorker.ready);
    const before = await keptShells(alice);
    assertEquals(before.length, 1);

    const closed = Deno.listen({ hostname: "127.0.0.1", port: 0 });
    proxy.target = closed.addr.port;
    closed.close();
    proxy.cutAll();
    await alice.isLost();
    await alice.say("in the tunnel");
    await alice.page.waitForSelector("#pending .waiting.offline");
    await alice.page.reload();
    await alice.reads("#pending .body", "in the tunnel");
    assertEquals(await alice.title(), "Before");
    assertEquals(await alice.page.$eval("#room", (room) => (room as HTMLElement).hidden), false);

    await server.stop();
    await using changed = await startTestChat({ name: "After" });
    proxy.target = changed.port;
    await alice.page.reload();
    await alice.page.waitForFunction(() => document.title.endsWith("After"));
    await alice.isLive();
    await alice.page.waitForFunction(
      async (before) => {
        const kept = (await caches.keys()).filter((name) => name.startsWith("chatter "));
        return kept.length === 1 && kept[0] !== before;
      },
      {},
      before[0]!,
    );
    assertNotEquals(await keptShells(alice), before);
  },
);

testInBrowser("the page can be installed: its manifest has the server's name, and icons", async (stage) => {
  await using server = await startTestChat({ name: `The "Inn"`, description: "a\\b" });
  const { page } = await ChatPage.open(stage, server.url);
  const manifest = await page.evaluate(async () => {
    const link = document.querySelector<HTMLLinkElement>("link[rel=manifest]")!;
    const { name, description, icons, start_url } = await (await fetch(link.href)).json();
    const found = await Promise.all(
      icons.map(async ({ src }: { src: string }) => (await fetch(new URL(src, link.href))).status),
    );
    return { name, description, found, start: new URL(start_url, link.href).href };
  });
  const found = [200, 200];
  assertEquals(manifest, { name: `The "Inn"`, description: "a\\b", found, start: `${server.url}/` });
});

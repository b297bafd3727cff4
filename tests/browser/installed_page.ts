/**
 * The chat page without its server, in a real browser: the page and what waits to be sent are there after a reload, and
 * a changed page takes the place of the kept one.
 *
 * @module
 */
/// <reference lib="dom" />
import { assertEquals, assertNotEquals } from "@std/assert";
import type { Page } from "puppeteer-core";
import { ICONS } from "../screenshots/icon_scene.ts";
import { testInBrowser } from "../support/browser.ts";
import { ChatPage } from "../support/chat_page.ts";
import { startTestChat } from "../support/chat_server.ts";
import { CuttingProxy } from "../support/cutting_proxy.ts";
import { freePort } from "../support/free_port.ts";

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

    proxy.target = freePort();
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
      icons.map(async ({ src, type, sizes, purpose }: Record<string, string>) => {
        const response = await fetch(new URL(src!, link.href));
        return [purpose, sizes, response.headers.get("content-type") === type];
      }),
    );
    return { name, description, found, start: new URL(start_url, link.href).href };
  });
  const found = [
    ["any", "any", true],
    ["any", "192x192", true],
    ["any", "512x512", true],
    ["maskable", "any", true],
    ["maskable", "512x512", true],
  ];
  assertEquals(manifest, { name: `The "Inn"`, description: "a\\b", found, start: `${server.url}/` });
  const touch = await page.$eval("link[rel=apple-touch-icon]", (link) => link.getAttribute("href"));
  assertEquals(touch, "chat/web/icon_touch_180.png");

  // `deno task screenshots icon` makes them again.
  for (const [suffix, { from, size }] of Object.entries(ICONS)) {
    assertEquals(await differenceOf(page, `icon${suffix}.png`, from, size), "the same", suffix);
  }
});

/** Whether a PNG of chat/web/ has that size and looks like the SVG, of which each colour may be off by some. */
function differenceOf(page: Page, png: string, svg: string, size: number): Promise<string> {
  return page.evaluate(
    async (png, svg, size) => {
      const pixels = await Promise.all([png, svg].map(async (file) => {
        const image = new Image(size, size);
        image.src = `chat/web/${file}`;
        await image.decode();
        if (file === png && (image.naturalWidth !== size || image.naturalHeight !== size)) return undefined;
        const drawn = new OffscreenCanvas(size, size).getContext("2d")!;
        drawn.drawImage(image, 0, 0, size, size);
        return drawn.getImageData(0, 0, size, size).data;
      }));
      const [made, wanted] = pixels;
      if (made === undefined || wanted === undefined) return "another size";
      let sum = 0;
      for (let n = 0; n < made.length; n++) sum += Math.abs(made[n]! - wanted[n]!);
      return sum / made.length < 2 ? "the same" : `off by ${sum / made.length}`;
    },
    png,
    svg,
    size,
  );
}

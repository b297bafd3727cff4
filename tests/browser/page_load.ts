/**
 * How the pages load: the HTML names every file, so that two round trips load all of them.
 *
 * @module
 */
import { assert, assertEquals } from "@std/assert";

import { testInBrowser } from "../support/browser.ts";
import { startTestChat } from "../support/chat_server.ts";
import { startTestListing } from "../support/listing_server.ts";

for (const role of ["chat", "listing"] as const) {
  testInBrowser(
    `the page of ${role} fetches each of its files once, and all that its HTML names`,
    async (stage) => {
      await using server = role === "chat" ? await startTestChat() : await startTestListing();
      const page = await stage.visitor();
      const files: string[] = [];
      const late: string[] = [];
      page.on("request", (request) => {
        const { pathname } = new URL(request.url());
        if (!/\.(?:ts|css)$/.test(pathname)) return;
        files.push(pathname);
        if (request.initiator()?.type !== "parser") late.push(pathname);
      });
      await page.goto(`${server.url}/`, { waitUntil: "load" });
      // Otherwise its stream would be refused when the listing stops.
      await page.goto("about:blank");
      assert(files.length > 5);
      assertEquals(late, []);
      assertEquals([...new Set(files)], files);
    },
  );
}

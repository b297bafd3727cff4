/**
 * People who are away, in a real browser: those whose connection is lost are shown apart and not counted, a reload is
 * no departure, and a closed page is one, soon.
 *
 * @module
 */
/// <reference lib="dom" />
/// <reference lib="dom.iterable" />
import { assertEquals } from "@std/assert";
import { testInBrowser } from "../support/browser.ts";
import { ChatClient } from "../support/chat_client.ts";
import { ChatPage } from "../support/chat_page.ts";
import { startTestChat } from "../support/chat_server.ts";
import { CuttingProxy } from "../support/cutting_proxy.ts";

/** Waits until these names are shown as here and as away. */
async function readsPeople({ page }: ChatPage, here: string[], away: string[]): Promise<void> {
  const shown = () =>
    page.evaluate(() => {
      const texts = (selector: string) =>
        [...document.querySelectorAll<HTMLElement>(selector)].filter((item) =>
          item.closest("[hidden]") === null
        )
          .map((item) => item.textContent ?? "");
      return { here: texts("#names .person"), away: texts("#away-names .person") };
    });
  await page.waitForFunction(
    (here, away) => {
      const count = (selector: string) => document.querySelectorAll(selector).length;
      return count("#names .person") === here && count("#away-names .person") === away;
    },
    {},
    here.length,
    away.length,
  ).catch(() => {});
  assertEquals(await shown(), { here, away });
  assertEquals(await page.$eval("#people-title", (title) => title.textContent), `Here now ${here.length}`);
}

testInBrowser(
  "a user whose connection is lost is away and not counted, also for users who join later, until the return",
  async (stage) => {
    await using server = await startTestChat();
    await using proxy = new CuttingProxy({ target: server.port });
    const bob = await ChatPage.join(stage, server.url, "bob");
    const alice = await ChatPage.join(stage, proxy.url, "alice");
    await readsPeople(bob, ["bob (you)", "alice"], []);
    const comeBack = proxy.cutAndHold();
    await readsPeople(bob, ["bob (you)"], ["alice"]);
    const carol = await ChatPage.join(stage, server.url, "carol");
    await readsPeople(carol, ["carol (you)", "bob"], ["alice"]);
    comeBack();
    await alice.isLive();
    await readsPeople(bob, ["bob (you)", "alice", "carol"], []);
    await readsPeople(carol, ["carol (you)", "alice", "bob"], []);
    await readsPeople(alice, ["alice (you)", "bob", "carol"], []);
  },
);

for (const transport of ["serve", "ws"] as const) {
  testInBrowser(
    `${transport}: a reload is no departure, and a closed page leaves as its user does`,
    async (stage) => {
      await using server = await startTestChat({ limits: { resumeWindow: 3 }, transport });
      await using bob = await ChatClient.connect(server.url, "bob");
      const alice = await ChatPage.join(stage, server.url, "alice");
      await alice.page.reload();
      await alice.isLive();
      await bob.drain();
      assertEquals(bob.seen.filter((frame) => frame.startsWith("c2/DISCONNECT")), []);
      await alice.page.close();
      await bob.expect("c2/DISCONNECT disconnect; alice");
    },
  );
}

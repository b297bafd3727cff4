/**
 * The list of people with 150 of them: those out of view cost neither style nor layout, and one comes to
 * them all the same. Work is counted, since a busy machine says nothing by time.
 *
 * @module
 */
/// <reference lib="dom" />
import { assertEquals, assertLess } from "@std/assert";
import { testInBrowser } from "../support/browser.ts";
import { ChatClient } from "../support/chat_client.ts";
import { ChatPage } from "../support/chat_page.ts";
import { startTestChat } from "../support/chat_server.ts";
import { mostWork } from "./page_work.ts";

const PEOPLE = 150;

testInBrowser(
  "of 150 people those out of view cost no style, and the keyboard and a screen reader come to them",
  async (stage) => {
    await using server = await startTestChat({ limits: { maxUsers: PEOPLE + 2 } });
    await using _people = await joinAll(server.url);
    const alice = await ChatPage.join(stage, server.url, "alice", { reducedMotion: true });
    const { page } = alice;
    const shows = (count: number) =>
      page.waitForFunction(
        (count) => document.querySelectorAll("#names .person").length === count,
        {},
        count,
      );
    await shows(PEOPLE + 1);
    // The names by their numbers, the own one first.
    const names = Array.from({ length: PEOPLE }, (_, n) => `person ${n}`);
    assertEquals(await alice.texts("#names .person bdi"), ["alice", ...names]);
    const bottom = () => page.$eval(".people-lists", ({ scrollHeight }) => scrollHeight);
    const height = await bottom();

    const filtered = await mostWork(page, async () => {
      await page.type("#people-filter", "5");
      await shows(names.filter((name) => name.includes("5")).length);
      await alice.fill("#people-filter", "");
      await shows(PEOPLE + 1);
    });
    // Three elements a person.
    assertLess(filtered.elements, 2 * PEOPLE, "a name is searched");
    assertEquals(await alice.texts("#names .person bdi"), ["alice", ...names]);

    await page.focus(".people-lists");
    await page.keyboard.press("End");
    await page.waitForFunction(() => {
      const list = document.querySelector(".people-lists")!.getBoundingClientRect();
      const last = [...document.querySelectorAll("#names .person")].at(-1)!.getBoundingClientRect();
      return last.top > list.top && last.bottom < list.bottom;
    });
    assertEquals(await bottom(), height, "a part has the height of its people before it is in view");
    const session = await page.createCDPSession();
    const { nodes } = await session.send("Accessibility.getFullAXTree");
    const read = nodes.filter(({ role, name }) =>
      role?.value === "StaticText" && name?.value === "person 149"
    );
    assertEquals(read.length, 1, "a screen reader comes to the last one");

    await using _eva = await ChatClient.connect(server.url, "Éva");
    await shows(PEOPLE + 2);
    for (const typed of ["eva", "É"]) {
      await alice.fill("#people-filter", typed);
      await shows(1);
      assertEquals(await alice.texts("#names .person bdi"), ["Éva"], typed);
    }
  },
);

async function joinAll(url: string): Promise<AsyncDisposable> {
  const clients = await Promise.all(
    Array.from({ length: PEOPLE }, (_, n) => ChatClient.connect(url, `person ${n}`)),
  );
  return {
    async [Symbol.asyncDispose]() {
      for (const client of clients) await client[Symbol.asyncDispose]();
    },
  };
}

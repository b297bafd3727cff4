/**
 * The listing's page in a real browser: it works without scripts, shows servers' texts as text only, and is
 * accessible. Its updates are tested in listing_page_live.ts.
 *
 * @module
 */
import { assert, assertEquals, assertLess, assertMatch } from "@std/assert";
import { slotOf } from "../../listing/store/sample_store.ts";
import { KvSampleStore } from "../../listing/store/sample_store_kv.ts";
import { KvServerStore } from "../../listing/store/store_kv.ts";
import { claimLayout, openKv } from "../../src/kv/kv.ts";
import { ABROAD_RECORD } from "../listing/abroad_record.ts";
import {
  accessibilityFaults,
  DESK,
  PHONE,
  resize,
  sidewaysOverflow,
  testInBrowser,
} from "../support/browser.ts";
import { openLive, Pingable, rowsOf, seeRows } from "./listing_visit.ts";
import { startTestListing } from "../support/listing_server.ts";

const ATTACKS = [
  `<img src=x onerror="document.title='broken'">`,
  `</bdi></td><script>document.title='broken'</script>`,
  `"><svg/onload=document.title='broken'>`,
  "{{constructor.constructor('document.title=1')()}}",
  "שלום (ltr) עולם!",
];

testInBrowser("what a server calls itself stays text, with script and without", async ({ visitor }) => {
  await using listing = await startTestListing();
  await using servers = new Pingable();
  for (const [id, serverName] of ATTACKS.entries()) {
    await servers.list(listing, { id, serverName: serverName.slice(0, 64) });
  }
  const names = ATTACKS.map((name) => name.slice(0, 64));
  for (const script of [false, true]) {
    const page = await visitor({ script });
    if (script) await openLive(page, `${listing.url}/?sort=id`);
    else await page.goto(`${listing.url}/?sort=id`);
    assertEquals(
      await page.$$eval("#rows .who .displayname", (names) => names.map(({ textContent }) => textContent)),
      names,
    );
    assertEquals(await page.title(), "Chat servers");
    assertEquals(await page.$$eval("#rows img, #rows script, #rows [onload]", ({ length }) => length), 0);
    const isolation = await page.$$eval(
      "#rows bdi",
      (bdis) => [...new Set(bdis.map((bdi) => getComputedStyle(bdi).unicodeBidi))],
    );
    assertEquals(isolation, ["isolate"]);
  }
  // The same for an update of an open page.
  const page = await openLive(await visitor(), `${listing.url}/?sort=id`);
  const serverName = "<b onclick=document.title=1>late</b>";
  await servers.list(listing, { id: 90, serverName });
  await page.waitForFunction(() => document.querySelectorAll("#rows tr").length === 6);
  assertEquals(
    await page.$eval("#rows tr:last-child .displayname", ({ innerHTML }) => innerHTML),
    [
      "&lt;b onclick=document.title=1&gt;late&lt;/b&gt;",
    ][0],
  );
  // The new row asks for its graph: a listing that stops would answer 503.
  await page.close();
});

testInBrowser(
  "without script the page is searched, sorted and narrowed by its form and links",
  async ({ visitor }) => {
    await using listing = await startTestListing();
    await using servers = new Pingable();
    await servers.list(listing, { id: 1, serverName: "Apple", connectedUsers: 5, maxUsers: 5 });
    await servers.list(listing, { id: 2, serverName: "Berry", connectedUsers: 1 });
    const page = await visitor({ script: false });
    await page.goto(listing.url);
    assertEquals(await rowsOf(page), ["Apple: 5 of 5, full", "Berry: 1 of 50"]);
    const follow = async (selector: string) => {
      await Promise.all([page.waitForNavigation(), page.click(selector)]);
    };
    await page.click("#hide-full");
    await follow("form button");
    assertEquals(await rowsOf(page), ["Berry: 1 of 50"]);
    assertEquals(await page.$eval("#hide-full", (box) => (box as HTMLInputElement).checked), true);
    await page.click("#hide-full");
    await page.type("#q", "PP");
    await follow("form button");
    assertEquals(await rowsOf(page), ["Apple: 5 of 5, full"]);
    await page.goto(listing.url);
    await follow('th a[data-sort="name"]');
    assertEquals((await rowsOf(page))[0], "Apple: 5 of 5, full");
    assertEquals(
      await page.$$eval(".copy", (buttons) => buttons.filter((button) => button.checkVisibility()).length),
      0,
    );
  },
);

testInBrowser(
  "with script the same is done as one types, and stays in the page's address",
  async ({ visitor }) => {
    await using listing = await startTestListing();
    await using servers = new Pingable();
    await servers.list(listing, { id: 1, serverName: "Apple", connectedUsers: 5, maxUsers: 5 });
    await servers.list(listing, { id: 2, serverName: "Berry", connectedUsers: 1 });
    await servers.list(listing, { id: 3, serverName: "Cherry" });
    const page = await openLive(await visitor(), listing.url);
    await page.type("#q", "erry");
    await seeRows(page, ["Berry: 1 of 50", "Cherry: 0 of 50"]);
    assertEquals(await page.$eval("#said", ({ textContent }) => textContent), "2 servers");
    await page.click("#hide-empty");
    await seeRows(page, ["Berry: 1 of 50"]);
    assertEquals(new URL(page.url()).search, "?q=erry&empty=false");
    await openLive(page, page.url());
    assertEquals(await rowsOf(page), ["Berry: 1 of 50"]);
    await openLive(page, listing.url);
    await page.click('th a[data-sort="name"]');
    await seeRows(page, ["Apple: 5 of 5, full", "Berry: 1 of 50", "Cherry: 0 of 50"]);
    assertEquals(
      await page.$eval('th a[data-sort="name"]', (link) => link.closest("th")?.ariaSort),
      "ascending",
    );
    assertEquals(new URL(page.url()).search, "?sort=name");
  },
);

testInBrowser(
  "what servers say that they are is text, and the list is filtered by it, with script and without",
  async ({ visitor }) => {
    await using listing = await startTestListing();
    await using servers = new Pingable();
    const description = ATTACKS.join(" ").slice(0, 200);
    const said = { description, tags: ["games", "go"], language: "pt-BR" };
    await servers.list(listing, { id: 1, serverName: "Apple", connectedUsers: 2, ...said });
    await servers.list(listing, { id: 2, serverName: "Berry", connectedUsers: 1, tags: ["games"] });
    await servers.list(listing, { id: 3, serverName: "Cherry" });
    const all = ["Apple: 2 of 50", "Berry: 1 of 50", "Cherry: 0 of 50"];
    for (const script of [false, true]) {
      const page = await visitor({ script });
      const open = (path: string) =>
        script ? openLive(page, listing.url + path) : page.goto(listing.url + path);
      const follow = async (act: () => Promise<unknown>) => {
        await (script ? act() : Promise.all([page.waitForNavigation(), act()]));
      };
      await open("/");
      assertEquals(await page.$eval("#rows .description", ({ textContent }) => textContent), description);
      assertEquals(await page.$$eval("#rows img, #rows script, #rows [onload]", ({ length }) => length), 0);
      const texts = (selector: string) =>
        page.$$eval(selector, (elements) => elements.map((e) => e.textContent?.trim()));
      assertEquals(await texts("#rows tr:first-child .tags a"), ["Portuguese", "games", "go"]);
      assertEquals(await texts("#tag option"), ["any", "games (2)", "go (1)"]);
      assertEquals(await texts("#language option"), ["any", "Portuguese (1)"]);
      const heights = await page.$$eval("#rows tr", (rows) => rows.map((row) => row.clientHeight));
      assertEquals(new Set(heights).size, 1, `${heights}`);
      await follow(() => page.click('#rows a[data-tag="games"]'));
      await seeRows(page, all.slice(0, 2));
      assertEquals(new URL(page.url()).searchParams.get("tag"), "games");
      await page.select("#tag", "");
      await page.select("#language", "pt");
      if (!script) await follow(() => page.click("form button"));
      await seeRows(page, all.slice(0, 1));
      await open("/?tag=games&language=pt");
      await seeRows(page, all.slice(0, 1));
      assertEquals(await page.$eval("#tag", (select) => (select as HTMLSelectElement).value), "games");
    }
    // A server that takes it back is a row as before.
    const page = await openLive(await visitor(), listing.url);
    await servers.send(listing, "PUT", 1, { tags: [], description: "", language: "" });
    await page.waitForFunction(() => document.querySelectorAll("#tag option").length === 2);
    assertEquals(await page.$eval("#language", (select) => select.parentElement?.hidden), true);
    assertEquals(await page.$$eval("#rows .tags a", ({ length }) => length), 1);
  },
);

testInBrowser(
  "the keyboard alone finds a server, copies its address, and is not thrown off by changes",
  async ({ visitor }) => {
    await using listing = await startTestListing();
    await using servers = new Pingable();
    for (const id of [1, 2, 3]) {
      await servers.list(listing, {
        id,
        serverName: `Pub ${id}`,
        connectedUsers: 9 - id,
      });
    }
    const page = await openLive(await visitor(), listing.url);
    await page.keyboard.press("Tab");
    assertEquals(await page.evaluate(() => document.activeElement?.textContent), "Skip to the servers");
    await page.keyboard.press("Enter");
    await page.keyboard.press("Tab");
    assertEquals(await page.evaluate(() => document.activeElement?.textContent), "Pub 1");
    assertEquals(
      await page.evaluate(() => getComputedStyle(document.activeElement!).outlineStyle),
      "solid",
      "what has the focus is seen",
    );
    await page.keyboard.press("Tab");
    assertEquals(
      await page.evaluate(() => document.activeElement?.ariaLabel),
      "Copy the address of Pub 1",
    );
    // The first row becomes the last and keeps the focus.
    await servers.send(listing, "PUT", 1, { connectedUsers: 0 });
    await seeRows(page, ["Pub 2: 7 of 50", "Pub 3: 6 of 50", "Pub 1: 0 of 50"]);
    await page.keyboard.press("Enter");
    const address = await page.$eval("#rows tr:last-child .address", ({ textContent }) => textContent);
    await page.waitForFunction(() => document.querySelector("#said")?.textContent?.startsWith("Copied"));
    assertEquals(await page.$eval("#said", ({ textContent }) => textContent), `Copied ${address}`);
    // A row that is removed passes its focus on.
    await servers.send(listing, "DELETE", 1);
    await seeRows(page, ["Pub 2: 7 of 50", "Pub 3: 6 of 50"]);
    assert(await page.evaluate(() => document.activeElement?.closest("#rows") !== null));
  },
);

testInBrowser("an address is copied also where the page has no clipboard", async ({ visitor }) => {
  await using listing = await startTestListing();
  await using servers = new Pingable();
  await servers.list(listing, { id: 1 });
  const page = await visitor();
  await page.evaluateOnNewDocument(() => {
    Object.defineProperty(Navigator.prototype, "clipboard", { get: () => undefined });
    document.addEventListener("copy", () => {
      document.title = `copied ${getSelection() || (document.activeElement as HTMLTextAreaElement).value}`;
    });
  });
  await openLive(page, listing.url);
  await page.click(".copy");
  await page.waitForSelector(".copy.done");
  const address = await page.$eval("#rows .address", ({ textContent }) => textContent);
  assertEquals(await page.title(), `copied ${address}`);
});

testInBrowser("rows do not move away from under a pointer that moves", async ({ visitor }) => {
  await using listing = await startTestListing();
  await using servers = new Pingable();
  for (const id of [1, 2]) {
    await servers.list(listing, { id, serverName: `Pub ${id}`, connectedUsers: 9 - id });
  }
  const page = await openLive(await visitor(), listing.url);
  await page.hover("#rows tr:first-child .join");
  await servers.send(listing, "PUT", 1, { connectedUsers: 0 });
  await seeRows(page, ["Pub 1: 0 of 50", "Pub 2: 7 of 50"]);
  await page.hover("h1");
  await seeRows(page, ["Pub 2: 7 of 50", "Pub 1: 0 of 50"]);
});

testInBrowser(
  "of two thousand servers only the rows near the view are in the page, wherever one scrolls",
  async ({ visitor }) => {
    const folder = await Deno.makeTempDir();
    try {
      const kv = await openKv(`${folder}/listing.db`);
      await claimLayout(kv, `${folder}/listing.db`, { role: "listing", version: 1 });
      const store = new KvServerStore(kv);
      const ids = Array.from({ length: 2000 }, (_, id) => id);
      await Promise.all(
        ids.map((id) =>
          store.write(id, undefined, {
            ...ABROAD_RECORD,
            ...{ id, connectedUsers: 7, checkedAtMs: Date.now() },
          })
        ),
      );
      const users = new Uint32Array(2000).fill(7);
      await new KvSampleStore(kv).add({ slot: slotOf(Date.now()), ids: Float64Array.from(ids), users });
      kv.close();
      await using listing = await startTestListing({ kv: `${folder}/listing.db`, checkInterval: 3600 });
      const page = await openLive(await visitor(), listing.url);
      const middle = () =>
        page.evaluate(() => {
          const seen = document.elementFromPoint(innerWidth / 2, innerHeight / 2)?.closest("tr");
          return { row: Number(seen?.ariaRowIndex), rows: document.querySelectorAll("#rows tr").length };
        });
      const near = (row: number) =>
        page.waitForFunction(
          (row) => {
            const seen = document.elementFromPoint(innerWidth / 2, innerHeight / 2)?.closest("tr");
            return Math.abs(Number(seen?.ariaRowIndex) - row) < 20;
          },
          {},
          row,
        ).then(middle);
      const heights: number[] = [];
      for (const [part, row] of [[0, 8], [0.5, 1000], [1, 1995], [0.25, 500], [0, 8]] as const) {
        await page.evaluate((part) => scrollTo(0, part * document.documentElement.scrollHeight), part);
        assertLess((await near(row)).rows, 100);
        heights.push(await page.evaluate(() => document.documentElement.scrollHeight));
        const headAt = await page.$eval("thead", (head) => head.getBoundingClientRect().top);
        assert(headAt === 0 || part === 0, `the head is at ${headAt}`);
        // Rows that the script made get their graphs in one request.
        await page.waitForFunction(
          (row) => {
            const near = document.querySelector(`#rows tr[aria-rowindex="${row}"]`);
            return near?.querySelector(".graph path")?.getAttribute("d")?.startsWith("M") &&
              near.querySelector(".graph")?.ariaLabel === "The last hour: 7 people";
          },
          {},
          row,
        );
      }
      assertEquals(await page.$eval("#servers", (table) => table.ariaRowCount), "2001");
      // The padding is as high as the rows in its place.
      assertLess(Math.max(...heights) - Math.min(...heights), 200);
      await page.type("#q", "nothing is called so");
      await page.waitForSelector("#no-match:not([hidden])");
    } finally {
      await Deno.remove(folder, { recursive: true });
    }
  },
);

testInBrowser(
  "the head count follows the filter, and every column sorts",
  async ({ visitor }) => {
    await using listing = await startTestListing();
    await using servers = new Pingable();
    await servers.list(listing, { id: 1, serverName: "Apple", connectedUsers: 9, maxUsers: 9, tags: ["go"] });
    await servers.list(listing, { id: 2, serverName: "Berry", connectedUsers: 8 });
    await servers.send(listing, "PUT", 2, { connectedUsers: 1 });
    await servers.send(listing, "PUT", 1, { connectedUsers: 2 });
    const page = await openLive(await visitor(), listing.url);
    const seeSummary = (text: string) =>
      page.waitForFunction((text) => document.querySelector("#summary")?.textContent === text, {}, text);
    await seeSummary("2 servers, 3 people connected");
    await page.select("#tag", "go");
    await seeSummary("1 of 2 servers, 2 people connected");
    await page.select("#tag", "");
    await seeSummary("2 servers, 3 people connected");
    const columns = await page.$$eval("th a", (links) => links.map(({ dataset }) => dataset["sort"]!));
    assertEquals(columns, ["name", "users", "peak", "ping", "uptime", "age"]);
    for (const column of columns) {
      await page.click(`th a[data-sort="${column}"]`);
      assertEquals(new URL(page.url()).searchParams.get("sort") ?? "users", column);
      assertEquals(
        await page.$$eval("th[aria-sort]", (heads) => heads.map((head) => head.textContent?.trim())),
        [
          await page.$eval(`th a[data-sort="${column}"]`, (link) => link.textContent),
        ],
      );
    }
  },
);

testInBrowser(
  "a page that is asked to pings the servers from the browser, and says which do not answer",
  async ({ visitor }) => {
    await using listing = await startTestListing({ checkInterval: 3600 });
    await using servers = new Pingable();
    await servers.list(listing, { id: 1, serverName: "Apple", connectedUsers: 2 });
    const page = await visitor({ mayComplain: /WebSocket/ });
    {
      await using others = new Pingable();
      await others.list(listing, { id: 2, serverName: "Berry", connectedUsers: 1 });
      await openLive(page, listing.url);
    }
    assertEquals(await page.$$eval(".here", ({ length }) => length), 0, "none without being asked");
    await Promise.all([page.waitForNavigation(), page.click("#ping")]);
    await page.waitForFunction(() => document.querySelectorAll(".here").length === 2);
    const [apple, berry] = await page.$$eval(".here", (here) => here.map(({ textContent }) => textContent));
    assertMatch(apple ?? "", /^[0-9]+ ms here$/);
    assertEquals(berry, "no answer");
    assertEquals(new URL(page.url()).search, "?ping=here");
    await Promise.all([page.waitForNavigation(), page.click("#ping")]);
    assertEquals(new URL(page.url()).search, "");
    await page.waitForSelector('#state[data-state="live"]');
  },
);

testInBrowser(
  "a server's page has its words, its people and its way in, without script",
  async ({ visitor }) => {
    await using listing = await startTestListing();
    await using servers = new Pingable();
    const description = ATTACKS.join(" ").slice(0, 200);
    await servers.list(listing, { id: 7, serverName: ATTACKS[1]!.slice(0, 64), description, tags: ["go"] });
    const page = await openLive(await visitor(), listing.url);
    await Promise.all([page.waitForNavigation(), page.click("#rows .name")]);
    assertEquals(new URL(page.url()).pathname, "/servers/7");
    assertEquals(await page.$eval("h1 bdi", ({ textContent }) => textContent), ATTACKS[1]!.slice(0, 64));
    assertEquals(await page.$eval(".description", ({ textContent }) => textContent), description);
    assertEquals(await page.$$eval("main img, script, [onload]", ({ length }) => length), 0);
    const address = await page.$eval(".entrance code", ({ textContent }) => textContent);
    assertEquals(await page.$eval(".join", (link) => (link as HTMLAnchorElement).href), `http://${address}/`);
    await Promise.all([page.waitForNavigation(), page.click(".tags a")]);
    assertEquals(new URL(page.url()).pathname + new URL(page.url()).search, "/?tag=go");
    await page.waitForSelector('#state[data-state="live"]');
  },
);

testInBrowser(
  "the page is accessible: axe finds nothing serious, and no width needs sideways scrolling",
  async ({ visitor }) => {
    await using listing = await startTestListing();
    await using servers = new Pingable();
    const windows = [
      [await visitor({ size: PHONE }), ["light"], PHONE.width, 320],
      [await visitor({ size: DESK }), ["light", "dark"], DESK.width, 900, 768, 640],
    ] as const;
    const look = async (path: string) => {
      for (const [page, schemes, ...widths] of windows) {
        await resize(page, { width: widths[0] });
        await openLive(page, listing.url + path);
        assertEquals(await accessibilityFaults(page, schemes), [], `${path} at ${widths[0]}`);
        for (const width of widths) {
          await resize(page, { width });
          assert(await sidewaysOverflow(page) <= 0, `${path} at ${width}`);
        }
      }
    };
    await look("/");
    await servers.list(listing, {
      id: 1,
      serverName: "W".repeat(64),
      connectedUsers: 1_000_000,
      maxUsers: 1_000_000,
    });
    const description = "W".repeat(200);
    const tags = ["a", "b", "c", "d", "e"].map((letter) => letter.repeat(20));
    await servers.list(listing, {
      id: 2,
      serverName: "Pub",
      connectedUsers: 3,
      description,
      tags,
      language: "en",
    });
    await look("/?sort=name");
    for (const [page, schemes, ...widths] of windows) {
      await resize(page, { width: widths[0] });
      await page.goto(`${listing.url}/servers/2`);
      assertEquals(await accessibilityFaults(page, schemes), [], `a server at ${widths[0]}`);
      for (const width of widths) {
        await resize(page, { width });
        assert(await sidewaysOverflow(page) <= 0, `a server at ${width}`);
      }
    }
    const still = await openLive(await visitor({ reducedMotion: true }), listing.url);
    assertEquals(await still.$eval(".join", (join) => getComputedStyle(join).transitionDuration), "0s, 0s");
    await look("/?q=nothing");
  },
);

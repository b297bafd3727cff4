/**
 * Opening the store: what can be wrong with a place is one line that helps, and the default place of each platform.
 *
 * @module
 */
import {
  assert,
  assertEquals,
  assertFalse,
  assertMatch,
  assertRejects,
  assertStringIncludes,
} from "@std/assert";
import { claimLayout, defaultKvLocation, KvUnavailable, openKv } from "../src/kv/kv.ts";
import { inTempFolder } from "./support/temp_folder.ts";

Deno.test("openKv() opens memory and files, and a file keeps what was written", () =>
  inTempFolder(async (folder) => {
    for (const [location, kept] of [[":memory:", null], [`${folder}/chat.db`, "value"]] as const) {
      const first = await openKv(location);
      await first.set(["key"], "value");
      assertEquals((await first.get(["key"])).value, "value");
      first.close();
      const second = await openKv(location);
      assertEquals((await second.get(["key"])).value, kept);
      second.close();
    }
  }));

Deno.test("openKv() tells a place that cannot be a store by one line that names it and what to do", () =>
  inTempFolder(async (folder) => {
    await Deno.writeTextFile(`${folder}/regular`, "not a folder");
    await Deno.writeTextFile(`${folder}/garbage.db`, "this is no database, and never was one. ".repeat(500));
    for (const location of [folder, `${folder}/regular/chat.db`, `${folder}/garbage.db`]) {
      const error = await assertRejects(() => openKv(location), KvUnavailable, location);
      assertMatch(error.message, /^Cannot open the store at .+: .+ --kv .+, or :memory:$/);
      assertFalse(error.message.includes("\n"));
      assert(error.cause instanceof Error);
      const isGarbage = location.endsWith("garbage.db");
      assertEquals(error.message.includes("file is not a database. The file is damaged"), isGarbage);
    }
    assertStringIncludes(
      await Deno.readTextFile(`${folder}/garbage.db`),
      "this is no database",
      "left as it was",
    );
    assertEquals(await Deno.readTextFile(`${folder}/regular`), "not a folder");
  }));

Deno.test({
  name: "openKv() finds a file that may not be written now, and not at the first message",
  // The administrator may write everything.
  ignore: Deno.build.os === "windows" || Deno.uid() === 0,
  fn: () =>
    inTempFolder(async (folder) => {
      const kv = await openKv(`${folder}/chat.db`);
      kv.close();
      await Deno.chmod(`${folder}/chat.db`, 0o400);
      await Deno.chmod(folder, 0o500);
      try {
        await assertRejects(() => openKv(`${folder}/chat.db`), KvUnavailable);
      } finally {
        await Deno.chmod(folder, 0o700);
      }
    }),
});

Deno.test("claimLayout() marks a new store, and takes it again", () =>
  inTempFolder(async (folder) => {
    for (let start = 0; start < 2; start++) {
      using kv = await openKv(`${folder}/chat.db`);
      await claimLayout(kv, `${folder}/chat.db`, { role: "chat", version: 2 });
      assertEquals((await kv.get(["layout"])).value, { role: "chat", version: 2 });
      await kv.set(["server_id"], 1);
    }
  }));

Deno.test("claimLayout() marks a store of an earlier version that it reads as its own, and refuses an older one", async () => {
  using kv = await openKv(":memory:");
  const mine = { role: "chat", version: 4, readsFrom: 2 } as const;
  for (const [found, isTaken] of [[1, false], [2, true], [3, true], [4, true], [5, false]] as const) {
    await kv.set(["layout"], { role: "chat", version: found });
    if (isTaken) await claimLayout(kv, undefined, mine);
    else await assertRejects(() => claimLayout(kv, undefined, mine), KvUnavailable);
    assertEquals((await kv.get(["layout"])).value, { role: "chat", version: isTaken ? 4 : found });
  }
});

Deno.test("claimLayout() refuses what it cannot read by one line that helps, and writes nothing", async () => {
  const before = "A program from before the first release wrote it: give another store with --kv";
  const cases: [rows: [Deno.KvKey, unknown][], says: string][] = [
    [
      [[["layout"], { role: "listing", version: 2 }]],
      "it is the store of a listing, and each role needs its own",
    ],
    [
      [[["layout"], { role: "chat", version: 3 }]],
      "it has layout 3; this program knows layout 2. A newer program wrote it",
    ],
    [[[["layout"], { role: "chat", version: 1 }]], `it has layout 1; this program knows layout 2. ${before}`],
    [
      [[["message_count"], 5]],
      "it has data without a layout. Another program wrote it, or one from before",
    ],
    [[[["a"], 1], [["z"], 1]], "it has data without a layout"],
  ];
  for (const [rows, says] of cases) {
    using kv = await openKv(":memory:");
    for (const [key, value] of rows) await kv.set(key, value);
    const all = async () =>
      (await Array.fromAsync(kv.list({ prefix: [] }))).map(({ key, value }) => [key, value]);
    const found = await all();
    const { message } = await assertRejects(
      () => claimLayout(kv, "./x.db", { role: "chat", version: 2 }),
      KvUnavailable,
      `Cannot use the store at ./x.db: ${says}`,
    );
    assertMatch(message, /^[^\n]+: give another store with --kv$/);
    const attached = await assertRejects(() => claimLayout(kv, undefined, { role: "chat", version: 2 }));
    assertMatch((attached as Error).message, /^[^\n]+: assign another database to this app$/);
    assertEquals(await all(), found);
  }
});

Deno.test({
  name: "defaultKvLocation() is in the data folder that the platform names",
  ignore: Deno.build.os !== "linux",
  fn() {
    const cases: [Record<string, string>, string | undefined][] = [
      [{ HOME: "/home/a", XDG_DATA_HOME: "/data" }, "/data/chatter/chat.db"],
      [{ HOME: "/home/a" }, "/home/a/.local/share/chatter/chat.db"],
      [{ HOME: "/home/a", XDG_DATA_HOME: "" }, "/home/a/.local/share/chatter/chat.db"],
      [{ HOME: "/home/a", XDG_DATA_HOME: "relative" }, "/home/a/.local/share/chatter/chat.db"],
      [{ USERPROFILE: "/users/a" }, "/users/a/.local/share/chatter/chat.db"],
      [{}, "./.local/share/chatter/chat.db"],
      [{ HOME: "/home/a", DENO_DEPLOY: "true" }, undefined],
      [{ HOME: "/home/a", DENO_DEPLOYMENT_ID: "abc" }, undefined],
    ];
    for (const [env, location] of cases) {
      assertEquals(defaultKvLocation("chat", (name) => env[name]), location, JSON.stringify(env));
    }
    assertEquals(defaultKvLocation("listing", () => "/x"), undefined);
    assertEquals(
      defaultKvLocation("listing", (name) => name === "XDG_DATA_HOME" ? "/x" : undefined),
      "/x/chatter/listing.db",
    );
  },
});

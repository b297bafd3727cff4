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

Deno.test("openKv() makes the folder of the file, and the folders above it", () =>
  inTempFolder(async (folder) => {
    const kv = await openKv(`${folder}/not/there yet/chat.db`);
    kv.close();
    assert((await Deno.stat(`${folder}/not/there yet/chat.db`)).isFile);
  }));

Deno.test("openKv() tells a place that cannot be a store by one line that names it and what to do", () =>
  inTempFolder(async (folder) => {
    await Deno.writeTextFile(`${folder}/regular`, "not a folder");
    await Deno.writeTextFile(`${folder}/garbage.db`, "this is no database, and never was one. ".repeat(500));
    for (const location of [folder, `${folder}/regular/chat.db`, `${folder}/garbage.db`]) {
      const error = await assertRejects(() => openKv(location), KvUnavailable, location);
      assertMatch(error.message, /^Cannot open the store at .+: .+ --kv, or --kv :memory:$/);
      assertFalse(error.message.includes("\n"));
      assert(error.cause instanceof Error);
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

Deno.test("claimLayout() marks a new store, takes it again, and refuses another role's and a newer one's", () =>
  inTempFolder(async (folder) => {
    const location = `${folder}/chat.db`;
    const claim = async (role: "chat" | "listing", version: number) => {
      const kv = await openKv(location);
      try {
        await claimLayout(kv, location, { role, version });
      } finally {
        kv.close();
      }
    };
    await claim("chat", 1);
    await claim("chat", 1);
    await assertRejects(
      () => claim("listing", 1),
      KvUnavailable,
      "it is the store of a chat. Give each role",
    );
    await claim("chat", 2);
    await assertRejects(() => claim("chat", 1), KvUnavailable, "it has layout 2, and this chatter knows 1");
    await claim("chat", 2);
  }));

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

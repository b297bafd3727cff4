/**
 * Who can read a store on this machine: the modes of new and existing files and folders, and links in their place.
 *
 * @module
 */
import { assertEquals, assertRejects } from "@std/assert";
import { KvUnavailable, type Layout } from "../src/kv/kv.ts";
import { closeToOthers } from "../src/kv/own_files.ts";
import { openStore } from "../src/kv/store.ts";
import { startServer } from "./support/program.ts";
import { inTempFolder } from "./support/temp_folder.ts";

// Windows has no modes.
const ignore = Deno.build.os === "windows";
const LAYOUT: Layout = { role: "chat", version: 1 };

/** The modes of the paths below `folder`, and of itself, as `chat.db 600`. */
async function modesOf(folder: string): Promise<string[]> {
  const modes: string[] = [];
  for await (const { name } of Deno.readDir(folder)) {
    modes.push(`${name} ${await modeOf(`${folder}/${name}`)}`);
  }
  return modes.sort();
}

async function modeOf(path: string): Promise<string> {
  return (((await Deno.stat(path)).mode ?? 0) & 0o777).toString(8);
}

Deno.test({
  name: "no other user can read a new store, its lock, and the folders that were made for it",
  ignore,
  fn: () =>
    inTempFolder(async (folder) => {
      await Deno.chmod(folder, 0o755);
      for (const isShared of [false, true]) {
        const place = `${folder}/${isShared}/a`;
        await using _store = await openStore(`${place}/chat.db`, LAYOUT, { isShared });
        assertEquals([await modeOf(`${folder}/${isShared}`), await modeOf(place)], ["700", "700"]);
        const lock = isShared ? [] : ["chat.db.lock 600"];
        assertEquals(await modesOf(place), ["chat.db 600", "chat.db-shm 600", "chat.db-wal 600", ...lock]);
      }
      assertEquals(await modeOf(folder), "755", "a folder that was there may have other things");
    }),
});

Deno.test({
  name: "a start closes an existing store and the default folder to other users, and logs it once",
  ignore,
  fn: () =>
    inTempFolder(async (data) => {
      await Deno.chmod(data, 0o755);
      await Deno.mkdir(`${data}/chatter`);
      const path = `${data}/chatter/chat.db`;
      await (await openStore(path, LAYOUT, { isShared: false }))[Symbol.asyncDispose]();
      for (const open of [path, `${path}.lock`]) await Deno.chmod(open, 0o666);
      await Deno.remove(path);
      await Deno.writeTextFile(path, "", { mode: 0o644 });
      await Deno.chmod(`${data}/chatter`, 0o777);
      const closed = [`${data}/chatter`, path, `${path}-wal`, `${path}-shm`, `${path}.lock`];
      for (const expected of [closed, undefined]) {
        await using server = await startServer("chat", [], { CHATTER_KV: "", XDG_DATA_HOME: data });
        const logged = server.events.find(({ message }) => message === "store.closed_to_others");
        assertEquals([logged?.["level"], logged?.["paths"]], [expected && "INFO", expected]);
        const files = ["chat.db 600", "chat.db-shm 600", "chat.db-wal 600", "chat.db.lock 600"];
        assertEquals(await modesOf(`${data}/chatter`), files);
        assertEquals([await modeOf(`${data}/chatter`), await modeOf(data)], ["700", "755"]);
        server.kill("SIGTERM");
        await server.end();
      }
    }),
});

Deno.test({
  name: "a link to a store that is not there yet leads to one store with one lock",
  ignore,
  fn: () =>
    inTempFolder(async (folder) => {
      await Deno.mkdir(`${folder}/real`);
      await Deno.symlink(`${folder}/real/chat.db`, `${folder}/link.db`);
      const open = (name: string) => openStore(`${folder}/${name}`, LAYOUT, { isShared: false });
      await using _store = await open("link.db");
      assertEquals((await modesOf(`${folder}/real`)).at(-1), "chat.db.lock 600");
      for (const name of ["link.db", "real/chat.db"]) {
        await assertRejects(() => open(name), KvUnavailable, "has it open");
      }
    }),
});

Deno.test("a file that is not there is no failure", async () => {
  assertEquals(await closeToOthers(["/nowhere/chat.db"]), []);
});

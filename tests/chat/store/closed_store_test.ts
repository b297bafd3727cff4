/**
 * The store of a chat server that does not run, opened by a command: it is closed however the command ends.
 *
 * @module
 */
import { assertEquals, assertRejects } from "@std/assert";
import { DatabaseSync } from "node:sqlite";
import { openChatStore } from "../../../chat/mod.ts";
import { inTempFolder } from "../../support/temp_folder.ts";

Deno.test("a store that is leased is given back with its lease", () =>
  inTempFolder(async (folder) => {
    // As if it were the KV of Deno Deploy.
    const variable = "DENO_KV_DEFAULT_PATH";
    Deno.env.set(variable, `${folder}/attached.db`);
    try {
      const store = await openChatStore(undefined);
      await store[Symbol.asyncDispose]();
      using kv = await Deno.openKv();
      assertEquals((await kv.get(["lease", "holder"])).value, null);
    } finally {
      Deno.env.delete(variable);
    }
  }));

Deno.test("a store that cannot be used after it was opened is given back at once", () =>
  inTempFolder(async (folder) => {
    const path = `${folder}/chat.db`;
    (await Deno.openKv(path)).close();
    const execute = (sql: string) => {
      const database = new DatabaseSync(path);
      database.exec(sql);
      database.close();
    };
    // In the encoding of Deno KV: `server_id` is the first row written after the store was opened.
    execute(
      "create trigger full before insert on kv when hex(new.k) = '02' || hex('server_id') || '00' " +
        "begin select raise(abort, 'database or disk is full'); end",
    );
    await assertRejects(() => openChatStore(path), Error, "disk is full");
    execute("drop trigger full");
    await using store = await openChatStore(path);
    assertEquals((await store.describe()).role, "chat");
  }));

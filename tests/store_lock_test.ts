/**
 * The lock of a store within one process. That it keeps other processes out is shown with whole servers, by
 * tests/e2e.
 *
 * @module
 */
import { assertEquals, assertRejects } from "@std/assert";
import { lockStore, StoreInUse } from "../src/kv/file_lock.ts";
import { inTempFolder } from "./support/temp_folder.ts";

Deno.test("a lock is refused while it is held, and says by whom", () =>
  inTempFolder(async (folder) => {
    using _lock = await lockStore(`${folder}/chat.db`);
    const refused = await assertRejects(() => lockStore(`${folder}/chat.db`), StoreInUse);
    assertEquals(refused.holder, Deno.pid);
  }));

/** Starts programs for as long as it is not terminated. */
const STARTING = `
  postMessage("starting");
  for (;;) await new Deno.Command(Deno.execPath(), { args: ["--version"], stdout: "null" }).output();
`;

Deno.test("a lock that is given back can be taken at once, although another thread is starting a program", () =>
  inTempFolder(async (folder) => {
    const source = URL.createObjectURL(new Blob([STARTING], { type: "text/javascript" }));
    const starter = new Worker(source, { type: "module" });
    try {
      await new Promise((resolve) => starter.onmessage = resolve);
      // Merely closed, some two in ten were refused.
      for (let time = 0; time < 100; time++) (await lockStore(`${folder}/chat.db`))[Symbol.dispose]();
    } finally {
      starter.terminate();
      URL.revokeObjectURL(source);
    }
  }));

/**
 * The program itself under `faketime`, whose clock jumps while it runs and is wrong at a start. Skipped where faketime is
 * not installed; tests/chat/clock_test.ts has the same by the port to the clock.
 *
 * @module
 */
import { assertEquals } from "@std/assert";
import { extractTimestamp } from "@std/uuid/v7";
import { ChatClient } from "../support/chat_client.ts";
import { runProgram, startServer } from "../support/program.ts";
import { inTempFolder } from "../support/temp_folder.ts";
import { sayMissing } from "./tool_path.ts";

const DAY_MS = 86_400_000;

/** The library that `faketime` loads, in the folder of the machine's architecture. */
function fakeTime(): string | undefined {
  try {
    for (const { name } of Deno.readDirSync("/usr/lib")) {
      const path = `/usr/lib/${name}/faketime/libfaketime.so.1`;
      if (Deno.statSync(`/usr/lib/${name}`).isDirectory && isThere(path)) return path;
    }
  } catch {
    // Not a system with such folders.
  }
  sayMissing("faketime");
  return undefined;
}

function isThere(path: string): boolean {
  try {
    return Deno.statSync(path).isFile;
  } catch {
    return false;
  }
}

const LIBRARY = fakeTime();

/** Each message with the days by which its receipt and its id are ahead of now. */
async function history(client: ChatClient): Promise<[text: string, received: number, id: number][]> {
  await client.drain();
  const answer = await client.ask("c2/QUERY history");
  const page: { uuid: string; message: string; received: number }[] = JSON.parse(
    answer.slice("c2/ACKNOWLEDGE ".length),
  );
  const days = (ms: number) => Math.round((ms - Date.now()) / DAY_MS);
  return page.map(({ message, received, uuid }) => [message, days(received), days(extractTimestamp(uuid))]);
}

Deno.test({
  name:
    "a server whose clock jumps under faketime has the right times again, loses nothing, and is exported and imported",
  ignore: LIBRARY === undefined,
  fn: () =>
    inTempFolder(async (folder) => {
      const clock = `${folder}/clock`;
      const set = (offset: string) => Deno.writeTextFileSync(clock, `${offset}\n`);
      const variables = {
        CHATTER_KV: `${folder}/chat.db`,
        LD_PRELOAD: LIBRARY!,
        FAKETIME_TIMESTAMP_FILE: clock,
        FAKETIME_NO_CACHE: "1",
        FAKETIME_DONT_FAKE_MONOTONIC: "1",
      };
      const expected: [string, number, number][] = [];
      set("+0");
      {
        await using server = await startServer("chat", [], variables);
        await using alice = await ChatClient.connect(server.url, "alice");
        for (
          const [offset, days, ahead] of [["+0", 0, 0], ["+400d", 400, 400], ["-1d", -1, 400], [
            "+0",
            0,
            400,
          ]] as const
        ) {
          set(offset);
          await alice.say(offset);
          expected.push([offset, days, ahead]);
        }
        assertEquals(await history(alice), expected);
      }
      for (const days of [100, 400]) {
        set(`+${days}d`);
        await using server = await startServer("chat", [], variables);
        assertEquals((await server.event("history.sweep_delayed"))["aheadDays"], days);
        await using alice = await ChatClient.connect(server.url, "alice");
        assertEquals(await history(alice), expected);
      }
      const file = `${folder}/chat.jsonl`;
      const exported = await runProgram(["export", file, "--kv", `${folder}/chat.db`], variables);
      assertEquals(exported.stderr, "Exported 4 messages.\n");
      set("-400d");
      const imported = await runProgram(["import", file, "--kv", `${folder}/copy.db`], variables);
      assertEquals(imported.stdout, "Rows taken: 4, skipped: 0.\n");
      set("+0");
      await using server = await startServer("chat", [], { ...variables, CHATTER_KV: `${folder}/copy.db` });
      await using alice = await ChatClient.connect(server.url, "alice");
      assertEquals(await history(alice), expected);
    }),
});

/**
 * What `chatter import` says of a file that is not what it should be, and what it had taken of it by then.
 *
 * Exports and imports that succeed are tests/e2e/transfer_test.ts's.
 *
 * @module
 */
import { assert, assertEquals } from "@std/assert";
import { openChatStore } from "../../chat/mod.ts";
import { parseCommandLine } from "../../src/cli/command_line.ts";
import type { Outcome } from "../../terminal/problem.ts";
import { runImport } from "../../terminal/transfer_command.ts";
import { inTempFolder } from "../support/temp_folder.ts";

async function imported(file: string, store: string): Promise<Outcome> {
  const line = parseCommandLine(["import", file, "--kv", store], { env: () => undefined, isTerminal: false });
  assert(line.kind === "import", JSON.stringify(line));
  return await runImport(line, {
    openStore: (place) => openChatStore(place),
    explain: () => undefined,
    stdout: () => Promise.resolve(),
    stdin: new ReadableStream(),
  });
}

Deno.test("a file that is wrong says where and what was taken before", async () => {
  await inTempFolder(async (folder) => {
    const file = `${folder}/x.jsonl`;
    const header = { chatter: "export", version: 1, role: "chat", layout: 2, serverId: 1 };
    const row = (n: number, more: object = {}) => ({
      kind: "message",
      uuid: `019b7c2d-3400-7000-8000-${String(n).padStart(12, "0")}`,
      author: "a",
      username: "alice",
      timestamp: "1",
      text: `${n}`,
      edited: false,
      ...more,
    });
    const ban = {
      kind: "ban",
      id: crypto.randomUUID(),
      name: "eve",
      address: null,
      message: "m",
      createdAt: 1,
      endsAt: 5e15,
    };
    const end = (rows: number) => ({ kind: "end", rows });
    const cases: [unknown[], string][] = [
      [[], ": it is empty"],
      [["nothing"], ":1: this is not the first line of an export"],
      [[{ ...header, version: 2 }], ":1: it has version 2, and this chatter knows 1: use the newer one"],
      [
        [header, row(1), row(2)],
        ": it is not whole: it has no end, and 2 came. Rows taken: 2, skipped: 0.",
      ],
      [
        [header, row(1), end(2)],
        ": it is not whole: its end tells of 2 rows, and 1 came. Rows taken: 0, skipped: 1.",
      ],
      [[header, row(1), 5], ":3: this is no row"],
      [[header, end(0), row(1)], ":3: there is more after the end"],
      [
        [header, row(3), ban, { ...ban, name: 5 }, end(3)],
        ":4: name: Invalid input: expected string, received number. " +
        "Nothing was taken from line 3 on. Rows taken: 1, skipped: 0.",
      ],
      [
        [header, row(4), row(5, { text: "x".repeat(20_000) })],
        ":3: text: at most 15000 characters are allowed, by " +
        "--max-message-length. Nothing was taken from line 2 on. Rows taken: 0, skipped: 0.",
      ],
      [[header, row(1, { text: "x".repeat(300_000) })], ":2: the line is longer than any row is"],
    ];
    for (const [lines, says] of cases) {
      await Deno.writeTextFile(file, lines.map((line) => JSON.stringify(line) + "\n").join(""));
      assertEquals(await imported(file, `${folder}/x.db`), { problem: file + says });
    }
  });
});

/**
 * How `chatter import` reads a file: its batches, and its messages for invalid files; and an export that cannot be
 * written. Exports and imports that succeed are tested in tests/e2e/transfer_test.ts.
 *
 * @module
 */
import { assert, assertEquals, assertStringIncludes } from "@std/assert";
import { openChatStore } from "../../chat/mod.ts";
import { parse } from "../support/command_line.ts";
import { BATCH_ROWS_MAX, BATCH_UNITS_MAX } from "../../src/kv/transfer.ts";
import type { CommandOutcome } from "../../terminal/problem.ts";
import { importLines } from "../../terminal/import_lines.ts";
import { runExport, runImport } from "../../terminal/transfer_command.ts";
import { inTempFolder } from "../support/temp_folder.ts";

const AROUND = {
  openStore: (place: string) => openChatStore(place),
  explain: () => undefined,
  stdout: () => Promise.reject(new Error("No space left on device (os error 28)")),
  stdin: new ReadableStream(),
};

async function imported(file: string, store: string): Promise<CommandOutcome> {
  const line = parse(["import", file, "--kv", store]);
  assert(line.kind === "import", JSON.stringify(line));
  return await runImport(line, AROUND);
}

Deno.test("an export that cannot be written is named, and leaves no file", async () => {
  await inTempFolder(async (folder) => {
    const exported = async (file: string) => {
      const line = parse(["export", file, "--kv", ":memory:"]);
      assert(line.kind === "export", JSON.stringify(line));
      return await runExport(line, AROUND);
    };
    assertEquals(await exported("-"), {
      problem: "Cannot write stdout: No space left on device (os error 28)",
    });
    // A folder cannot be replaced by the finished file.
    await Deno.mkdir(`${folder}/taken/inner`, { recursive: true });
    const taken = await exported(`${folder}/taken`);
    assertStringIncludes("problem" in taken ? taken.problem : "", `Cannot write ${folder}/taken: `);
    const left = await Array.fromAsync(Deno.readDir(folder), ({ name }) => name);
    assertEquals(left, ["taken"]);
  });
});

Deno.test("a file that cannot be opened is named", async () => {
  await inTempFolder(async (folder) => {
    const missing = await imported(`${folder}/x`, ":memory:");
    assertStringIncludes(
      "problem" in missing ? missing.problem : "",
      `Cannot open ${folder}/x: No such file`,
    );
    assertEquals(await imported(folder, ":memory:"), { problem: `Cannot open ${folder}: it is a folder` });
  });
});

Deno.test("a file that is wrong says where and what was taken before", async () => {
  await inTempFolder(async (folder) => {
    const file = `${folder}/x.jsonl`;
    const header = { chatter: "export", version: 2, role: "chat", layout: 3, serverId: 1 };
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
      [[], ": the file is empty"],
      [["nothing"], ":1: the line is not the first line of an export"],
      [
        [{ ...header, version: 3 }],
        ":1: the file has version 3; this program knows version 2: use the newer program",
      ],
      [
        [header, row(1), row(2)],
        ": the file is incomplete: its last line is missing; rows read: 2. Rows taken: 2, skipped: 0.",
      ],
      [
        [header, row(1), end(2)],
        ": the file is incomplete: its last line counts 2; rows read: 1. Rows taken: 1, skipped: 0.",
      ],
      [
        [header, row(2), row(1)],
        ":3: uuid: messages must be in the order of their ids. " +
        "Nothing was taken from line 2 on. Rows taken: 0, skipped: 0.",
      ],
      [[header, row(1), 5], ":3: the line is not a row"],
      [[header, end(0), row(1)], ":3: there are more lines after the end"],
      [
        [header, row(3), ban, { ...ban, name: 5 }, end(3)],
        ":4: name: Invalid input: expected string, received number. " +
        "Nothing was taken from line 3 on. Rows taken: 1, skipped: 0.",
      ],
      [
        [header, row(4), row(5, { text: "x".repeat(20_000) })],
        ":3: text: at most 15000 characters are allowed. " +
        "Nothing was taken from line 2 on. Rows taken: 0, skipped: 0.",
      ],
      [[header, row(1, { text: "x".repeat(300_000) })], ":2: the line is too long for a row"],
    ];
    for (const [lines, says] of cases) {
      await Deno.writeTextFile(file, lines.map((line) => JSON.stringify(line) + "\n").join(""));
      assertEquals(await imported(file, ":memory:"), { problem: file + says });
    }
  });
});

Deno.test("a row of a file steers no terminal by what its problem quotes", async () => {
  const lines = ReadableStream.from([
    JSON.stringify({ chatter: "export", version: 1, role: "chat" }),
    JSON.stringify({ kind: "ban" }),
  ]);
  const accept = () => Promise.resolve({ problem: 'no key "\x1b[2J\u202e" is allowed', row: 0 });
  const came = await importLines("x", lines, () => Promise.resolve({ accept }));
  assertStringIncludes("problem" in came ? came.problem : "", 'x:2: no key "\\u{1b}[2J\\u{202e}" is allowed');
});

Deno.test("rows are handed over in batches of one kind, no more than a commit takes", async () => {
  const batches: string[] = [];
  const take = (rows: readonly unknown[]) => {
    batches.push(`${rows.length} ${(rows[0] as { kind: string }).kind}`);
    return Promise.resolve({ taken: rows.length, skipped: 0 });
  };
  const short = JSON.stringify({ kind: "a" });
  // Four of them have the largest number of UTF-16 units of a batch.
  const empty = JSON.stringify({ kind: "b", text: "" });
  const long = JSON.stringify({ kind: "b", text: "語".repeat(BATCH_UNITS_MAX / 4 - empty.length) });
  const lines = [
    JSON.stringify({ chatter: "export", version: 1, role: "chat" }),
    ...Array(BATCH_ROWS_MAX + 1).fill(short),
    ...Array(5).fill(long),
    short,
    JSON.stringify({ kind: "end", rows: BATCH_ROWS_MAX + 7 }),
  ];
  const came = await importLines("x", ReadableStream.from(lines), () => Promise.resolve({ accept: take }));
  assertEquals(came, { output: `Rows taken: ${BATCH_ROWS_MAX + 7}, skipped: 0.\n` });
  assertEquals(batches, [`${BATCH_ROWS_MAX} a`, "1 a", "4 b", "1 b", "1 a"]);
});

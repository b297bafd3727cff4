/**
 * The writing rules of CONTRIBUTING.md that can be counted: idioms in program and documents, and the length of
 * sentences in documents and in texts that users see.
 *
 * @module
 */
import { assertEquals, assertGreater } from "@std/assert";
import { ADMIN_REFUSALS } from "../chat/admin/refusals.ts";
import { ChatMeters } from "../chat/meters.ts";
import { ListingMeters } from "../listing/meters.ts";
import { REFUSALS } from "../listing/refusals.ts";
import { LISTING_LIMITS } from "../src/announcement/listing_limits.ts";
import { COMMAND_NAMES, COMMANDS } from "../src/cli/commands.ts";
import type { AnyFlag } from "../src/cli/flag.ts";
import { LOG_EVENTS } from "../src/logging/log_events.ts";
import { FAULTS } from "../src/protocol/faults.ts";
import { type Limit, LIMITS } from "../src/protocol/limits.ts";
import { documentPaths, readDocument } from "./support/documents.ts";
import { IDIOMS, idiomsIn, sentencesOf, wordsOf } from "./support/prose.ts";
import { SYNTAXES } from "./support/command_line.ts";

const ROOT = new URL("../", import.meta.url);
/** Folders of the program and of what comes with it. */
const FOLDERS = ["src/", "chat/", "listing/", "terminal/", "tools/", "bench/", "packages/"];
const DOCUMENT_WORDS_MAX = 40;
const TEXT_WORDS_MAX = 30;

async function filesIn(folder: string): Promise<string[]> {
  const files: string[] = [];
  for await (const { name, isDirectory } of Deno.readDir(new URL(folder, ROOT))) {
    if (name === "node_modules") continue;
    if (isDirectory) files.push(...await filesIn(`${folder}${name}/`));
    else if (/\.(?:ts|mjs|c|h|html|css|ya?ml|service|conf)$|^(?:Caddy|Docker)file$/.test(name)) {
      files.push(folder + name);
    }
  }
  return files;
}

const documents = await Promise.all(
  (await documentPaths()).map(async (path) => ({ path, text: await readDocument(path) })),
);

Deno.test("the program and the documents use none of the listed idioms", async () => {
  const programs = ["main.ts", "deno.json", ...(await Promise.all(FOLDERS.map(filesIn))).flat()];
  const found: string[] = [];
  for (const path of programs) {
    found.push(...idiomsIn(await Deno.readTextFile(new URL(path, ROOT))).map((hit) => `${path}:${hit}`));
  }
  for (const { path, text } of documents) {
    // The list itself names them.
    const own = path === "CONTRIBUTING.md" ? text.replace(/^\| idiom .*\n(?:\|.*\n)+/m, "") : text;
    found.push(...idiomsIn(own).map((hit) => `${path}:${hit}`));
  }
  assertGreater(programs.length, 200);
  assertEquals(found, []);
});

Deno.test("CONTRIBUTING.md lists every idiom", () => {
  const { text } = documents.find(({ path }) => path === "CONTRIBUTING.md")!;
  const [table = ""] = /^\| idiom .*\n(?:\|.*\n)+/m.exec(text) ?? [];
  const rows = table.trim().split("\n").slice(2).map((row) => row.split("|")[1]!.trim());
  assertEquals(rows, IDIOMS.map(([shown]) => shown));
  for (const [shown, pattern] of IDIOMS) {
    assertEquals(shown.split(", ").filter((idiom) => !new RegExp(pattern, "i").test(idiom)), []);
  }
});

Deno.test("no sentence of a document has more than 40 words", () => {
  const long = documents.flatMap(({ path, text }) =>
    sentencesOf(text).filter((sentence) => wordsOf(sentence) > DOCUMENT_WORDS_MAX)
      .map((sentence) => `${path} (${wordsOf(sentence)}): ${sentence}`)
  );
  assertEquals(long, []);
});

Deno.test("no sentence of a text that users see has more than 30 words", () => {
  const texts = [
    ...Object.values(FAULTS),
    ...Object.values(REFUSALS).map(({ text }) => text),
    ...Object.values(ADMIN_REFUSALS).map(({ text }) => text),
    ...Object.values(LOG_EVENTS).map(({ about }) => about),
    ...[...new ChatMeters().metrics, ...new ListingMeters().metrics].map(({ help }) => help),
    ...[LIMITS, LISTING_LIMITS].flatMap((table) => Object.values<Limit>(table))
      .flatMap(({ description, reason }) => [description, reason]),
    ...COMMAND_NAMES.map((name) => COMMANDS[name].details),
    ...SYNTAXES.flatMap(({ description, operand, flags }) => [
      description,
      ...[...Object.values(flags), ...(operand === undefined ? [] : [operand])].flatMap(textsOf),
    ]),
  ];
  const long = texts.flatMap(sentencesOf).filter((sentence) => wordsOf(sentence) > TEXT_WORDS_MAX);
  assertGreater(texts.length, 200);
  assertEquals(long, []);
});

function textsOf({ description, expected, defaultText = "" }: AnyFlag): string[] {
  return [description, expected, defaultText];
}

Deno.test("an idiom is found as whole words, over line breaks too, and not in a name of data", () => {
  assertEquals(idiomsIn("a\nNobody knows  of it, whoever\nstood"), [
    "2: whoever",
    "3: stood",
    "2: Nobody",
    "2: knows  of",
  ]);
  assertEquals(idiomsIn(" * It is put\n * out, or at\n * the most"), [
    "2: at\n * the most",
    "1: put\n * out",
  ]);
  assertEquals(idiomsIn("puts bob out, puts out; hear it"), ["1: puts bob out", "1: puts out", "1: hear"]);
  assertEquals(idiomsIn('understood, toldYou, `["told", 5]`, output, heard, best, at most'), []);
});

Deno.test("sentences end at a full stop before a capital, and at the end of a cell, an item or a paragraph", () => {
  const text = "# A head\n\nOne, e.g. this.\nTwo `a. B` [x. Y](z)! Three:\n\n- four\n- five\n  six\n\n" +
    "```sh\nno. Sentence\n```\n\n| a | b |\n| --- | --- |\n| seven | eight. Nine |\n\n<!-- no -->\n\n1. ten\n2. eleven\n";
  assertEquals(sentencesOf(text), [
    "A head",
    "One, e.g. this.",
    "Two X x.",
    "Y!",
    "Three:",
    "four",
    "five six",
    "a",
    "b",
    "seven",
    "eight.",
    "Nine",
    "ten",
    "eleven",
  ]);
  assertEquals(wordsOf("Two x – x. Y!"), 4);
});

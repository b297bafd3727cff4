/**
 * Which names complete a mention, and in which order.
 *
 * @module
 */
import { assertEquals } from "@std/assert";
import { foldName } from "../../../src/protocol/names.ts";
import { completionOf } from "../../../chat/web/composer/name_completion.ts";

const NAMES = ["alice", "Bob", "Bob B.", "Zoë", "日本語", "straße"];

function username(shown: string) {
  return { shown, folded: foldName(shown) };
}

function complete(before: string, recent: readonly string[] = []) {
  return completionOf(before, () => NAMES.map(username), () => recent);
}

Deno.test("an @ after a blank, at the start or after punctuation begins a name, in any case and script", () => {
  const cases: [before: string, from: number, ...names: string[]][] = [
    ["@", 0, ...NAMES],
    ["hi @b", 3, "Bob", "Bob B."],
    ["hi\n(@BOB", 4, "Bob", "Bob B."],
    ["@Bob ", 0, "Bob B."],
    ["@Bob b", 0, "Bob B."],
    ["@STRASSE", 0, "straße"],
    ["@zoe\u0308", 0, "Zoë"],
    ["@zoe", 0, "Zoë"],
    ["@日", 0, "日本語"],
    ["@bob and @a", 9, "alice"],
  ];
  for (const [before, from, ...names] of cases) assertEquals(complete(before), { from, names }, before);
});

Deno.test("what is no mention, and a name that is typed out, complete nothing", () => {
  for (
    const before of ["", "bob", "me@bob", "ü.x@b", "@zöe", "@bob\n", "@bob, ", "@alice", "@@", "@日本語"]
  ) {
    const names = complete(before)?.names;
    assertEquals(names, before === "@@" ? NAMES : undefined, before);
  }
});

Deno.test("the name as it is typed is first, then those who spoke last", () => {
  assertEquals(complete("@", ["Zoë", "gone", "Bob"])?.names, [
    "Zoë",
    "Bob",
    "alice",
    "Bob B.",
    "日本語",
    "straße",
  ]);
  assertEquals(complete("@Bob", ["Bob B."])?.names, ["Bob", "Bob B."]);
});

Deno.test("at most eight names are shown", () => {
  const names = Array.from({ length: 10_000 }, (_, n) => `user ${n}`);
  assertEquals(completionOf("@u", () => names.map(username), () => ["user 9999"])?.names, [
    "user 9999",
    ...names.slice(0, 7),
  ]);
});

/**
 * The meaning of a typed line, and what Tab completes.
 *
 * @module
 */
import { assert, assertEquals, assertMatch } from "@std/assert";
import {
  completionOf,
  HELP,
  HISTORY_DEFAULT,
  HISTORY_MAX,
  readCommand,
} from "../../terminal/screen/slash_commands.ts";

Deno.test("a line is said as it is, and begins with a slash where it has two", () => {
  assertEquals(readCommand("hello  "), { kind: "say", text: "hello  " });
  assertEquals(readCommand("one\n/two"), { kind: "say", text: "one\n/two" });
  assertEquals(readCommand("//etc/passwd"), { kind: "say", text: "/etc/passwd" });
  for (const blank of ["", "  ", "\n"]) assertEquals(readCommand(blank), { kind: "nothing" });
});

Deno.test("commands are read with their arguments", () => {
  const cases: [string, object][] = [
    ["/nick Bob B.", { kind: "nick", name: "Bob B." }],
    ["/nick  Zoe\u0308 ", { kind: "nick", name: "Zoë" }],
    ["/users", { kind: "users" }],
    ["/edit", { kind: "edit", back: 0, text: undefined }],
    ["/edit  new text ", { kind: "edit", back: 0, text: "new text " }],
    ["/delete", { kind: "delete", back: 0 }],
    ["/delete 3", { kind: "delete", back: 2 }],
    ["/history", { kind: "history", count: HISTORY_DEFAULT }],
    [`/history ${HISTORY_MAX}`, { kind: "history", count: HISTORY_MAX }],
    ["/help", { kind: "help" }],
    ["/quit ", { kind: "quit" }],
    ["/resend", { kind: "resend" }],
    ["/discard", { kind: "discard" }],
  ];
  for (const [line, command] of cases) assertEquals({ ...readCommand(line) }, command, line);
});

Deno.test("an unknown or incomplete command is answered with the nearest or allowed form", () => {
  const cases: [string, RegExp][] = [
    ["/qiut", /^There is no \/qiut; did you mean \/quit\?/],
    ["/h", /did you mean \/history\?/],
    ["/", /^There is no \/;/],
    ["/constructor", /^There is no \/constructor;/],
    ["/nick", /^A name is 1 to 32 /],
    ["/nick a;b", /^A name is 1 to 32 /],
    ["/users now", /^\/users takes nothing/],
    ["/delete 0", /^\/delete takes a number/],
    [`/history ${HISTORY_MAX + 1}`, /^\/history takes a number from 1 to 200/],
    ["/history x", /^\/history takes a number/],
  ];
  for (const [line, says] of cases) {
    const command = readCommand(line);
    assert(command.kind === "problem", line);
    assertMatch(command.text, says, line);
  }
});

Deno.test("every command that /help tells is one", () => {
  const words = HELP.flatMap((row) => /^\/([a-z]+)/.exec(row)?.[1] ?? []);
  assert(words.length > 5);
  for (const word of words) {
    const command = readCommand(`/${word}`);
    assert(command.kind !== "problem" || !command.text.startsWith("There is no"), word);
  }
});

Deno.test("a tab completes commands at the line's start, and names wherever a word begins", () => {
  const names = ["alice", "Alina", "Bob B.", "日本"];
  const options = (before: string) => completionOf(before, names)?.options;
  assertEquals(options("/h"), ["/history ", "/help "]);
  assertEquals(options("/x"), undefined);
  assertEquals(options("al"), ["alice: ", "Alina: "]);
  assertEquals(completionOf("hi AL", names), { from: 3, options: ["alice ", "Alina "] });
  assertEquals(completionOf("hi bob b", names), { from: 3, options: ["Bob B. "] });
  assertEquals(options("日"), ["日本: "]);
  assertEquals(options("hi "), undefined);
  assertEquals(options("unknown"), undefined);
});

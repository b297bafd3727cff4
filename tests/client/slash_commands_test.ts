/**
 * The meaning of a typed line, and what Tab completes in the terminal.
 *
 * @module
 */
import { assert, assertEquals, assertMatch } from "@std/assert";
import { carryOut, type LineActions } from "../../chat/web/composer/typed_line.ts";
import { HELP, HISTORY_DEFAULT, HISTORY_MAX, readCommand, WORDS } from "../../src/client/slash_commands.ts";
import { rosterWords } from "../../src/client/roster_words.ts";
import { completionOf } from "../../terminal/screen/line_completion.ts";
import { nearSpelling } from "../../src/near_spelling.ts";

Deno.test("a line is said as it is, and begins with a slash where it has two", () => {
  assertEquals(readCommand("hello  "), { kind: "say", text: "hello  " });
  assertEquals(readCommand("one\n/two"), { kind: "say", text: "one\n/two" });
  assertEquals(readCommand("//etc/passwd"), { kind: "say", text: "/etc/passwd" });
  for (const blank of ["", "  ", "\n"]) assertEquals(readCommand(blank), { kind: "nothing" });
});

Deno.test("commands are read with their arguments", () => {
  const cases: [string, object][] = [
    ["/nick Bob B.", { kind: "nick", name: "Bob B." }],
    ["/nick", { kind: "nick", name: "" }],
    ["/qiut", { kind: "unknown", word: "qiut" }],
    ["/constructor", { kind: "unknown", word: "constructor" }],
    ["/", { kind: "unknown", word: "" }],
    ["/users", { kind: "users" }],
    ["/edit", { kind: "edit", back: 0, text: undefined }],
    ["/edit  new text ", { kind: "edit", back: 0, text: "new text " }],
    ["/delete", { kind: "delete", back: 0 }],
    ["/delete 3", { kind: "delete", back: 2 }],
    ["/search green  tea", { kind: "search", words: "green  tea" }],
    ["/search", { kind: "search", words: "" }],
    ["/history", { kind: "history", count: HISTORY_DEFAULT }],
    [`/history ${HISTORY_MAX}`, { kind: "history", count: HISTORY_MAX }],
    ["/me  waves ", { kind: "say", text: "/me waves" }],
    ["/reply @bob yes", { kind: "reply", text: "@bob yes" }],
    ["/bell on", { kind: "bell", isOn: true }],
    ["/bell off", { kind: "bell", isOn: false }],
    ["/help", { kind: "help" }],
    ["/quit ", { kind: "quit" }],
    ["/resend", { kind: "resend" }],
    ["/discard", { kind: "discard" }],
  ];
  for (const [line, command] of cases) assertEquals({ ...readCommand(line) }, command, line);
});

Deno.test("an incomplete command is answered with the form that is allowed", () => {
  const cases: [string, RegExp][] = [
    ["/users now", /^\/users takes nothing/],
    ["/delete 0", /^\/delete takes a number/],
    [`/history ${HISTORY_MAX + 1}`, /^\/history takes a number from 1 to 200/],
    ["/me", /^\/me takes what you do/],
    ["/reply ", /^\/reply takes your answer/],
    ["/bell", /^\/bell takes on or off/],
    ["/history x", /^\/history takes a number/],
  ];
  for (const [line, says] of cases) {
    const command = readCommand(line);
    assert(command.kind === "problem", line);
    assertMatch(command.text, says, line);
  }
});

Deno.test("every command that /help shows is one", () => {
  assert(HELP.length > 5);
  for (const { usage } of HELP) {
    const [word = ""] = usage.split(" ");
    assert(readCommand(word).kind !== "unknown", usage);
  }
});

Deno.test("a mistyped command is answered with the nearest one, if one is near", () => {
  const cases = [["qiut", "quit"], ["h", "history"], ["nickname", "nick"], ["", undefined], [
    "foo",
    undefined,
  ]];
  for (const [word, meant] of cases) assertEquals(nearSpelling(word!, WORDS), meant);
});

Deno.test("the page's field carries out the commands of the terminal, and keeps a line that it cannot", () => {
  const cases: [line: string, done: unknown[], problem: RegExp | undefined][] = [
    ["hello", ["say hello"], undefined],
    ["//shrug", ["say /shrug"], undefined],
    ["/nick Bob B.", ["rename Bob B."], undefined],
    ["/nick a;b", [], /; is not/],
    ["/nick", [], /^Enter a name/],
    ["/users", ["showUsers "], undefined],
    ["/edit", ["editLast "], undefined],
    ["/edit better", ["editLast better"], undefined],
    ["/delete 2", ["removeLast 1"], undefined],
    ["/delete x", [], /takes a number/],
    ["/history 50", ["readOlder 50"], undefined],
    ["/search green  tea", ["search green  tea"], undefined],
    ["/search", ["search "], undefined],
    ["/me waves", ["say /me waves"], undefined],
    ["/reply yes", [], /choose Reply/],
    ["/reply", [], /choose Reply/],
    ["/bell off", [], /With a sound/],
    ["/bell", [], /With a sound/],
    ["/replys", [], /^There is no \/replys\. /],
    ["/resend", ["settleFailed true"], undefined],
    ["/discard", ["settleFailed false"], undefined],
    ["/quit", ["leave "], undefined],
    ["/join #den", [], /^There is no \/join\. \/help lists/],
    ["  ", [], undefined],
  ];
  for (const [line, done, problem] of cases) {
    const seen: string[] = [];
    const said = carryOut(line, recording(seen, true));
    assertEquals(seen, done, line);
    if (problem === undefined) assertEquals(said, undefined, line);
    else assertMatch(said ?? "", problem, line);
  }
  const notes: string[] = [];
  carryOut("/help", recording(notes, true));
  assertEquals(notes.length, HELP.length - 1, "one for //, and none for what the page has buttons for");
  for (const line of ["/edit", "/delete", "/resend", "/discard"]) {
    assertMatch(carryOut(line, recording([], false)) ?? "", /^(You have|There is) no message/, line);
  }
  assertEquals(carryOut("/history", recording([], false)), "There are no older messages.");
});

Deno.test("while a message waits to be sent, the page changes and deletes no older one", () => {
  for (const line of ["/edit", "/edit better", "/delete", "/delete 2"]) {
    const seen: string[] = [];
    assertEquals(carryOut(line, recording(seen, true, true)), "Your last message is not sent yet.", line);
    assertEquals(seen, [], line);
  }
});

Deno.test("/users is answered with who is here and who is away, 100 names at most of each", () => {
  const said = (users: readonly string[], away: readonly string[]) =>
    rosterWords(users, away).map((word) => typeof word === "string" ? word : word.name).join("");
  assertEquals(said(["alice"], []), "1 user is here: alice");
  assertEquals(said(["alice", "bob"], ["carol"]), "2 users are here: alice, bob; away: carol");
  const many = Array.from({ length: 101 }, (_, n) => `u${n}`);
  assertEquals(said(many.slice(0, 100), []), `100 users are here: ${many.slice(0, 100).join(", ")}`);
  assertEquals(said(many, []), `101 users are here: ${many.slice(0, 100).join(", ")} and 1 more`);
});

/** Actions that record their calls; those that may have nothing to act on answer `isThere`. */
function recording(seen: string[], isThere: boolean, hasUnsent = false): LineActions {
  const act = (name: keyof LineActions) => (value?: unknown) => {
    seen.push(`${name} ${value ?? ""}`);
    return isThere;
  };
  return {
    say: act("say"),
    rename: act("rename"),
    showUsers: act("showUsers"),
    hasUnsent: () => hasUnsent,
    editLast: act("editLast"),
    removeLast: act("removeLast"),
    readOlder: act("readOlder"),
    search: act("search"),
    settleFailed: act("settleFailed"),
    note: act("note"),
    leave: act("leave"),
  };
}

Deno.test("a tab completes commands at the line's start, and names wherever a word begins", () => {
  const names = ["alice", "Alina", "Bob B.", "日本"];
  const options = (before: string) => completionOf(before, names)?.options;
  assertEquals(options("/h"), ["/history ", "/help "]);
  assertEquals(options("/x"), undefined);
  // At the line's start and after an @ a name is a mention.
  assertEquals(options("al"), ["@alice ", "@Alina "]);
  assertEquals(options("@al"), ["@alice ", "@Alina "]);
  assertEquals(completionOf("hi AL", names), { from: 3, options: ["alice ", "Alina "] });
  assertEquals(completionOf("hi @AL", names), { from: 3, options: ["@alice ", "@Alina "] });
  assertEquals(completionOf("hi bob b", names), { from: 3, options: ["Bob B. "] });
  assertEquals(completionOf("hi (@bob b", names), { from: 4, options: ["@Bob B. "] });
  assertEquals(options("hi @"), names.map((name) => `@${name} `));
  assertEquals(options("日"), ["@日本 "]);
  assertEquals(options("a@al"), undefined);
  assertEquals(completionOf("@STRASSE", ["straße"])?.options, ["@straße "]);
  assertEquals(completionOf("@cenek", ["Čeněk"])?.options, ["@Čeněk "]);
  assertEquals(options("hi "), undefined);
  assertEquals(options("unknown"), undefined);
});

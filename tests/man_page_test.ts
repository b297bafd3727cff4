/**
 * The manual page: it has what the table of flags has. What readers of roff say of it is
 * tests/packaging/man_page_readers_test.ts.
 *
 * @module
 */
import { assert, assertEquals, assertMatch } from "@std/assert";
import { manPage } from "../src/cli/man_page.ts";
import { flagName } from "../src/cli/commands.ts";
import { VERSION } from "../src/version.ts";
import { SYNTAXES } from "./support/command_line.ts";

/** Noon of 2026-11-28 UTC. */
const NOW_MS = Date.UTC(2026, 10, 28, 12);
const PAGE = manPage(VERSION, NOW_MS);
/** What a reader sees, nearly: without fonts and with plain hyphens. */
const SHOWN = PAGE.replaceAll(/\\f[BIR]/g, "").replaceAll("\\-", "-");

Deno.test("the manual page is dated, and has every line that can be typed with all flags", () => {
  assertMatch(PAGE, new RegExp(`^\\.TH CHATTER 1 2026-11-28 "chatter ${VERSION}" "User Commands"$`, "m"));
  for (const { command, action, title, flags } of SYNTAXES) {
    // It has the flags of the roles, which the page does not repeat.
    if (command === "config") continue;
    const [, part = ""] = SHOWN.split(`\n.SS "chatter ${command}"\n`);
    const tags = [...part.split("\n.S")[0]!.matchAll(/^\.TP\n(.*)$/gm)].map(([, tag = ""]) =>
      tag.split(" ")[0]
    );
    assert(part !== "", command);
    assert(action === "" || tags.includes(action), title);
    assertEquals(
      Object.entries(flags).filter(([key, flag]) => !flag.onlyVariable && !tags.includes(flagName(key))),
      [],
      title,
    );
  }
});

Deno.test("a text that roff would take for a command is a text in the manual page", () => {
  const starts = PAGE.split("\n").filter((line) => line.startsWith(".")).map((line) => line.split(" ")[0]!);
  const known = [".TH", ".SH", ".SS", ".TP", ".PP", ".RS", ".RE", ".br", ".nf", ".fi"];
  assertEquals([...new Set(starts)].filter((macro) => !known.includes(macro)), []);
  assertEquals(PAGE.replaceAll(/[\n -~]/g, ""), "", "a page is ASCII");
});

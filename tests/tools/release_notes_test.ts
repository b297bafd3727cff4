/**
 * The version in one place: what CHANGELOG.md, deno.json and a tag say of a release, and when they do not agree.
 *
 * @module
 */
import { assert, assertEquals, assertStringIncludes, assertThrows } from "@std/assert";
import { notesFor, PARTS, releasesIn } from "../../tools/release_notes.ts";
import { ROOT, runToEnd, VERSION } from "../../tools/run_deno.ts";

const changelog = await Deno.readTextFile(ROOT + "CHANGELOG.md");

Deno.test("the newest head of CHANGELOG.md is the version of deno.json, and only that may be without a date", () => {
  const [newest, ...older] = releasesIn(changelog);
  assertEquals(newest?.version, VERSION);
  assertEquals(older.filter(({ date }) => date === undefined), []);
});

Deno.test("every release of CHANGELOG.md tells of protocol, flags, storage, security and the rest, in this order", () => {
  for (const { version, parts } of releasesIn(changelog)) assertEquals(parts, [...PARTS], version);
});

const TWO = `# Changelog

## 1.1.0, 2026-12-01

### Flags

- One more.

## 1.0.0, 2026-11-01

### Flags

- The first.
`;

Deno.test("the notes of a release are what stands under its head", () => {
  assertEquals(notesFor("v1.1.0", "1.1.0", TWO), { notes: "### Flags\n\n- One more.\n" });
});

Deno.test("there are no notes where tag, version and changelog do not agree, or the release has no date", () => {
  const problems: [tag: string, version: string, text: string, says: string][] = [
    ["v1.0.0", "1.1.0", TWO, "The tag is v1.0.0"],
    ["1.1.0", "1.1.0", TWO, "The tag is 1.1.0"],
    ["v1.2.0", "1.2.0", TWO, "CHANGELOG.md begins with 1.1.0"],
    ["v1.1.0", "1.1.0", TWO.replace("2026-12-01", "unreleased"), "has no date"],
  ];
  for (const [tag, version, text, says] of problems) {
    const read = notesFor(tag, version, text);
    assert("problem" in read);
    assertStringIncludes(read.problem, says);
  }
  assertThrows(() => releasesIn("## Unreleased\n"), Error, "not a head of a release");
});

Deno.test("the task of a release refuses a tag of another version with status 1", async () => {
  const { success, output } = await runToEnd(Deno.execPath(), ["task", "--quiet", "release:notes", "v0.0.0"]);
  assertEquals(success, false);
  assertStringIncludes(output, "The tag is v0.0.0");
});

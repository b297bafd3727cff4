/**
 * The roster: what of it is kept follows its changes.
 *
 * @module
 */
import { assertEquals } from "@std/assert";
import { Roster } from "../../../chat/room/roster.ts";
import type { RosterEntry } from "../../../src/protocol/frames.ts";
import { parseUsername, type Username } from "../../../src/protocol/names.ts";

const name = (text: string) => parseUsername(text) as Username;

Deno.test("the answer to roster follows every change, though it is kept", () => {
  const roster = new Roster();
  const add = (id: string) =>
    roster.add(id, { username: name(id), connectedAtMs: 1, isExtended: true, places: [] });
  const shown = () => {
    const entries: RosterEntry[] = JSON.parse(roster.answer);
    return entries.map(({ username, away }) => away ? `(${username})` : username).join(" ");
  };
  const changes: [change: () => unknown, after: string][] = [
    [() => add("a"), "a"],
    [() => add("b"), "a b"],
    [() => roster.rename("a", name("c")), "c b"],
    [() => roster.hold("b"), "c (b)"],
    [() => roster.resume("b", []), "c b"],
    [() => roster.remove("a"), "b"],
    [() => roster.forget("b"), ""],
  ];
  assertEquals(shown(), "");
  for (const [change, after] of changes) {
    change();
    assertEquals(shown(), after);
  }
});

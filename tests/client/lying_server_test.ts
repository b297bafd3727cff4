/**
 * Limits of the memory that a hostile server can make a client use: a test at each limit and one past it.
 *
 * @module
 */
import { assertEquals } from "@std/assert";
import { HELD_MAX } from "../../src/client/session/catch_up.ts";
import { NAMES_MAX, Roster } from "../../src/client/session/roster.ts";
import { FakeDriver, TOKEN } from "../support/fake_driver.ts";

Deno.test("a roster keeps as many names as the limit says, each once, and not one more", () => {
  const roster = new Roster();
  roster.replace(Array.from({ length: NAMES_MAX - 1 }, (_, i) => `user ${i}`));
  roster.add("last");
  assertEquals(roster.names.length, NAMES_MAX);
  roster.add("one more");
  roster.rename("unknown", "one more");
  assertEquals([roster.names.length, roster.has("one more")], [NAMES_MAX, false]);
  roster.rename("last", "user 0");
  assertEquals(roster.names.filter((name) => name === "user 0").length, 1);
  roster.replace(Array.from({ length: NAMES_MAX + 1 }, (_, i) => `user ${i}`));
  assertEquals(roster.names.length, NAMES_MAX);
});

Deno.test("broadcasts are held back up to the limit while the history is owed; past it the connection is given up", () => {
  const driver = new FakeDriver();
  driver.join("alice");
  driver.open();
  driver.receive("c2/ACKNOWLEDGE Pub", `c2/SESSION ${TOKEN}; 10`);
  for (let i = 0; i < HELD_MAX; i++) driver.receive("c2/TYPING bob", "c2/JOIN bob");
  const states = () => driver.eventsOf("state").map(({ state }) => state).at(-1);
  assertEquals(states(), "live");
  driver.receive("c2/JOIN bob");
  assertEquals(states(), "opening", "the first try is made at once");
  driver.sent.length = 0;
  driver.open();
  assertEquals(driver.sent, ["c2/CONNECT alice"], "to be resumed would bring it all again");
});

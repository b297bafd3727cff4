/**
 * Limits of the memory that a hostile server can make a client use: a test at each limit and one past it.
 *
 * @module
 */
import { assertEquals } from "@std/assert";
import { HELD_MAX, HELD_UNITS_MAX } from "../../src/client/session/catch_up.ts";
import { MESSAGE_UNITS_MAX, NOTICE_UNITS_MAX } from "../../src/client/session/chat_session.ts";
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

/** A message of this many UTF-16 units as a frame. */
function messageOf(units: number): string {
  const head = "c2/MSG bob; 1; 01920000-0000-7000-8000-000000000000; ";
  return head + "x".repeat(units - head.length);
}

Deno.test("what is held back has a limit in units too; past it the connection is given up", () => {
  const driver = new FakeDriver();
  driver.join("alice");
  driver.open();
  driver.receive("c2/ACKNOWLEDGE Pub", `c2/SESSION ${TOKEN}; 10`);
  const states = () => driver.eventsOf("state").map(({ state }) => state).at(-1);
  for (let units = 0; units < HELD_UNITS_MAX; units += MESSAGE_UNITS_MAX) {
    driver.receive(messageOf(MESSAGE_UNITS_MAX));
  }
  assertEquals(states(), "live");
  driver.receive("c2/JOIN bob");
  assertEquals(states(), "opening");
});

Deno.test("a broadcast is read up to its longest; one unit past it the connection is given up", () => {
  const join = (units: number) => "c2/JOIN ".padEnd(units, "x");
  const cases = [[messageOf, MESSAGE_UNITS_MAX], [join, NOTICE_UNITS_MAX]] as const;
  for (const [frameOf, max] of cases) {
    const driver = new FakeDriver();
    driver.join("alice");
    driver.open();
    driver.receive("c2/ACKNOWLEDGE Pub", `c2/SESSION ${TOKEN}; 10`);
    const states = () => driver.eventsOf("state").map(({ state }) => state).at(-1);
    driver.receive(frameOf(max));
    assertEquals(states(), "live");
    driver.receive(frameOf(max + 1));
    assertEquals(states(), "opening");
    driver.sent.length = 0;
    driver.open();
    assertEquals(driver.sent, ["c2/CONNECT alice"], "to be resumed would bring it again");
  }
});

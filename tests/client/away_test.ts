/**
 * Who is away, as a client has it: from `roster`, AWAY and BACK, over renames and departures, and where a server has
 * only `active_users`.
 *
 * @module
 */
import { assertEquals } from "@std/assert";
import { Roster } from "../../src/client/session/roster.ts";
import { FakeDriver, TOKEN } from "../support/fake_driver.ts";

const ROSTER = JSON.stringify([
  { username: "bob", since: 1, away: true },
  { username: "alice", since: 2, away: false },
]);

Deno.test("those who are away are listed apart, from the roster and as they go and come back", () => {
  const driver = new FakeDriver();
  driver.join("alice");
  driver.open();
  driver.receive("c2/ACKNOWLEDGE Pub", `c2/SESSION ${TOKEN}; 10`, "c2/JOIN alice");
  driver.receive("c2/ACKNOWLEDGE []", `c2/ACKNOWLEDGE ${ROSTER}`, "c2/ACKNOWLEDGE {}", "c2/PING 1");
  const people = () => [driver.session.users, driver.session.away];
  assertEquals(people(), [["alice"], ["bob"]]);
  driver.forget();
  driver.receive("c2/BACK bob");
  assertEquals(people(), [["bob", "alice"], []]);
  driver.receive("c2/AWAY bob", "c2/AWAY bob", "c2/AWAY dave");
  assertEquals(people(), [["alice"], ["bob"]]);
  assertEquals(driver.eventsOf("users").length, 2, "only changes are emitted");
  driver.receive("c2/DISCONNECT lost_connection; bob");
  assertEquals(people(), [["alice"], []]);
  assertEquals(driver.eventsOf("left").map(({ username }) => username), ["bob"]);
});

Deno.test("AWAY and BACK take no position: a resume asks from the last broadcast", () => {
  const driver = new FakeDriver();
  driver.enter("alice", { users: ["alice", "bob"] });
  driver.receive("c2/AWAY bob", "c2/BACK bob");
  driver.close(1006);
  driver.open();
  assertEquals(driver.sent.at(-1), `c2/RESUME ${TOKEN}; 11`);
});

Deno.test("a roster keeps who is away over a rename, and forgets it with the name", () => {
  const roster = new Roster();
  roster.replace(["a", "b", "c"], ["b"]);
  assertEquals([roster.present, roster.away], [["a", "c"], ["b"]]);
  assertEquals(roster.replace(["a", "b", "c"], ["b"]), false);
  assertEquals(roster.replace(["a", "b", "c"], ["c"]), true);
  roster.rename("c", "d");
  assertEquals([roster.present, roster.away], [["a", "b"], ["d"]]);
  roster.remove("d");
  roster.add("d");
  assertEquals([roster.present, roster.away], [["a", "b", "d"], []]);
});

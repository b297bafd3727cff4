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

/** A driver whose session was lost, and is on a new connection that is open. */
function lost(options: ConstructorParameters<typeof FakeDriver>[0] = {}): FakeDriver {
  const driver = new FakeDriver(options);
  driver.enter("alice", { users: ["alice", "bob", "carol"] });
  driver.receive("c2/AWAY bob");
  driver.close(1006);
  driver.open();
  driver.forget();
  return driver;
}

const rosterQueries = ({ sent }: FakeDriver) => sent.filter((frame) => frame === "c2/QUERY roster").length;

Deno.test("a session that is resumed in the same run keeps its roster: the replay and AWAY have what changed", () => {
  const driver = lost();
  driver.receive("c2/ACKNOWLEDGE Pub", `c2/SESSION ${TOKEN}; 11`);
  driver.receive("c2/JOIN dave", "c2/DISCONNECT lost_connection; carol", "c2/AWAY dave", "c2/ACKNOWLEDGE {}");
  assertEquals([driver.session.users, driver.session.away], [["alice", "bob"], ["dave"]]);
  driver.pass(10_000);
  assertEquals(rosterQueries(driver), 0);
});

Deno.test("a session that is resumed after a restart asks for the roster once, at any moment of 10 ms a user", () => {
  for (const [random, ms] of [[0, 0], [0.5, 15], [0.9, 27]] as const) {
    const driver = lost({ random: () => random });
    driver.receive("c2/ACKNOWLEDGE Pub", `c2/SESSION ${TOKEN}; 16777300`);
    assertEquals(driver.session.users, ["alice", "bob", "carol"], "until then its own is shown");
    if (ms > 0) {
      driver.pass(ms - 1);
      assertEquals(rosterQueries(driver), 0);
      driver.pass(1);
    }
    assertEquals(rosterQueries(driver), 1);
    driver.receive("c2/ACKNOWLEDGE {}", ...(driver.sent.includes("c2/PING") ? ["c2/PING 1"] : []));
    driver.pass(16_000);
    assertEquals(rosterQueries(driver), 1);
  }
});

Deno.test("a session that begins again asks for the roster once", () => {
  const driver = lost();
  driver.receive("c2/ERROR Unknown token: CONNECT", "c2/ACKNOWLEDGE Pub", `c2/SESSION ${TOKEN}; 20`);
  driver.receive("c2/JOIN alice", "c2/ACKNOWLEDGE []", `c2/ACKNOWLEDGE ${ROSTER}`, "c2/ACKNOWLEDGE {}");
  driver.pass(10_000);
  assertEquals([rosterQueries(driver), driver.session.away], [1, ["bob"]]);
});

Deno.test("a session that is lost again before the roster came asks for it after the next resume", () => {
  const driver = lost();
  driver.receive("c2/ACKNOWLEDGE Pub", `c2/SESSION ${TOKEN}; 16777300`);
  driver.close(1006);
  driver.pass(2000);
  driver.open();
  driver.receive("c2/ACKNOWLEDGE Pub", `c2/SESSION ${TOKEN}; 16777300`);
  driver.pass(30);
  assertEquals(rosterQueries(driver), 1);
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

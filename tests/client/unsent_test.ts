/**
 * Texts that were not sent when a session ends: by leaving, by another name, by a kick or a ban. The user gets them
 * back, and nothing sends them by itself.
 *
 * @module
 */
import { assertEquals } from "@std/assert";
import { readSavedSession } from "../../src/client/session/saved_session.ts";
import { FakeDriver, TOKEN, uuidOf } from "../support/fake_driver.ts";

const TAKEN = "c2/ERROR Username is in use, or looks like one that is: choose another";
const UNKNOWN = "c2/ERROR This session is not held any more, or never was: send c2/CONNECT username";

function sends(driver: FakeDriver): string[] {
  return driver.sent.filter((text) => text.startsWith("c2/SEND"));
}

function unsent(driver: FakeDriver): [text: string, wasSent: boolean][] {
  return driver.eventsOf("unsent").map(({ draft, wasSent }) => [draft.text, wasSent]);
}

/** Alice lost her connection, wrote two texts, and left. */
function leftWithTexts(): FakeDriver {
  const driver = new FakeDriver();
  driver.enter();
  driver.close(1006);
  driver.send("one");
  driver.send("two");
  driver.run(driver.session.leave(driver.nowMs));
  return driver;
}

Deno.test("what waits when its user leaves is given back, and sent under another name only if the user wants it", () => {
  const driver = leftWithTexts();
  const [one, two] = driver.nonces;
  assertEquals(unsent(driver), [["one", false], ["two", false]]);
  assertEquals(driver.session.unsent, 2);
  driver.join("carol");
  driver.open();
  driver.receive("c2/ACKNOWLEDGE Pub", `c2/SESSION ${TOKEN}; 12`, "c2/ACKNOWLEDGE []");
  assertEquals(sends(driver), []);
  driver.run(driver.session.settleDraft(driver.nowMs, one!, true));
  driver.run(driver.session.settleDraft(driver.nowMs, two!, false));
  assertEquals(sends(driver), [`c2/SEND ${one}; 1000; one`]);
  assertEquals(driver.session.unsent, 1);
});

Deno.test("what was given back is saved, and given back again by the next program", () => {
  const saved = readSavedSession(JSON.parse(JSON.stringify(leftWithTexts().session.save())))!;
  assertEquals(saved.drafts.map(({ fate }) => fate), ["offered", "offered"]);
  const driver = new FakeDriver({ saved });
  assertEquals(driver.session.unsent, 2);
  driver.join("alice");
  assertEquals(unsent(driver), [["one", false], ["two", false]]);
  driver.open();
  driver.receive("c2/ACKNOWLEDGE Pub", `c2/SESSION ${TOKEN}; 12`, "c2/ACKNOWLEDGE []");
  // The server did not learn that she left: the name is her own.
  assertEquals([sends(driver), driver.eventsOf("entered").map(({ how }) => how)], [[], ["resumed"]]);
});

Deno.test("a text without an answer when its user leaves is acknowledged by the last answers, or given back", () => {
  const driver = new FakeDriver();
  driver.enter();
  driver.send("answered");
  driver.send("not answered");
  const [answered] = driver.nonces;
  driver.run(driver.session.leave(driver.nowMs));
  driver.receive(`c2/ACKNOWLEDGE ${answered}; ${uuidOf(1)}`);
  driver.close(1000, "goodbye");
  assertEquals(driver.eventsOf("acknowledged").map(({ draft }) => draft.text), ["answered"]);
  assertEquals(unsent(driver), [["not answered", true]]);
  assertEquals(driver.eventsOf("state").map((state) => "cause" in state && state.cause), ["left"]);
});

Deno.test("an edit that waits when its user leaves fails, so that its text is not lost", () => {
  const driver = new FakeDriver();
  driver.enter();
  driver.close(1006);
  driver.run(driver.session.wish(driver.nowMs, { kind: "edit", uuid: uuidOf(1), text: "better" }));
  driver.run(driver.session.leave(driver.nowMs));
  assertEquals(driver.eventsOf("failed").map(({ wish }) => wish.kind === "edit" && wish.text), ["better"]);
});

Deno.test("a name that another client took past the resume window is refused at once, and what waits is kept", () => {
  for (const [name, sent] of [["alice", ["kept"]], ["alicia", []]] as [string, string[]][]) {
    const driver = new FakeDriver();
    driver.enter();
    driver.close(1006);
    driver.send("kept");
    driver.open();
    driver.receive(UNKNOWN, TAKEN);
    assertEquals(driver.eventsOf("state").at(-1)?.state, "refused");
    assertEquals([unsent(driver), driver.session.unsent], [[], 1]);
    driver.join(name);
    driver.receive("c2/ACKNOWLEDGE Pub", `c2/SESSION ${TOKEN}; 12`, "c2/ACKNOWLEDGE []");
    assertEquals(sends(driver).map((text) => text.split("; ")[2]), sent);
    assertEquals(unsent(driver).map(([text]) => text), sent.length > 0 ? [] : ["kept"]);
  }
});

Deno.test("a name that may be one's own is retried, and said to be taken meanwhile", () => {
  const driver = new FakeDriver();
  driver.enter("alice", { protocol: "" });
  driver.close(1006);
  driver.open("");
  driver.receive(TAKEN);
  const waiting = driver.eventsOf("state").at(-1);
  assertEquals(waiting?.state === "waiting" && waiting.isNameTaken, true);
  driver.join("alicia");
  driver.open("");
  assertEquals(driver.sent.at(-1), "c2/CONNECT alicia");
});

Deno.test("a session that was kicked while it was away does not join again by itself", () => {
  const driver = new FakeDriver();
  driver.enter();
  driver.close(1006);
  driver.send("kept");
  driver.open();
  driver.receive("c2/ERROR An operator ended this session: send c2/CONNECT username");
  driver.pass(300_000);
  assertEquals(driver.sent.filter((text) => !text.startsWith("c2/RESUME")), []);
  assertEquals(driver.eventsOf("state").at(-1)?.state, "over");
  assertEquals(unsent(driver), [["kept", false]]);
  driver.join("alice");
  driver.open();
  assertEquals(driver.sent.at(-1), "c2/CONNECT alice");
});

for (const code of [0, 1005, 1006, 1008]) {
  for (
    const [frame, cause] of [
      ["c2/DISCONNECT ban; alice; enough", "banned"],
      ["c2/DISCONNECT disconnect; alice", "kicked"],
    ] as const
  ) {
    Deno.test(`after ${frame} a session does not come back, though the close has code ${code}`, () => {
      const driver = new FakeDriver();
      driver.enter();
      driver.send("late");
      driver.receive(frame);
      driver.close(code);
      driver.pass(300_000);
      assertEquals(driver.eventsOf("state").map((state) => "cause" in state && state.cause), [cause]);
      assertEquals(unsent(driver), [["late", true]]);
      driver.join("alice");
      driver.open();
      assertEquals(driver.sent.at(-1), "c2/CONNECT alice", "the session is not resumed");
      driver.close(1006);
      assertEquals(driver.session.phase, "opening", "the end before does not count");
    });
  }
}

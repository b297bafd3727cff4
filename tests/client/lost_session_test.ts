/**
 * A session that cannot be resumed: after a refusal, on a server without c2.live, and after a reload.
 *
 * @module
 */
import { assertEquals } from "@std/assert";
import { DRAFTS_MAX } from "../../src/client/session/chat_session.ts";
import { readSavedSession } from "../../src/client/session/saved_session.ts";
import type { HistoryEntry } from "../../src/protocol/frames.ts";
import { FakeDriver, TOKEN, uuidOf } from "../support/fake_driver.ts";

const UNKNOWN = "c2/ERROR No such session: it was never here, or it has lapsed";

function entry(
  n: number,
  message: string,
  { username = "bob", timestamp = 1000, edited = false } = {},
): HistoryEntry {
  return { uuid: uuidOf(n), username, timestamp, message, edited };
}

function answer(entries: readonly HistoryEntry[]): string {
  return `c2/ACKNOWLEDGE ${JSON.stringify(entries)}`;
}

/** Loses the connection and refuses RESUME: a new session that still waits for its history. */
function refused(driver: FakeDriver): void {
  driver.close(1006);
  driver.open();
  driver.receive(UNKNOWN, "c2/ACKNOWLEDGE Pub", `c2/SESSION ${TOKEN}; 90`, "c2/JOIN alice");
}

Deno.test("a session that cannot be resumed connects on the same socket and fills the hole from the history, in order", () => {
  const driver = new FakeDriver();
  driver.enter();
  driver.receive(`c2/MSG bob; 1; ${uuidOf(1)}; seen`, `c2/MSG bob; 1; ${uuidOf(2)}; seen too`);
  driver.forget();
  refused(driver);
  assertEquals(driver.sent.slice(0, 3), [
    `c2/RESUME ${TOKEN}; 13`,
    "c2/CONNECT alice",
    "c2/QUERY history; 200",
  ]);
  driver.receive(`c2/MSG bob; 1; ${uuidOf(5)}; live`, `c2/MSG bob; 1; ${uuidOf(4)}; four, edited`);
  assertEquals(driver.eventsOf("message"), [], "held back until the hole is filled");
  driver.receive(
    answer([
      entry(1, "seen, then edited", { edited: true }),
      entry(2, "seen too"),
      entry(3, "three"),
      entry(4, "four"),
    ]),
  );
  assertEquals(driver.eventsOf("entered").map(({ how }) => how), ["again"]);
  assertEquals(
    driver.eventsOf("message").map(({ message, isNew, isMissed }) => [message.text, isNew, isMissed]),
    [
      ["seen, then edited", false, true],
      ["three", true, true],
      ["four", true, true],
      ["live", true, false],
      ["four, edited", false, false],
    ],
  );
  assertEquals(driver.eventsOf("history"), []);
});

Deno.test("a message that arrives by the history and live is emitted once", () => {
  const driver = new FakeDriver();
  driver.enter();
  driver.receive(`c2/MSG bob; 1; ${uuidOf(1)}; seen`);
  driver.forget();
  refused(driver);
  driver.receive(`c2/MSG bob; 1; ${uuidOf(2)}; two`, answer([entry(1, "seen"), entry(2, "two")]));
  assertEquals(driver.eventsOf("message").map(({ message }) => message.text), ["two"]);
});

Deno.test("a hole is filled by up to five pages; past that a gap remains between old and new messages", () => {
  const driver = new FakeDriver();
  driver.enter();
  driver.receive(`c2/MSG bob; 1; ${uuidOf(1)}; seen`);
  refused(driver);
  for (const before of ["", "; " + uuidOf(50), "; " + uuidOf(40), "; " + uuidOf(30)]) {
    assertEquals(driver.sent.filter((text) => text === `c2/QUERY history; 200${before}`).length, 1);
    const oldest = before === "" ? 50 : Number(before.slice(-2)) - 10;
    const page = answer([entry(oldest, `n ${oldest}`)]);
    if (before === "") driver.receive(page, "c2/ACKNOWLEDGE [alice]", "c2/ACKNOWLEDGE {}", "c2/PING 1");
    else driver.receive(page);
  }
  driver.forget();
  driver.receive(answer([entry(10, "n 10")]));
  const [history] = driver.eventsOf("history");
  assertEquals([history?.isReset, history?.isStart], [true, true]);
  assertEquals(history?.messages.map(({ text }) => text), ["n 10", "n 20", "n 30", "n 40", "n 50"]);
  assertEquals(driver.sent, ["c2/QUERY roster"], "what came in between was not minded");
});

Deno.test("an unacknowledged text is looked for in the history by name, timestamp and text; else it is offered again", () => {
  const driver = new FakeDriver();
  driver.enter("alice", { history: JSON.stringify([entry(0, "seen")]) });
  driver.send("got through", 1000);
  driver.send("twice", 1000);
  driver.send("twice", 1000);
  driver.send("did not", 1000);
  driver.close(1006);
  driver.send("never went out", 2000);
  const nonces = driver.nonces;
  driver.open();
  driver.forget();
  driver.receive(UNKNOWN, "c2/ACKNOWLEDGE Pub", `c2/SESSION ${TOKEN}; 90`, "c2/JOIN alice");
  const own = { username: "alice" };
  driver.receive(answer([
    entry(0, "seen"),
    entry(1, "got through", own),
    entry(2, "twice", own),
    entry(3, "did not", { username: "bob" }),
    entry(4, "did not", { username: "alice", timestamp: 1001 }),
  ]));
  assertEquals(driver.eventsOf("acknowledged").map(({ draft, uuid }) => [draft.nonce, uuid]), [
    [nonces[0], uuidOf(1)],
    [nonces[1], uuidOf(2)],
  ]);
  assertEquals(driver.eventsOf("unsent").map(({ draft }) => draft.nonce), [nonces[2], nonces[3]]);
  assertEquals(driver.sent.filter((text) => text.startsWith("c2/SEND")), [
    `c2/SEND ${nonces[4]}; 2000; never went out`,
  ]);
  assertEquals(driver.eventsOf("message").map(({ message }) => message.isOwn), [false, false, false, false]);
  driver.run(driver.session.settleDraft(driver.nowMs, nonces[3]!, true));
  assertEquals(driver.sent.at(-1), `c2/SEND ${nonces[3]}; 1000; did not`);
});

Deno.test("a refused history leaves everything unsure and holds nothing back forever", () => {
  const driver = new FakeDriver();
  driver.enter();
  driver.send("hello");
  refused(driver);
  driver.receive(`c2/MSG bob; 1; ${uuidOf(7)}; live`);
  driver.receive(
    "c2/ERROR The store does not work at the moment: nothing was changed or sent, try again later",
  );
  assertEquals(driver.eventsOf("unsent").map(({ draft }) => draft.text), ["hello"]);
  assertEquals(driver.eventsOf("message").map(({ message }) => message.text), ["live"]);
});

Deno.test("a connection that is lost while the hole is filled loses nothing of what was held back", () => {
  const driver = new FakeDriver();
  driver.enter();
  driver.receive(`c2/MSG bob; 1; ${uuidOf(1)}; seen`);
  driver.forget();
  refused(driver);
  driver.receive(`c2/MSG bob; 1; ${uuidOf(2)}; two`, "c2/JOIN carol");
  driver.close(1006);
  driver.pass(2000);
  driver.open();
  driver.receive("c2/ACKNOWLEDGE Pub", `c2/SESSION ${TOKEN}; 93`, `c2/MSG bob; 1; ${uuidOf(3)}; three`);
  assertEquals(driver.sent.filter((text) => text.startsWith("c2/RESUME")).at(-1), `c2/RESUME ${TOKEN}; 93`);
  driver.receive(answer([entry(1, "seen"), entry(2, "two")]));
  assertEquals(driver.eventsOf("message").map(({ message }) => message.text), ["two", "three"]);
  assertEquals(driver.eventsOf("came").map(({ username }) => username), ["alice", "carol"]);
});

Deno.test("a refusal of the moment does not end the session: it is resumed later", () => {
  const driver = new FakeDriver();
  driver.enter();
  driver.close(1006);
  driver.open();
  driver.receive(
    "c2/ERROR The store does not work at the moment: nothing was changed or sent, try again later",
  );
  driver.pass(2000);
  driver.open();
  assertEquals(driver.sent, [`c2/RESUME ${TOKEN}; 11`, `c2/RESUME ${TOKEN}; 11`]);
});

Deno.test("a server that does not speak c2.live is talked to in plain c2", () => {
  const driver = new FakeDriver();
  driver.enter("alice", { protocol: "" });
  driver.send("hello", 77);
  driver.send("hello", 77);
  assertEquals(driver.sent, ["c2/MSG 77; hello", "c2/MSG 77; hello"]);
  driver.receive(
    "c2/ACKNOWLEDGE",
    `c2/MSG bob; 77; ${uuidOf(1)}; hello`,
    `c2/MSG alice; 77; ${uuidOf(2)}; hello`,
  );
  driver.receive("c2/ACKNOWLEDGE", `c2/MSG alice; 77; ${uuidOf(3)}; hello`);
  const nonces = driver.nonces;
  assertEquals(driver.eventsOf("acknowledged").map(({ draft, uuid }) => [draft.nonce, uuid]), [
    [nonces[0], uuidOf(2)],
    [nonces[1], uuidOf(3)],
  ]);
  assertEquals(driver.eventsOf("message").map(({ message }) => message.isOwn), [false, true, true]);
  driver.run(driver.session.typing(0));
  assertEquals(driver.sent.length, 2);
});

Deno.test("on a plain server who is there is asked for every 15 s", () => {
  const driver = new FakeDriver();
  driver.enter("alice", { protocol: "" });
  driver.pass(15_000);
  assertEquals(driver.sent, ["c2/QUERY active_users"]);
  driver.receive("c2/ACKNOWLEDGE [alice,bob]");
  assertEquals(driver.eventsOf("users").length, 1);
  assertEquals(driver.session.users, ["alice", "bob"]);
});

Deno.test("on a plain server a lost connection connects again and retries its name for a while", () => {
  const driver = new FakeDriver();
  driver.enter("alice", { protocol: "" });
  driver.receive(`c2/MSG bob; 1; ${uuidOf(1)}; seen`);
  driver.send("acknowledged and not seen", 5);
  driver.receive("c2/ACKNOWLEDGE");
  driver.send("on its way", 6);
  driver.close(1006);
  driver.open("");
  const taken = "c2/ERROR Username is in use, or looks like one that is: choose another";
  driver.receive(taken);
  assertEquals([driver.session.phase, driver.eventsOf("state").at(-1)?.state], ["waiting", "waiting"]);
  driver.pass(1500);
  driver.open("");
  driver.forget();
  driver.receive("c2/ACKNOWLEDGE Pub");
  driver.receive(answer([entry(1, "seen"), entry(2, "on its way", { username: "alice", timestamp: 6 })]));
  assertEquals(driver.eventsOf("acknowledged").map(({ draft, uuid }) => [draft.text, uuid]), [
    ["acknowledged and not seen", undefined],
    ["on its way", uuidOf(2)],
  ]);
  driver.pass(1000);
  driver.close(1006);
  driver.pass(180_000);
  while (driver.session.phase !== "opening") driver.pass(1000);
  driver.open("");
  driver.receive(taken);
  assertEquals(driver.session.phase, "refused", "three minutes are enough");
});

Deno.test("a session that was saved is resumed by another program, with what it had not sent", () => {
  const before = new FakeDriver();
  before.enter();
  before.send("mine", 1);
  const [mine] = before.nonces;
  before.receive(`c2/ACKNOWLEDGE ${mine}; ${uuidOf(4)}`, `c2/MSG alice; 1; ${uuidOf(4)}; mine`);
  before.send("on its way", 2);
  const [, late] = before.nonces;
  const saved = readSavedSession(JSON.parse(JSON.stringify(before.session.save())));

  const after = new FakeDriver({ saved: saved! });
  after.join("alice");
  after.open();
  assertEquals(after.sent, [`c2/RESUME ${TOKEN}; 12`]);
  after.receive("c2/ACKNOWLEDGE Pub", `c2/SESSION ${TOKEN}; 12`, `c2/MSG bob; 1; ${uuidOf(5)}; missed`);
  assertEquals(after.sent.slice(1, 5), [
    "c2/QUERY history; 100",
    "c2/QUERY roster",
    "c2/QUERY server_info",
    `c2/SEND ${late}; 2; on its way`,
  ]);
  after.receive(answer([entry(4, "mine", { username: "alice" }), entry(5, "missed")]));
  assertEquals(after.eventsOf("history")[0]?.messages.map(({ text, isOwn }) => [text, isOwn]), [
    ["mine", true],
    ["missed", false],
  ]);
  assertEquals(after.eventsOf("message"), []);
});

Deno.test("a text that was left to the person is so after a reload too, and is not sent by itself", () => {
  const before = new FakeDriver();
  before.enter();
  before.send("too long");
  before.receive("c2/ERROR Message is too long: 1 to 3 characters are allowed");
  before.send("waits");
  const [long, waits] = before.nonces;
  const after = new FakeDriver({
    saved: readSavedSession(JSON.parse(JSON.stringify(before.session.save())))!,
  });
  after.join("alice");
  after.open();
  after.receive("c2/ACKNOWLEDGE Pub", `c2/SESSION ${TOKEN}; 12`, answer([]));
  assertEquals(after.eventsOf("unsent").map(({ draft }) => draft.nonce), [long]);
  assertEquals(after.nonces, [waits], "it is shown as one that waits");
  assertEquals(after.sent.filter((text) => text.startsWith("c2/SEND")), [`c2/SEND ${waits}; 1000; waits`]);
  after.run(after.session.settleDraft(after.nowMs, long!, true));
  assertEquals(after.sent.at(-1), `c2/SEND ${long}; 1000; too long`);
});

Deno.test("what was saved and is not that is no session", () => {
  for (const other of [null, undefined, "", 1, {}, [], { username: 1 }]) {
    assertEquals(readSavedSession(other), undefined);
  }
  const draft = { nonce: "n", text: "x", timestamp: 1, fate: "waiting" };
  const saved = { username: "a", position: 1, newest: "", own: [], drafts: [draft] };
  assertEquals(readSavedSession(saved)?.drafts, [{ ...draft, fate: "waiting" }]);
  // As of another version of the page.
  for (
    const drafts of [[1], [null], [{ ...draft, text: 1 }], [{ ...draft, fate: "lost" }], [{
      ...draft,
      timestamp: 0.5,
    }]]
  ) {
    assertEquals(readSavedSession({ ...saved, drafts }), undefined);
  }
  assertEquals(readSavedSession({ ...saved, own: [1] }), undefined);
});

Deno.test("another name than the saved one is a new session", () => {
  const driver = new FakeDriver();
  driver.enter();
  driver.close(1008, "kicked");
  driver.join("carol");
  driver.open();
  assertEquals(driver.sent, ["c2/CONNECT carol"]);
});

Deno.test("texts wait without a connection up to a limit, and the next one is given back", () => {
  const driver = new FakeDriver();
  driver.enter();
  driver.close(1006);
  for (let n = 0; n < DRAFTS_MAX; n++) driver.send("x");
  assertEquals(driver.eventsOf("failed"), []);
  driver.send("one past it");
  assertEquals(driver.eventsOf("failed").map(({ wish }) => wish.kind === "send" && wish.text), [
    "one past it",
  ]);
});

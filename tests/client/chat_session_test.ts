/**
 * A session on a fake server that speaks c2.live, step by step: which frames it sends, and which events it emits.
 * Sessions that are not resumed are tested in lost_session_test.ts.
 *
 * @module
 */
import { assertEquals } from "@std/assert";
import { backoffMs, comesBack } from "../../src/client/session/reconnect.ts";
import { FakeDriver, TOKEN, uuidOf } from "../support/fake_driver.ts";

const HISTORY = JSON.stringify([{
  uuid: uuidOf(1),
  username: "bob",
  timestamp: 5,
  message: "earlier",
  edited: false,
}]);

/** A driver whose session was let in as alice. */
function inside(): FakeDriver {
  const driver = new FakeDriver();
  driver.enter();
  return driver;
}

Deno.test("a session connects, asks for the history, for who is there and for the limits, and tells them in this order", () => {
  const driver = new FakeDriver();
  driver.join("alice");
  driver.open();
  assertEquals(driver.sent, ["c2/CONNECT alice"]);
  driver.receive("c2/ACKNOWLEDGE Pub");
  driver.receive(
    `c2/SESSION ${TOKEN}; 10`,
    "c2/JOIN alice",
    `c2/MSG bob; 6; ${uuidOf(2)}; came before the history`,
  );
  assertEquals(driver.sent.slice(1), [
    "c2/QUERY history; 100",
    "c2/QUERY roster",
    "c2/QUERY server_info",
    "c2/PING",
  ]);
  driver.nowMs = 40;
  driver.receive(`c2/ACKNOWLEDGE ${HISTORY}`, "c2/ACKNOWLEDGE [bob,alice]", "c2/ACKNOWLEDGE {}", "c2/PING 1");
  assertEquals(driver.events.map((event) => event.type === "state" ? event.state : event.type), [
    "opening",
    "entering",
    "entered",
    "live",
    "history",
    "came",
    "users",
    "message",
    "users",
    "info",
    "latency",
  ]);
  assertEquals(driver.eventsOf("entered"), [{
    how: "new",
    serverName: "Pub",
    username: "alice",
    isExtended: true,
  }]);
  assertEquals(driver.eventsOf("history")[0]?.messages.map(({ text }) => text), ["earlier"]);
  assertEquals(driver.eventsOf("message")[0]?.message.text, "came before the history");
  assertEquals(driver.session.users, ["bob", "alice"]);
  assertEquals(driver.eventsOf("latency"), [{ ms: 40 }]);
});

Deno.test("a search is asked, and its answer says which wish it is of and where to search on", () => {
  const driver = inside();
  driver.sent.length = 0;
  const wish = { kind: "search", limit: 20, before: undefined, words: "tea; cake" } as const;
  driver.run(driver.session.wish(driver.nowMs, wish));
  driver.run(driver.session.wish(driver.nowMs, { ...wish, before: uuidOf(1) }));
  assertEquals(driver.sent, [
    "c2/QUERY search; 20; ; tea; cake",
    `c2/QUERY search; 20; ${uuidOf(1)}; tea; cake`,
  ]);
  driver.receive(`c2/ACKNOWLEDGE {"messages":${HISTORY},"searchedTo":"${uuidOf(1)}"}`);
  driver.receive("c2/ERROR Search has no words: 1 to 10 words are allowed");
  const [found] = driver.eventsOf("found");
  assertEquals([found?.wish, found?.messages.map(({ text }) => text), found?.searchedTo], [
    wish,
    ["earlier"],
    uuidOf(1),
  ]);
  assertEquals(driver.eventsOf("failed").map(({ wish }) => wish.kind), ["search"]);
});

Deno.test("a message goes out with a nonce, is acknowledged by it, and is one's own", () => {
  const driver = inside();
  driver.send("hello", 1234);
  const [draft] = driver.eventsOf("queued").map(({ draft }) => draft);
  assertEquals(driver.sent, [`c2/SEND ${draft?.nonce}; 1234; hello`]);
  driver.receive(`c2/ACKNOWLEDGE ${draft?.nonce}; ${uuidOf(3)}`, `c2/MSG alice; 1234; ${uuidOf(3)}; hello`);
  assertEquals(driver.eventsOf("acknowledged"), [{ draft: draft!, uuid: uuidOf(3) }]);
  assertEquals(driver.eventsOf("message"), [{
    message: {
      uuid: uuidOf(3),
      username: "alice",
      timestamp: 1234,
      receivedMs: 0,
      text: "hello",
      edited: false,
      isOwn: true,
    },
    isNew: true,
    isMissed: false,
  }]);
});

Deno.test("an error belongs to the oldest frame that is unanswered", () => {
  const driver = inside();
  driver.send("one");
  driver.run(driver.session.wish(0, { kind: "rename", username: "bob" }));
  driver.run(driver.session.wish(0, { kind: "delete", uuid: uuidOf(1) }));
  driver.receive("c2/ERROR Message is too long: 1 to 3 characters are allowed");
  driver.receive(`c2/MSG carol; 1; ${uuidOf(4)}; in between`);
  driver.receive("c2/ACKNOWLEDGE", "c2/ERROR Only the session that wrote a message may change it");
  assertEquals(driver.eventsOf("failed").map(({ wish, text }) => [wish.kind, text.slice(0, 12)]), [
    ["send", "Message is t"],
    ["delete", "Only the ses"],
  ]);
  assertEquals(driver.eventsOf("done").map(({ wish }) => wish.kind), ["rename"]);
});

Deno.test("a text that was refused is sent again when the person wants it, and is gone when not", () => {
  const driver = inside();
  driver.send("one");
  driver.send("two");
  const [one, two] = driver.nonces;
  const why = "c2/ERROR The store does not work at the moment: nothing was changed or sent, try again later";
  driver.receive(why, why);
  driver.forget();
  driver.run(driver.session.settleDraft(0, one!, true));
  driver.run(driver.session.settleDraft(0, two!, false));
  driver.run(driver.session.settleDraft(0, two!, true));
  assertEquals(driver.sent, [`c2/SEND ${one}; 1000; one`]);
});

Deno.test("edits, deletions, renames, joins and departures are emitted", () => {
  const driver = inside();
  driver.receive(
    `c2/MSG bob; 1; ${uuidOf(5)}; helo`,
    "c2/UPDATE bob; username; Bob B.",
    `c2/MSG Bob B.; 1; ${uuidOf(5)}; hello`,
    `c2/MSG Bob B.; 1; ${uuidOf(5)}; `,
    "c2/JOIN carol",
    "c2/TYPING carol",
    "c2/DISCONNECT lost_connection; carol",
    "c2/DISCONNECT ban; Bob B.; spam; and more",
  );
  assertEquals(
    driver.eventsOf("message").map(({ message: { text, edited }, isNew }) => [text, edited, isNew]),
    [
      ["helo", false, true],
      ["hello", true, false],
      ["", true, false],
    ],
  );
  assertEquals(driver.eventsOf("renamed"), [{ from: "bob", to: "Bob B.", isOwn: false }]);
  assertEquals(driver.eventsOf("typing"), [{ username: "carol" }]);
  assertEquals(driver.eventsOf("left").map(({ username, kind, message }) => [username, kind, message]), [
    ["carol", "lost_connection", undefined],
    ["Bob B.", "ban", "spam; and more"],
  ]);
  assertEquals(driver.session.users, ["alice"]);
});

Deno.test("the own name follows the broadcasts, and is the one that is resumed", () => {
  const driver = inside();
  driver.run(driver.session.wish(0, { kind: "rename", username: "Alicia" }));
  driver.receive("c2/ACKNOWLEDGE");
  assertEquals(driver.session.username, "alice");
  driver.receive("c2/UPDATE alice; username; Alicia");
  assertEquals(driver.session.username, "Alicia");
  assertEquals(driver.eventsOf("renamed"), [{ from: "alice", to: "Alicia", isOwn: true }]);
});

Deno.test("a lost connection is resumed at once, at the position that was counted, and sends again what was not acknowledged", () => {
  const driver = inside();
  driver.send("acknowledged");
  const [first] = driver.nonces;
  // Position 2: her own JOIN was the first broadcast; TYPING and answers do not count.
  driver.receive(
    "c2/TYPING bob",
    `c2/ACKNOWLEDGE ${first}; ${uuidOf(1)}`,
    `c2/MSG alice; 1000; ${uuidOf(1)}; acknowledged`,
  );
  driver.send("on its way");
  driver.run(driver.session.wish(0, { kind: "edit", uuid: uuidOf(1), text: "edited" }));
  driver.close(1006);
  driver.send("written without a connection");
  const nonces = driver.nonces;
  assertEquals(driver.eventsOf("state").map(({ state }) => state), ["waiting", "opening"]);
  driver.forget();
  driver.open();
  assertEquals(driver.sent, [`c2/RESUME ${TOKEN}; 12`]);
  const next = "n".repeat(43);
  driver.receive("c2/ACKNOWLEDGE Pub", `c2/SESSION ${next}; 12`, `c2/MSG bob; 2; ${uuidOf(2)}; missed`);
  assertEquals(driver.sent.slice(1), [
    "c2/QUERY server_info",
    `c2/SEND ${nonces[1]}; 1000; on its way`,
    `c2/QUERY update_message; ${uuidOf(1)}; edited`,
    `c2/SEND ${nonces[2]}; 1000; written without a connection`,
    "c2/PING",
  ]);
  assertEquals(driver.eventsOf("entered").map(({ how }) => how), ["resumed"]);
  assertEquals(driver.eventsOf("message").map(({ message, isNew }) => [message.text, isNew]), [[
    "missed",
    true,
  ]]);
  driver.close(1001, "server is stopping");
  driver.pass(1500);
  driver.forget();
  driver.open();
  assertEquals(driver.sent, [`c2/RESUME ${next}; 13`]);
});

Deno.test("tries are made at once, after 1, 2 and 4 s, each 5 s for a minute, then seldom, and from the start after one that worked", () => {
  const driver = inside();
  driver.pass(15_000);
  const waits: number[] = [];
  for (let n = 0; n < 17; n++) {
    driver.close(1006);
    const { nowMs } = driver;
    driver.pass(n === 0 ? 0 : driver.wakeAtMs! - nowMs);
    waits.push(driver.nowMs - nowMs);
  }
  const soon = [0, 1000, 2000, 4000, ...Array<number>(10).fill(5000)];
  assertEquals(waits, [...soon, 10_000, 20_000, 20_000]);
  assertEquals(soon.reduce((sum, ms) => sum + ms), 57_000);
  driver.open();
  driver.receive("c2/ACKNOWLEDGE Pub", `c2/SESSION ${TOKEN}; 12`);
  driver.pass(10_000);
  driver.forget();
  driver.close(1006);
  assertEquals(driver.eventsOf("state").map(({ state }) => state), ["waiting", "opening"]);
});

Deno.test("each wait is half to one and a half of that, without a moment at which many clients try", () => {
  for (
    const [tries, ms] of [[1, 1000], [4, 5000], [13, 5000], [14, 10_000], [15, 20_000], [
      1e9,
      20_000,
    ]] as const
  ) {
    const waits = [0, 0.25, 0.5, 0.75, 1].map((random) => backoffMs(tries, () => random) / ms);
    assertEquals(waits, [0.5, 0.75, 1, 1.25, 1.5], `${tries}`);
  }
});

Deno.test("a hint that the network is back causes the next try at once, and others soon", () => {
  const driver = inside();
  for (let n = 0; n < 10; n++) {
    driver.close(1006);
    driver.pass(driver.wakeAtMs! - driver.nowMs);
  }
  driver.close(1006);
  assertEquals(driver.session.phase, "waiting");
  driver.run(driver.session.hint(driver.nowMs));
  assertEquals(driver.session.phase, "opening");
  driver.close(1006);
  driver.pass(0);
  driver.close(1006);
  assertEquals(driver.wakeAtMs! - driver.nowMs, 1000);
});

Deno.test("a hint replaces a socket that does not open for 2 s, and leaves a new one alone", () => {
  const driver = new FakeDriver();
  driver.join("alice");
  driver.pass(1999);
  driver.run(driver.session.hint(driver.nowMs));
  assertEquals([driver.socket, driver.closes], [1, []]);
  driver.pass(1);
  driver.run(driver.session.hint(driver.nowMs));
  assertEquals([driver.socket, driver.closes], [2, ["1 4000 no answer"]]);
  assertEquals(driver.session.phase, "opening");
});

for (
  const [code, reason, cause, why] of [
    [1000, "resumed elsewhere", "elsewhere", "This conversation continues in another window."],
    [1008, "kicked", "kicked", "An operator removed you from this chat. You can join again."],
    [1008, "flood", "closed", "The server closed the connection: you sent too much too fast."],
    [1009, "", "closed", "The server closed the connection: code 1009."],
  ] as const
) {
  Deno.test(`a session does not come back by itself after ${code} ${reason}, and says why`, () => {
    const driver = inside();
    driver.close(code, reason);
    driver.pass(120_000);
    assertEquals(driver.eventsOf("state"), [{ state: "over", cause, text: why }]);
    assertEquals(driver.wakeAtMs, undefined);
    driver.join("alice");
    assertEquals(driver.session.phase, "opening");
  });
}

Deno.test("of the closes of a server a client comes back by itself after 1001, 1011, 1013 and none, PROTOCOL.md §8.1", () => {
  const codes = [0, 1000, 1001, 1002, 1005, 1006, 1007, 1008, 1009, 1011, 1013];
  assertEquals(codes.filter(comesBack), [0, 1001, 1005, 1006, 1011, 1013]);
});

Deno.test("a banned session ends with the ban's message", () => {
  const driver = inside();
  driver.receive("c2/DISCONNECT ban; alice; be kind; go home");
  driver.close(1008, "banned");
  assertEquals(driver.eventsOf("state").map((state) => "text" in state && state.text), [
    "You are banned from this server: be kind; go home",
  ]);
});

Deno.test("who is refused for the name tries another on the same socket", () => {
  const driver = new FakeDriver();
  driver.join("alice");
  driver.open();
  driver.receive("c2/ERROR Username is in use, or looks like one that is: choose another");
  assertEquals(driver.eventsOf("state").at(-1), {
    state: "refused",
    text: "Username is in use, or looks like one that is: choose another",
  });
  driver.pass(29_000);
  driver.join("alicia");
  driver.receive("c2/ACKNOWLEDGE Pub");
  assertEquals(driver.sent.slice(0, 2), ["c2/CONNECT alice", "c2/CONNECT alicia"]);
  assertEquals(driver.closes, []);
});

Deno.test("a socket that is lost while the user chooses a name is opened again with the name", () => {
  const driver = new FakeDriver();
  driver.join("alice");
  driver.open();
  driver.receive("c2/ERROR Username is in use, or looks like one that is: choose another");
  driver.close(1006);
  assertEquals([driver.session.phase, driver.wakeAtMs], ["refused", undefined]);
  driver.join("alicia");
  driver.open();
  assertEquals(driver.sent.at(-1), "c2/CONNECT alicia");
});

Deno.test("a banned address is refused with the reason when it joins", () => {
  const driver = new FakeDriver();
  driver.join("alice");
  driver.open();
  driver.receive("c2/ERROR You are banned from this server: enough");
  driver.close(1008, "banned");
  assertEquals(driver.eventsOf("state").at(-1), {
    state: "over",
    cause: "banned",
    text: "You are banned from this server: enough",
  });
});

Deno.test("an answer that nothing was asked for gives the connection up", () => {
  for (const frame of ["c2/ACKNOWLEDGE", "c2/PING 1", "c2/ERROR what"]) {
    const driver = inside();
    driver.receive(frame);
    assertEquals(driver.closes, ["1 4000 out of step"], frame);
  }
  const driver = inside();
  driver.send("hello");
  driver.receive("c2/PING 1");
  assertEquals(driver.closes, ["1 4000 out of step"], "a PING does not answer a SEND");
});

Deno.test("what is no frame is passed over", () => {
  const driver = inside();
  driver.receive("hello", "c2/", "c2/SHOUT x", "c2/MSG alice", `c2/MSG a; x; ${uuidOf(1)}; y`, "");
  assertEquals([driver.events, driver.closes], [[], []]);
});

Deno.test("one is said to be typing once in 3 s, and not while there is no connection", () => {
  const driver = inside();
  const type = () => driver.run(driver.session.typing(driver.nowMs));
  type();
  driver.receive("c2/ACKNOWLEDGE");
  driver.pass(2999);
  type();
  assertEquals(driver.sent, ["c2/TYPING"]);
  driver.pass(1);
  type();
  assertEquals(driver.sent, ["c2/TYPING", "c2/TYPING"]);
  driver.pass(3000);
  driver.close(1006);
  type();
  assertEquals(driver.sent.length, 2);
});

Deno.test("who leaves says so, and is over when the server closes, or after 3 s", () => {
  for (const answers of [true, false]) {
    const driver = inside();
    driver.run(driver.session.leave(driver.nowMs));
    assertEquals(driver.sent, ["c2/DISCONNECT"]);
    if (answers) {
      driver.receive("c2/DISCONNECT disconnect; alice");
      driver.close(1000, "goodbye");
    } else driver.pass(3000);
    assertEquals(driver.eventsOf("state").map((state) => "text" in state && state.text), ["You left."]);
    assertEquals(driver.closes.length, answers ? 0 : 1);
    driver.join("alice");
    driver.open();
    // Without an answer the server may hold the session, and its name.
    assertEquals(driver.sent.at(-1), answers ? "c2/CONNECT alice" : `c2/RESUME ${TOKEN}; 11`);
  }
});

Deno.test("a session that leaves with answers outstanding receives them, and is over only when the server closes", () => {
  const driver = inside();
  driver.send("hello");
  driver.run(driver.session.leave(driver.nowMs));
  const [nonce] = driver.nonces;
  driver.receive(`c2/ACKNOWLEDGE ${nonce}; ${uuidOf(1)}`, `c2/MSG alice; 1000; ${uuidOf(1)}; hello`);
  driver.receive("c2/DISCONNECT disconnect; alice");
  assertEquals(driver.eventsOf("acknowledged").length, 1);
  assertEquals(driver.eventsOf("left").length, 1);
  assertEquals(driver.closes, []);
  driver.close(1000, "goodbye");
  assertEquals(driver.session.phase, "over");
});

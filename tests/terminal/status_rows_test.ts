/**
 * The rows above the line: who is typing, the state of the connection, unsent drafts.
 *
 * @module
 */
import { assert, assertEquals, assertFalse } from "@std/assert";
import type { Message } from "../../src/client/session/session_events.ts";
import { SentMessages } from "../../terminal/screen/sent_messages.ts";
import { SERVER_NAME_MAX, StatusRows, TYPING_KEPT_MAX } from "../../terminal/screen/status_rows.ts";

Deno.test("who is typing is shown for 5 seconds, or until it is sent", () => {
  const rows = new StatusRows("ws://x");
  assertEquals(rows.rows(0, undefined), []);
  rows.types("bob", 0);
  assertEquals(rows.rows(4999, undefined), ["bob is typing"]);
  rows.types("carol", 1000);
  assertEquals(rows.rows(4999, undefined), ["bob, carol are typing"]);
  assertEquals(rows.rows(5000, undefined), ["carol is typing"]);
  rows.typed("carol");
  assertEquals(rows.rows(5000, undefined), []);
  assertFalse(rows.isTimed);
  for (const name of ["a", "b", "c", "d"]) rows.types(name, 0);
  assertEquals(rows.rows(1, undefined), ["4 are typing"]);
});

Deno.test("as many are kept in mind as the limit says, and one more is not", () => {
  const rows = new StatusRows("ws://x");
  for (let i = 0; i <= TYPING_KEPT_MAX; i++) rows.types(`user ${i}`, 0);
  assertEquals(rows.rows(1, undefined), [`${TYPING_KEPT_MAX} are typing`]);
});

Deno.test("a lost connection is shown with the time of the next try", () => {
  const rows = new StatusRows("ws://x");
  rows.setState({ type: "state", state: "opening" });
  assertEquals(rows.rows(0, undefined), ["connecting to ws://x"]);
  rows.setState({ type: "state", state: "live" });
  rows.types("bob", 0);
  assert(rows.isLive);
  rows.setState({ type: "state", state: "waiting", untilMs: 4000, text: "", isNameTaken: false });
  assertEquals(rows.rows(1001, undefined), ["no connection; next try in 3 s"]);
  assertEquals(rows.rows(5000, undefined), ["no connection; next try in 0 s"]);
  assert(rows.isTimed);
  rows.leaves();
  assertEquals(rows.rows(0, undefined), ["leaving"]);
});

Deno.test("one row has the server, its people and the connection", () => {
  const rows = new StatusRows("ws://x");
  rows.setState({ type: "state", state: "live" });
  rows.entered("The Harbour");
  assertEquals(rows.rows(0, undefined), ["The Harbour · connected"]);
  assertEquals(rows.rows(0, { here: 3, away: 0 }), ["The Harbour · 3 here · connected"]);
  rows.answered(14.6);
  assertEquals(rows.rows(0, { here: 3, away: 1 }), ["The Harbour · 3 here, 1 away · 15 ms"]);
  // Who is here is not known without a connection, and the next one has its own time.
  rows.setState({ type: "state", state: "waiting", untilMs: 4000, text: "", isNameTaken: false });
  assertEquals(rows.rows(1, { here: 3, away: 1 }), ["no connection; next try in 4 s · The Harbour"]);
  rows.setState({ type: "state", state: "opening" });
  assertEquals(rows.rows(1, { here: 3, away: 1 }), ["connecting · The Harbour"]);
  rows.setState({ type: "state", state: "live" });
  assertEquals(rows.rows(1, { here: 3, away: 1 }), ["The Harbour · 3 here, 1 away · connected"]);
  rows.leaves();
  assertEquals(rows.rows(1, { here: 3, away: 1 }), ["leaving · The Harbour"]);
});

Deno.test("a server's name is kept up to the limit, and of a longer one the beginning", () => {
  for (const length of [SERVER_NAME_MAX, SERVER_NAME_MAX + 1]) {
    const rows = new StatusRows("ws://x");
    rows.setState({ type: "state", state: "live" });
    rows.entered("x".repeat(length));
    assertEquals(rows.rows(0, undefined), [`${"x".repeat(SERVER_NAME_MAX)} · connected`]);
  }
});

const draft = (nonce: string, text = nonce) => ({ nonce, text, timestamp: 0 });
const own = (uuid: string, text: string, isOwn = true): Message => ({
  ...{ uuid, username: "me", timestamp: 0, receivedMs: 0, text, edited: false, isOwn },
});

Deno.test("what is not acknowledged is shown once that takes long", () => {
  const sent = new SentMessages();
  for (const nonce of ["a", "b", "c", "d", "e"]) sent.queued(draft(nonce, `${nonce}\n${nonce}`), 0);
  assertEquals(sent.rows(299), []);
  assertEquals(sent.rows(300), ["… a a", "… b b", "… c c", "… and 2 more are not sent yet"]);
  for (const nonce of ["a", "b"]) sent.acknowledged(draft(nonce));
  sent.offered("c");
  assertEquals([sent.rows(300), sent.waiting], [["… d d", "… e e"], 2]);
  assertEquals([sent.takeOffered(), sent.takeOffered()], [["c"], []]);
});

Deno.test("one's last messages are those that can be changed", () => {
  const sent = new SentMessages();
  sent.received(own("1", "one"));
  sent.received(own("2", "two", false));
  sent.received(own("3", "three"));
  sent.received(own("1", "one, changed"));
  assertEquals([sent.last(0)?.text, sent.last(1)?.text, sent.last(2)], [
    "three",
    "one, changed",
    undefined,
  ]);
  sent.received(own("3", ""));
  assertEquals(sent.last(0)?.uuid, "1");
  sent.disown();
  assertEquals(sent.last(0), undefined);
});

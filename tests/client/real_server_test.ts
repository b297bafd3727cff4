/**
 * The session against a real server over connections that are cut at any byte: each text is stored exactly once, and
 * each message is emitted once and in order.
 *
 * @module
 */
import { assertEquals } from "@std/assert";
import { testOverEachTransport as test } from "../support/chat_server.ts";
import { CuttingProxy } from "../support/cutting_proxy.ts";
import { SocketSession } from "../support/socket_session.ts";
import { wholeHistory } from "../support/whole_history.ts";

const CUTS = 10;
const TEXTS = 50;

test("a session whose connections are cut ten times sends each text once, and emits everything in order", async (start) => {
  await using chat = await start();
  let allowed = CUTS;
  let isFirst = true;
  await using proxy = new CuttingProxy({
    target: chat.port,
    bytesOfNext: () => {
      // The first connections are whole: if the answer to CONNECT were lost, the name would be taken for two minutes.
      if (isFirst) return undefined;
      return allowed-- > 0 ? 200 + Math.floor(Math.random() * 3000) : undefined;
    },
  });
  const done = Promise.withResolvers<void>();
  const inside = Promise.withResolvers<void>();
  const count = (session: SocketSession, type: string) =>
    session.events.filter((event) => event.type === type).length;
  const names = ["alice", "bob"];
  const sessions: SocketSession[] = [];
  const look = () => {
    if (sessions.length < names.length) return;
    if (sessions.every((session) => count(session, "history") > 0)) inside.resolve();
    if (sessions.every((session) => count(session, "message") === names.length * TEXTS)) done.resolve();
  };
  for (const name of names) sessions.push(new SocketSession(proxy.url, name, look));
  await inside.promise;
  isFirst = false;
  proxy.cutAll();
  for (let n = 0; n < TEXTS; n++) sessions.forEach((session, at) => session.send(`${names[at]} ${n}`));
  await done.promise;
  const history = await wholeHistory(chat.url);
  for (const session of sessions) session.leave();
  await Promise.all(sessions.map(({ over }) => over));

  assertEquals(proxy.cuts, CUTS);
  assertEquals(history.length, names.length * TEXTS);
  for (const [at, { events }] of sessions.entries()) {
    const emitted = events.flatMap((event) => event.type === "message" ? [event.message] : []);
    assertEquals(
      emitted.map(({ uuid, text }) => [uuid, text]),
      history.map(({ uuid, message }) => [uuid, message]),
    );
    assertEquals(
      emitted.filter(({ username }) => username === names[at]).map(({ text }) => text),
      Array.from({ length: TEXTS }, (_, n) => `${names[at]} ${n}`),
      "in the order in which they were written",
    );
    const how = events.flatMap((event) => event.type === "entered" ? [event.how] : []);
    assertEquals(new Set(how), new Set(["new", "resumed"]));
  }
});

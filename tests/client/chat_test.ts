/**
 * The package `@chatter/client` against real servers: what its requests resolve with and reject with, which events
 * arrive, and how a chat ends. Sockets that a test plays are chat_sockets_test.ts's matter.
 *
 * @module
 */
import { assert, assertEquals, assertMatch, assertRejects } from "@std/assert";
import { Chat, ChatError, type ChatErrorCode, type ChatEvent } from "../../src/client/mod.ts";
import { AdminApi, TOKEN } from "../support/admin_api.ts";
import { startTestChat, testOverEachTransport as test } from "../support/chat_server.ts";
import { ChatClient } from "../support/chat_client.ts";
import { CuttingProxy } from "../support/cutting_proxy.ts";
import { freePort } from "../support/free_port.ts";
import { wholeHistory } from "../support/whole_history.ts";

async function rejectsWith(code: ChatErrorCode, asked: () => Promise<unknown>): Promise<ChatError> {
  const error = await assertRejects(asked, ChatError);
  assertEquals(error.code, code, error.message);
  return error;
}

/** The next `count` values of a loop. */
async function take<T>(loop: AsyncIterableIterator<T>, count: number): Promise<T[]> {
  const taken: T[] = [];
  while (taken.length < count) {
    const { value, done } = await loop.next();
    assert(!done, `the loop ended after ${taken.length}`);
    taken.push(value);
  }
  return taken;
}

/** An event in a few words. */
function words(event: ChatEvent): string {
  switch (event.type) {
    case "message":
    case "edited":
    case "deleted":
      return `${event.type} ${event.message.username} ${event.message.text}`.trim();
    case "joined":
    case "left":
    case "typing":
      return `${event.type} ${event.username}`;
    case "renamed":
      return `renamed ${event.from} ${event.to}`;
    case "ended":
      return `ended ${event.error.code}`;
    default:
      return event.type;
  }
}

test("a chat says, changes, finds and reads messages, and others receive each event", async (start) => {
  await using server = await start({ name: "Pub" });
  const alice = await Chat.connect(server.url, { name: "alice" });
  const events = alice.events("message", "edited", "deleted", "joined", "left", "renamed", "typing");
  const bob = await Chat.connect(server.url, { name: "bob" });
  assertEquals([bob.serverName, bob.username, bob.users, bob.away, bob.recent], [
    "Pub",
    "bob",
    ["alice", "bob"],
    [],
    [],
  ]);
  assertEquals(bob.info["serverName"], "Pub");

  const ids = [await bob.say("one"), await bob.say("two; three"), await bob.say("four")];
  assertEquals(ids, ids.toSorted());
  await bob.edit(ids[0]!, "one and a half");
  bob.typing();
  await bob.rename("Bobby");
  await bob.delete(ids[2]!);
  assertEquals(bob.username, "Bobby");

  const page = await bob.history({ limit: 2 });
  assertEquals(page.map(({ uuid, text, edited, isOwn }) => [uuid, text, edited, isOwn]), [
    [ids[1], "two; three", false, true],
    [ids[2], "", true, true],
  ]);
  const older = await bob.history({ before: ids[1] });
  assertEquals(older.map(({ text }) => text), ["one and a half"]);
  assertEquals(await bob.history({ before: ids[0] }), []);
  const { messages, searchedTo } = await bob.search("HALF one");
  assertEquals([messages.map(({ uuid }) => uuid), searchedTo], [[ids[0]], undefined]);

  await bob.leave();
  assertEquals((await take(events, 9)).map(words), [
    "joined bob",
    "message bob one",
    "message bob two; three",
    "message bob four",
    "edited bob one and a half",
    "typing bob",
    "renamed bob Bobby",
    "deleted Bobby",
    "left Bobby",
  ]);
  assertEquals(alice.users, ["alice"]);
  assertEquals(alice.recent, []);

  // Under the same name, and what it wrote is no message of this session.
  const again = await Chat.connect(server.url, { name: "bob" });
  assertEquals(again.recent.map(({ username, text, isOwn }) => [username, text, isOwn]), [
    ["bob", "one and a half", false],
    ["bob", "two; three", false],
    ["Bobby", "", false],
  ]);
  await Promise.all([alice.leave(), again.leave()]);
});

Deno.test("what a server refuses is rejected with the name of its fault and what is allowed", async () => {
  await using server = await startTestChat();
  await using bob = await ChatClient.connect(server.url, "bob");
  await bob.ask("c2/MSG 1; mine");
  const alice = await Chat.connect(server.url, { name: "alice" });
  const foreign = alice.recent[0]!.uuid;
  const { message } = await rejectsWith("MESSAGE_TOO_LONG", () => alice.say("a".repeat(4001)));
  assertMatch(message, /1 to 4000 characters are allowed/);
  await rejectsWith("MESSAGE_EMPTY", () => alice.say(""));
  await rejectsWith("MESSAGE_HAS_NUL", () => alice.say("a\0b"));
  await rejectsWith("NOT_YOUR_MESSAGE", () => alice.edit(foreign, "no"));
  await rejectsWith("NOT_YOUR_MESSAGE", () => alice.delete(foreign));
  await rejectsWith("UUID_MALFORMED", () => alice.delete("it"));
  await rejectsWith("NAME_TAKEN", () => alice.rename("BOB"));
  await rejectsWith("HISTORY_LIMIT", () => alice.history({ limit: 201 }));
  await rejectsWith("SEARCH_LIMIT", () => alice.search("a", { limit: 51 }));
  await rejectsWith("SEARCH_EMPTY", () => alice.search(" "));
  await rejectsWith("NAME_TAKEN", () => Chat.connect(server.url, { name: "Bob" }));
  await rejectsWith("NAME_MALFORMED", () => Chat.connect(server.url, { name: "a;b" }));
  assertEquals(await alice.say("still here"), (await alice.history({ limit: 1 }))[0]!.uuid);
  await alice.leave();
});

Deno.test("an address is read as a browser shows it, and one of another kind is refused", async () => {
  await using server = await startTestChat({ port: freePort() });
  for (const url of [server.url, new URL(server.url), `ws://127.0.0.1:${server.port}/#here`]) {
    const chat = await Chat.connect(url, { name: "alice" });
    await chat.leave();
  }
  const wrong = ["ftp://localhost", "localhost:5000", "localhost"];
  for (const url of wrong) await assertRejects(() => Chat.connect(url, { name: "alice" }), TypeError);
  await server.stop();
  const { message } = await rejectsWith("UNREACHABLE", () => Chat.connect(server.url, { name: "alice" }));
  assertMatch(message, /^Cannot reach ws:\/\/127\.0\.0\.1:[0-9]+\/: ./);
});

test("over connections that are cut at any byte each message arrives once and in order", async (start) => {
  const [cuts, texts] = [12, 60];
  await using server = await start();
  let allowed = cuts;
  let isWhole = true;
  await using proxy = new CuttingProxy({
    target: server.port,
    bytesOfNext: () => isWhole || allowed-- <= 0 ? undefined : 200 + Math.floor(Math.random() * 3000),
  });
  const names = ["alice", "bob"];
  const chats = await Promise.all(names.map((name) => Chat.connect(proxy.url, { name })));
  const loops = chats.map((chat) => chat.messages());
  const resumed: boolean[] = [];
  for (const chat of chats) {
    // A test does not wait for the next try.
    chat.on("lost", () => dispatchEvent(new Event("online")));
    chat.on("reconnected", ({ isResumed }) => void resumed.push(isResumed));
  }
  const retry = setInterval(() => dispatchEvent(new Event("online")), 20);
  isWhole = false;
  proxy.cutAll();
  const said = await Promise.all(
    chats.flatMap((chat, at) => Array.from({ length: texts }, (_, n) => chat.say(`${names[at]} ${n}`))),
  );
  const received = await Promise.all(loops.map((loop) => take(loop, said.length)));
  clearInterval(retry);
  await Promise.all(chats.map((chat) => chat.leave()));
  const history = await wholeHistory(server.url);
  assertEquals(said.toSorted(), history.map(({ uuid }) => uuid));
  for (const [at, messages] of received.entries()) {
    assertEquals(messages.map(({ uuid, text }) => [uuid, text]), history.map((m) => [m.uuid, m.message]));
    const own = messages.filter(({ isOwn }) => isOwn);
    assertEquals(own.map(({ text }) => text), Array.from({ length: texts }, (_, n) => `${names[at]} ${n}`));
  }
  assert(resumed.length > 0 && resumed.every((isResumed) => isResumed), resumed.join());
});

Deno.test("leaving sends what was said before, ends loops without an error, and refuses what is asked later", async () => {
  await using server = await startTestChat();
  await using bob = await ChatClient.connect(server.url, "bob");
  const chat = await Chat.connect(server.url, { name: "alice" });
  const loop = chat.events("ended");
  const said = Promise.all([chat.say("good"), chat.say("bye")]);
  await Promise.all([chat.leave(), chat.leave()]);
  await said;
  assertMatch(await bob.next(), /good$/);
  assertMatch(await bob.next(), /bye$/);
  assertEquals(await bob.next(), "c2/DISCONNECT disconnect; alice");
  assertEquals((await take(loop, 1)).map(words), ["ended LEFT"]);
  assertEquals((await loop.next()).done, true);
  assertEquals([(await chat.ended).error.code, chat.isConnected], ["LEFT", false]);
  await rejectsWith("LEFT", () => chat.say("late"));
  await rejectsWith("LEFT", () => chat.history());
  chat.typing();
  assertEquals((await chat.messages().next()).done, true);
});

Deno.test("an operator who kicks or bans ends the chat with that, and its loops throw it", async () => {
  await using server = await startTestChat({ adminToken: TOKEN });
  const admin = new AdminApi(server.url);
  const chat = await Chat.connect(server.url, { name: "alice" });
  const loop = chat.messages();
  assertEquals((await admin.post("kick", { name: "alice" })).status, 200);
  await rejectsWith("KICKED", () => loop.next());
  assertEquals((await loop.next()).done, true);
  assertEquals((await chat.ended).error.code, "KICKED");
  await rejectsWith("KICKED", () => chat.say("late"));

  const again = await Chat.connect(server.url, { name: "alice" });
  const ended = again.ended;
  await admin.post("bans", { name: "alice", message: "be kind" });
  const { error } = await ended;
  assertEquals(error.code, "BANNED");
  assertMatch(error.message, /be kind/);
  await rejectsWith("NAME_BANNED", () => Chat.connect(server.url, { name: "alice" }));
});

Deno.test("an aborted signal ends a chat at once: requests reject with its reason, loops end, others see it leave", async () => {
  await using server = await startTestChat();
  await using bob = await ChatClient.connect(server.url, "bob");
  const control = new AbortController();
  const { signal } = control;
  const chat = await Chat.connect(server.url, { name: "alice", signal });
  const loop = chat.messages();
  const next = loop.next();
  const asked = chat.history();
  const reason = new Error("enough");
  control.abort(reason);
  assertEquals(await assertRejects(() => asked), reason);
  assertEquals((await next).done, true);
  assertEquals((await chat.ended).error.code, "LEFT");
  assertEquals(await bob.next(), "c2/DISCONNECT disconnect; alice");
  assertEquals(await assertRejects(() => Chat.connect(server.url, { name: "carol", signal })), reason);
});

Deno.test("an abort ends connecting, and waiting for another try", async () => {
  const listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  const url = `ws://127.0.0.1:${listener.addr.port}`;
  const connecting = new AbortController();
  const never = Chat.connect(url, { name: "alice", signal: connecting.signal });
  const socket = await listener.accept();
  connecting.abort();
  await assertRejects(() => never, DOMException, "abort");
  socket.close();
  listener.close();
  const waiting = new AbortController();
  const tries = Chat.connect(url, { name: "alice", signal: waiting.signal, waitMs: 1e6 });
  waiting.abort();
  await assertRejects(() => tries, DOMException, "abort");
});

Deno.test("with waitMs a program joins again under the name that the server holds for its lost session", async () => {
  await using server = await startTestChat({ limits: { resumeWindow: 1 } });
  await using proxy = new CuttingProxy({ target: server.port });
  const control = new AbortController();
  const lost = await Chat.connect(proxy.url, { name: "alice", signal: control.signal });
  await using bob = await ChatClient.open(server.url, true);
  await bob.ask("c2/CONNECT bob");
  // As a program that is killed: its connection ends, and it does not come back.
  const release = proxy.cutAndHold();
  while (await bob.next() !== "c2/AWAY alice");
  await rejectsWith("NAME_HELD", () => Chat.connect(server.url, { name: "alice" }));
  const chat = await Chat.connect(server.url, { name: "alice", waitMs: 60_000 });
  await chat.leave();
  control.abort();
  await lost.ended;
  release();
});

Deno.test("events wait until the program listens, and a listener that throws stops no other", async () => {
  await using server = await startTestChat();
  await using bob = await ChatClient.connect(server.url, "bob");
  const chat = await Chat.connect(server.url, { name: "alice" });
  await bob.ask("c2/MSG 1; early");
  await chat.say("a program says this before it listens");
  const thrown: string[] = [];
  const keep = (event: ErrorEvent) => {
    event.preventDefault();
    if (thrown.push(event.error.message) === 3) three.resolve();
  };
  const three = Promise.withResolvers<void>();
  addEventListener("error", keep);
  const received: string[] = [];
  const two = Promise.withResolvers<void>();
  chat.on("message", () => {
    throw new Error("a bug");
  });
  const off = chat.on("message", ({ message }) => {
    if (received.push(message.text) === 2) two.resolve();
  });
  await two.promise;
  off();
  await chat.say("after it stopped");
  await three.promise;
  removeEventListener("error", keep);
  assertEquals(received, ["early", "a program says this before it listens"]);
  assertEquals(thrown, ["a bug", "a bug", "a bug"]);
  await chat.leave();
});

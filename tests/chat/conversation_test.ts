/**
 * Conversations over real sockets: what a client sends, and every frame that everybody gets for it, in order.
 *
 * @module
 */
import { assert, assertEquals, assertMatch } from "@std/assert";
import { validate } from "@std/uuid/v7";
import { ChatClient } from "../support/chat_client.ts";
import { testOverEachTransport as test } from "../support/chat_server.ts";

const NO_FLOOD = { floodRate: 0, maxUnansweredFrames: 10_000 };

test("CONNECT is acknowledged with the server's name, and nobody else hears of it", async (start) => {
  await using chat = await start({ name: "Tea Room" });
  await using alice = await ChatClient.open(chat.url);
  await using stranger = await ChatClient.open(chat.url);
  assertEquals(await alice.ask("c2/CONNECT alice"), "c2/ACKNOWLEDGE Tea Room");
  assertEquals(await stranger.drain(), []);
  await using _bob = await ChatClient.connect(chat.url, "bob");
  assertEquals(await alice.drain(), []);
});

test("a MSG is acknowledged, then told to everyone connected, its sender included, verbatim", async (start) => {
  await using chat = await start();
  await using alice = await ChatClient.connect(chat.url, "alice");
  await using bob = await ChatClient.connect(chat.url, "bob");
  await using stranger = await ChatClient.open(chat.url);
  const text = " a; b;c 👩‍👩‍👧\nשלום \t ";
  alice.send(`c2/MSG 0042; ${text}`);
  assertEquals(await alice.next(), "c2/ACKNOWLEDGE");
  const told = await alice.next();
  const uuid = told.split("; ")[2]!;
  assert(validate(uuid), uuid);
  assertEquals(told, `c2/MSG alice; 0042; ${uuid}; ${text}`);
  assertEquals(await bob.next(), told);
  assertEquals(await stranger.drain(), []);
  assertEquals(await alice.drain(), []);
});

test("a socket that has not connected may PING, and is refused everything else", async (start) => {
  await using chat = await start({ id: 77 });
  await using stranger = await ChatClient.open(chat.url);
  assertEquals(await stranger.ask("c2/PING"), "c2/PING 77");
  assertEquals(await stranger.ask("c2/PING 5"), "c2/PING 5; 77");
  const needConnection = [
    "c2/MSG 1; hi",
    "c2/QUERY active_users",
    "c2/QUERY history",
    "c2/QUERY server_info",
    "c2/QUERY update_message; 01a20abc-25e7-719d-bb6d-3d585843f73e; x",
    "c2/QUERY delete_message; 01a20abc-25e7-719d-bb6d-3d585843f73e",
    "c2/UPDATE username; bob",
    "c2/DISCONNECT",
  ];
  for (const frame of needConnection) {
    assertEquals(await stranger.ask(frame), "c2/ERROR Not connected: send c2/CONNECT username first", frame);
  }
});

test("active_users lists those connected, in order of joining, by the names they have now", async (start) => {
  await using chat = await start();
  await using alice = await ChatClient.connect(chat.url, "alice");
  await using bob = await ChatClient.connect(chat.url, "bob");
  await using _stranger = await ChatClient.open(chat.url);
  await using _carol = await ChatClient.connect(chat.url, "carol");
  await alice.ask("c2/UPDATE username; zoe");
  await bob.expect("c2/UPDATE alice; username; zoe");
  assertEquals(await bob.ask("c2/QUERY active_users"), "c2/ACKNOWLEDGE [zoe,bob,carol]");
});

test("a rename is told to everyone by the old name first, and frees the old name", async (start) => {
  await using chat = await start();
  await using alice = await ChatClient.connect(chat.url, "alice");
  await using bob = await ChatClient.connect(chat.url, "bob");
  assertEquals(
    await bob.ask("c2/UPDATE username; ALICE"),
    "c2/ERROR Username is in use, or looks like one that is: choose another",
  );
  alice.send("c2/UPDATE username; Alice");
  await alice.expect("c2/ACKNOWLEDGE", "c2/UPDATE alice; username; Alice");
  alice.send("c2/UPDATE username; eve");
  await alice.expect("c2/ACKNOWLEDGE", "c2/UPDATE Alice; username; eve");
  await bob.expect("c2/UPDATE alice; username; Alice", "c2/UPDATE Alice; username; eve");
  bob.send("c2/UPDATE username; alice");
  await bob.expect("c2/ACKNOWLEDGE", "c2/UPDATE bob; username; alice");
});

test("an edit keeps uuid and timestamp, carries the author's current name, and is the author's alone", async (start) => {
  await using chat = await start();
  await using alice = await ChatClient.connect(chat.url, "alice");
  await using bob = await ChatClient.connect(chat.url, "bob");
  const uuid = await alice.say("first");
  bob.send(`c2/QUERY update_message; ${uuid}; hacked`);
  await bob.expect(
    `c2/MSG alice; 1; ${uuid}; first`,
    "c2/ERROR Only the session that wrote a message may change it",
  );
  await alice.ask("c2/UPDATE username; zoe");
  await alice.drain();
  alice.send(`c2/QUERY update_message; ${uuid};  second; part`);
  await alice.expect("c2/ACKNOWLEDGE", `c2/MSG zoe; 1; ${uuid};  second; part`);
  assertEquals((await bob.drain()).slice(-1), [`c2/MSG zoe; 1; ${uuid};  second; part`]);
});

test("a deleted message is told with empty text, has none in history, and cannot be changed again", async (start) => {
  await using chat = await start();
  await using alice = await ChatClient.connect(chat.url, "alice");
  await using bob = await ChatClient.connect(chat.url, "bob");
  const uuid = await alice.say("secret");
  alice.send(`c2/QUERY delete_message; ${uuid}`);
  await alice.expect("c2/ACKNOWLEDGE", `c2/MSG alice; 1; ${uuid}; `);
  assertEquals(await bob.drain(), [`c2/MSG alice; 1; ${uuid}; secret`, `c2/MSG alice; 1; ${uuid}; `]);
  const history = await bob.ask("c2/QUERY history");
  assertEquals(JSON.parse(history.slice("c2/ACKNOWLEDGE ".length)), [
    { uuid, username: "alice", timestamp: 1, message: "", edited: true },
  ]);
  for (const change of [`update_message; ${uuid}; back`, `delete_message; ${uuid}`]) {
    assertEquals(await alice.ask(`c2/QUERY ${change}`), "c2/ERROR This message was deleted");
  }
});

test("DISCONNECT is told to everyone, the leaver included, then its socket is closed with 1000", async (start) => {
  await using chat = await start();
  await using alice = await ChatClient.connect(chat.url, "alice");
  await using bob = await ChatClient.connect(chat.url, "bob");
  alice.send("c2/DISCONNECT");
  await alice.expect("c2/DISCONNECT disconnect; alice");
  assertEquals((await alice.closed).code, 1000);
  await bob.expect("c2/DISCONNECT disconnect; alice");
  await using again = await ChatClient.connect(chat.url, "alice");
  assertEquals(await bob.drain(), [], "the close is no second notice");
  assertEquals(await again.ask("c2/QUERY active_users"), "c2/ACKNOWLEDGE [bob,alice]");
});

test("a socket that ends without DISCONNECT is told as lost_connection, once, and its name is free", async (start) => {
  await using chat = await start();
  await using bob = await ChatClient.connect(chat.url, "bob");
  for (let round = 0; round < 3; round++) {
    const alice = await ChatClient.connect(chat.url, "alice");
    alice.socket.close();
    await bob.expect("c2/DISCONNECT lost_connection; alice");
    await alice.closed;
  }
  const stranger = await ChatClient.open(chat.url);
  stranger.socket.close();
  await stranger.closed;
  assertEquals(await bob.drain(), [], "nobody is told of a socket that never connected");
});

test("a refused CONNECT may be tried again on the same socket", async (start) => {
  await using chat = await start({ limits: { maxUsers: 2 } });
  await using _alice = await ChatClient.connect(chat.url, "alice");
  await using bob = await ChatClient.open(chat.url);
  assertMatch(await bob.ask("c2/CONNECT a;b"), /^c2\/ERROR Username is malformed/);
  assertMatch(await bob.ask("c2/CONNECT ALICE"), /^c2\/ERROR Username is in use/);
  assertEquals(await bob.ask("c2/CONNECT bob"), "c2/ACKNOWLEDGE Test Server");
  assertMatch(await bob.ask("c2/CONNECT bob2"), /^c2\/ERROR Already connected/);
  await using carol = await ChatClient.open(chat.url);
  assertMatch(await carol.ask("c2/CONNECT carol"), /^c2\/ERROR Server is full: at most 2 users/);
  bob.send("c2/DISCONNECT");
  await bob.closed;
  assertEquals(await carol.ask("c2/CONNECT carol"), "c2/ACKNOWLEDGE Test Server");
});

test("answers come in the order of their frames, however many are sent at once", async (start) => {
  await using chat = await start({ id: 7, limits: NO_FLOOD });
  await using alice = await ChatClient.open(chat.url);
  for (
    const frame of [
      "c2/CONNECT alice",
      "c2/MSG 1; one",
      "nonsense",
      "c2/PING 5",
      "c2/MSG 2; two",
      "c2/QUERY active_users",
      "c2/UPDATE username; zoe",
      "c2/MSG 3; three",
      "c2/PING",
    ]
  ) alice.send(frame);
  alice.send(new Uint8Array([1, 2, 3]));
  const frames: string[] = [];
  while (frames.at(-1) !== "c2/ERROR Binary frames are not part of c2: send text") {
    frames.push(await alice.next());
  }
  const withoutIds = frames.map((frame) => frame.replace(/[0-9a-f]{8}-[0-9a-f-]{27}/, "ID"));
  assertEquals(withoutIds, [
    "c2/ACKNOWLEDGE Test Server",
    "c2/ACKNOWLEDGE",
    "c2/MSG alice; 1; ID; one",
    "c2/ERROR A frame starts with c2/ and a type, as in c2/PING",
    "c2/PING 5; 7",
    "c2/ACKNOWLEDGE",
    "c2/MSG alice; 2; ID; two",
    "c2/ACKNOWLEDGE [alice]",
    "c2/ACKNOWLEDGE",
    "c2/UPDATE alice; username; zoe",
    "c2/ACKNOWLEDGE",
    "c2/MSG zoe; 3; ID; three",
    "c2/PING 7",
    "c2/ERROR Binary frames are not part of c2: send text",
  ]);
});

test("everyone sees all broadcasts in one order, and ids increase in it", async (start) => {
  await using chat = await start({ limits: NO_FLOOD });
  const names = ["a", "b", "c", "d", "e"];
  const clients = await Promise.all(names.map((name) => ChatClient.connect(chat.url, name)));
  const each = 200;
  for (let i = 0; i < each; i++) {
    for (const client of clients) client.send(`c2/MSG ${i}; ${i}`);
  }
  const seen: string[][] = [];
  for (const client of clients) {
    const messages: string[] = [];
    let acknowledged = 0;
    while (messages.length < each * names.length) {
      const frame = await client.next();
      if (frame === "c2/ACKNOWLEDGE") acknowledged++;
      else messages.push(frame);
    }
    assertEquals(acknowledged, each);
    seen.push(messages);
  }
  for (const messages of seen) assertEquals(messages, seen[0]!);
  const ids = seen[0]!.map((message) => message.split("; ")[2]!);
  assertEquals(ids, ids.toSorted());
  assertEquals(new Set(ids).size, ids.length);
  for (const client of clients) await client[Symbol.asyncDispose]();
});

test("the sender's acknowledgement comes before the broadcast that it causes, under load too", async (start) => {
  await using chat = await start({ limits: NO_FLOOD });
  await using alice = await ChatClient.connect(chat.url, "alice");
  for (let i = 0; i < 300; i++) alice.send(`c2/MSG ${i}; x`);
  let acknowledged = 0;
  for (let told = 0; told < 300;) {
    const frame = await alice.next();
    if (frame === "c2/ACKNOWLEDGE") acknowledged++;
    else assert(++told <= acknowledged, "told before it was acknowledged");
  }
});

test("history pages backwards from the newest, newest last, with edits in their place", async (start) => {
  await using chat = await start({ limits: NO_FLOOD });
  await using alice = await ChatClient.connect(chat.url, "alice");
  const ids: string[] = [];
  for (let i = 0; i < 7; i++) ids.push(await alice.say(`text ${i}`));
  alice.send(`c2/QUERY update_message; ${ids[2]}; changed`);
  await alice.next();
  await alice.next();
  const page = async (query: string) => {
    const answer = await alice.ask(`c2/QUERY ${query}`);
    return JSON.parse(answer.slice("c2/ACKNOWLEDGE ".length)) as { message: string; edited: boolean }[];
  };
  assertEquals((await page("history")).map(({ message }) => message), [
    "text 0",
    "text 1",
    "changed",
    "text 3",
    "text 4",
    "text 5",
    "text 6",
  ]);
  assertEquals((await page("history; 3")).map(({ message }) => message), ["text 4", "text 5", "text 6"]);
  assertEquals(await page(`history; 2; ${ids[4]}`), [
    { uuid: ids[2], username: "alice", timestamp: 1, message: "changed", edited: true },
    { uuid: ids[3], username: "alice", timestamp: 1, message: "text 3", edited: false },
  ] as unknown as { message: string; edited: boolean }[]);
  assertEquals(await page(`history; 5; ${ids[0]}`), []);
});

test("history and edits reach behind what memory holds", async (start) => {
  await using chat = await start({ limits: NO_FLOOD });
  await using alice = await ChatClient.connect(chat.url, "alice");
  const first = await alice.say("the first");
  for (let i = 0; i < 600; i++) alice.send(`c2/MSG 1; filler ${i}`);
  await alice.drain();
  alice.send(`c2/QUERY update_message; ${first}; still mine`);
  await alice.expect("c2/ACKNOWLEDGE", `c2/MSG alice; 1; ${first}; still mine`);
  let before = "";
  const texts: string[] = [];
  while (true) {
    const answer = await alice.ask(`c2/QUERY history; 200${before}`);
    const page = JSON.parse(answer.slice("c2/ACKNOWLEDGE ".length)) as { uuid: string; message: string }[];
    if (page.length === 0) break;
    texts.unshift(...page.map(({ message }) => message));
    before = `; ${page[0]!.uuid}`;
  }
  assertEquals(texts, ["still mine", ...Array.from({ length: 600 }, (_, i) => `filler ${i}`)]);
});

test("a history answer of the largest messages stays small enough to be read, and can be paged on", async (start) => {
  await using chat = await start({ limits: { ...NO_FLOOD, maxOutboxBytes: 400_000 } });
  await using alice = await ChatClient.connect(chat.url, "alice");
  for (let i = 0; i < 40; i++) alice.send(`c2/MSG 1; ${"x".repeat(4000)}`);
  await alice.drain();
  const answer = await alice.ask("c2/QUERY history; 200");
  const page = JSON.parse(answer.slice("c2/ACKNOWLEDGE ".length)) as unknown[];
  assert(page.length > 20 && page.length < 40, `${page.length} messages`);
});

test("history, authorship aside, and the server's id survive a restart on the same file", async (start) => {
  const folder = await Deno.makeTempDir();
  try {
    const kv = `${folder}/not/there/yet/chat.db`;
    let id: number;
    let uuid: string;
    {
      await using chat = await start({ kv });
      id = chat.id;
      await using alice = await ChatClient.connect(chat.url, "alice");
      uuid = await alice.say("remember me");
    }
    await using chat = await start({ kv });
    assertEquals(chat.id, id);
    await using alice = await ChatClient.connect(chat.url, "alice");
    const history = await alice.ask("c2/QUERY history");
    assertEquals(
      history,
      `c2/ACKNOWLEDGE [{"uuid":"${uuid}","username":"alice","timestamp":1,"message":"remember me","edited":false}]`,
    );
    assertMatch(await alice.ask(`c2/QUERY update_message; ${uuid}; x`), /^c2\/ERROR Only the session/);
    assert(await alice.say("newer") > uuid);
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
});

test("a socket that does not CONNECT in time is closed with 1008, although it sent a PING", async (start) => {
  await using chat = await start({ limits: { connectTimeout: 1 } });
  await using alice = await ChatClient.connect(chat.url, "alice");
  await using stranger = await ChatClient.open(chat.url);
  // That a PING at the last moment does not extend it either is session_test.ts's to show, with a clock of its own.
  assertEquals(await stranger.ask("c2/PING 1"), `c2/PING 1; ${chat.id}`);
  assertEquals(await stranger.closed, { code: 1008, reason: "no CONNECT in time" });
  assertEquals(await alice.ask("c2/PING 1"), `c2/PING 1; ${chat.id}`, "who connected stays");
});

test("a server that stops closes everyone with 1001 and a reason, connected or not", async (start) => {
  const chat = await start();
  await using alice = await ChatClient.connect(chat.url, "alice");
  await using stranger = await ChatClient.open(chat.url);
  await chat.stop();
  assertEquals(await alice.closed, { code: 1001, reason: "server is stopping" });
  assertEquals(await stranger.closed, { code: 1001, reason: "server is stopping" });
  assertEquals(alice.seen.slice(1), [], "nobody is told of those who were put out by the stop");
});

test("WebSocket is answered at any path that is no other route, and HTTP beside it", async (start) => {
  await using chat = await start();
  await using alice = await ChatClient.open(`${chat.url}/some/where`);
  assertEquals(await alice.ask("c2/CONNECT alice"), "c2/ACKNOWLEDGE Test Server");
  for (
    const [path, status] of [["/", 200], ["/healthz", 200], ["/readyz", 200], ["/nowhere", 404]] as const
  ) {
    const response = await fetch(chat.url + path);
    await response.body?.cancel();
    assertEquals(response.status, status, path);
  }
});

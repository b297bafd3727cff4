/**
 * Conversations over real sockets that no transcript can show: many frames at once, and large ones. transcripts_test.ts
 * shows the answer to each frame.
 *
 * @module
 */
import { assert, assertEquals, assertMatch } from "@std/assert";
import { ChatClient } from "../support/chat_client.ts";
import { startTestChat, testOverEachTransport as test } from "../support/chat_server.ts";
import { inTempFolder } from "../support/temp_folder.ts";

const NO_FLOOD = { floodRate: 0, maxUnansweredFrames: 10_000 };

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

test("everyone sees all broadcasts in one order with ids that increase, each after its acknowledgement", async (start) => {
  await using chat = await start({ limits: NO_FLOOD });
  const names = ["a", "b", "c", "d", "e"];
  const clients = await Promise.all(names.map((name) => ChatClient.connect(chat.url, name)));
  const each = 200;
  for (let i = 0; i < each; i++) {
    for (const client of clients) client.send(`c2/MSG ${i}; ${i}`);
  }
  const seen: string[][] = [];
  for (const [i, client] of clients.entries()) {
    const name = names[i];
    const messages: string[] = [];
    let acknowledged = 0;
    let own = 0;
    while (messages.length < each * names.length) {
      const frame = await client.next();
      if (frame === "c2/ACKNOWLEDGE") acknowledged++;
      else messages.push(frame);
      if (frame.startsWith(`c2/MSG ${name};`)) {
        assert(++own <= acknowledged, "told before it was acknowledged");
      }
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

Deno.test("history and edits reach behind what memory holds", async () => {
  await using chat = await startTestChat({ limits: NO_FLOOD });
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

Deno.test("a history answer of the largest messages stays small enough to be read, and can be paged on", async () => {
  await using chat = await startTestChat({ limits: { ...NO_FLOOD, maxOutboxBytes: 400_000 } });
  await using alice = await ChatClient.connect(chat.url, "alice");
  for (let i = 0; i < 40; i++) alice.send(`c2/MSG 1; ${"x".repeat(4000)}`);
  await alice.drain();
  const answer = await alice.ask("c2/QUERY history; 200");
  const page = JSON.parse(answer.slice("c2/ACKNOWLEDGE ".length)) as unknown[];
  assert(page.length > 20 && page.length < 40, `${page.length} messages`);
});

Deno.test("history, authorship aside, and the server's id survive a restart on the same file", async () => {
  await inTempFolder(async (folder) => {
    const kv = `${folder}/not/there/yet/chat.db`;
    let id: number;
    let uuid: string;
    let before: string;
    {
      await using chat = await startTestChat({ kv });
      id = chat.id;
      await using alice = await ChatClient.connect(chat.url, "alice");
      uuid = await alice.say("remember me");
      await alice.drain();
      before = await alice.ask("c2/QUERY history");
    }
    await using chat = await startTestChat({ kv });
    assertEquals(chat.id, id);
    await using alice = await ChatClient.connect(chat.url, "alice");
    assertEquals(await alice.ask("c2/QUERY history"), before);
    const received = /"received":([0-9]+)\}\]$/.exec(before)?.[1];
    assertEquals(
      before,
      `c2/ACKNOWLEDGE [{"uuid":"${uuid}","username":"alice","timestamp":1,"message":"remember me","edited":false,"received":${received}}]`,
    );
    assertMatch(await alice.ask(`c2/QUERY update_message; ${uuid}; x`), /^c2\/ERROR Only the session/);
    assert(await alice.say("newer") > uuid);
  });
});

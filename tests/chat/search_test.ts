/**
 * Searches over real sockets: of plain and extended clients, of many messages in a file, before and after a restart,
 * PROTOCOL.md §5.6.
 *
 * @module
 */
import { assert, assertEquals } from "@std/assert";
import { readSearch } from "../../src/protocol/codec.ts";
import { ChatClient } from "../support/chat_client.ts";
import { testOverTransportsAndGateways as test } from "../support/chat_server.ts";
import { inTempFolder } from "../support/temp_folder.ts";

/** More than memory holds. */
const MESSAGES = 700;

/** All texts that a search finds, in as many queries as it takes. */
async function searchAll(client: ChatClient, words: string, limit = 50): Promise<string[]> {
  const found: string[] = [];
  for (let before = ""; found.length <= MESSAGES;) {
    const frame = await client.ask(`c2/QUERY search; ${limit}; ${before}; ${words}`);
    const answer = readSearch(frame.slice("c2/ACKNOWLEDGE ".length));
    assert(answer !== undefined, frame);
    found.push(...answer.messages.map(({ message }) => message));
    if (answer.searchedTo === null) return found;
    before = answer.searchedTo;
  }
  throw new Error(`"${words}" has no end`);
}

test("a search finds the messages of a file, over a restart and without what was deleted", (start) =>
  inTempFolder(async (folder) => {
    const limits = { floodRate: 0, maxSearchMessages: 200 };
    const options = { kv: `${folder}/chat.db`, limits };
    const expected = Array.from({ length: MESSAGES }, (_, n) => `message ${n}`)
      .filter((_, n) => n % 100 === 7).toReversed();
    {
      await using chat = await start(options);
      await using alice = await ChatClient.connect(chat.url, "alice");
      await using bob = await ChatClient.open(chat.url, true);
      await bob.ask("c2/CONNECT bob");
      for (let n = 0; n < MESSAGES; n += 100) {
        for (let i = n; i < n + 100; i++) alice.send(`c2/MSG 1; ${i % 100 === 7 ? "Message" : "m"} ${i}`);
        await alice.drain();
      }
      const gone = await alice.say("message to delete");
      await alice.drain();
      alice.send(`c2/QUERY delete_message; ${gone}`);
      await alice.drain();
      await bob.drain();
      const found = expected.map((text) => text.replace("m", "M"));
      assertEquals(await searchAll(alice, "MESSAGE"), found);
      assertEquals(await searchAll(bob, "age ess", 2), found);
    }
    await using chat = await start(options);
    await using carol = await ChatClient.connect(chat.url, "carol");
    assertEquals(await searchAll(carol, "message"), expected.map((text) => text.replace("m", "M")));
    assertEquals(await searchAll(carol, "delete"), []);
  }));

test("the answers of a session are in the order of its frames, searches or not", async (start) => {
  await using chat = await start();
  await using alice = await ChatClient.connect(chat.url, "alice");
  await alice.say("tea");
  await alice.drain();
  const search = "c2/QUERY search; 1; ; tea";
  for (let n = 0; n < 5; n++) {
    for (const frame of [search, `c2/PING ${n}`, "c2/SHOUT", search]) alice.send(frame);
  }
  for (let n = 0; n < 5; n++) {
    assert((await alice.next()).startsWith('c2/ACKNOWLEDGE {"messages":[{'));
    assert((await alice.next()).startsWith(`c2/PING ${n}; `));
    assert((await alice.next()).startsWith("c2/ERROR Unknown frame type"));
    assert((await alice.next()).startsWith('c2/ACKNOWLEDGE {"messages":[{'));
  }
});

test("a session that may have one unanswered frame searches again at once", async (start) => {
  await using chat = await start({ limits: { maxUnansweredFrames: 1 } });
  await using alice = await ChatClient.connect(chat.url, "alice");
  for (let n = 0; n < 5; n++) {
    assertEquals(
      await alice.ask("c2/QUERY search; 1; ; tea"),
      'c2/ACKNOWLEDGE {"messages":[],"searchedTo":null}',
    );
  }
});

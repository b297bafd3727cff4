/**
 * What was deleted, edited away, or said before a session joined, over real sockets: not in a resume, the history or an
 * export, before and after a restart, PROTOCOL.md §5.3 and §12.3.
 *
 * @module
 */
import { assert, assertEquals } from "@std/assert";
import { FAULTS } from "../../src/protocol/faults.ts";
import { AdminApi, TOKEN } from "../support/admin_api.ts";
import { ChatClient } from "../support/chat_client.ts";
import { testOverTransportsAndGateways as test } from "../support/chat_server.ts";
import { inTempFolder } from "../support/temp_folder.ts";

const GONE = /secret|draft/;

interface Session {
  readonly token: string;
  readonly position: number;
}

async function readSession(client: ChatClient): Promise<Session> {
  const [token = "", position] = (await client.next()).slice("c2/SESSION ".length).split("; ");
  return { token, position: Number(position) };
}

/** Joins in the extended mode, and loses its connection. */
async function joinAndLose(url: string, name: string): Promise<Session> {
  await using client = await ChatClient.open(url, true);
  await client.ask(`c2/CONNECT ${name}`);
  return await readSession(client);
}

/** What a resume replays, or its refusal. */
async function resume(url: string, { token, position }: Session): Promise<string[]> {
  await using client = await ChatClient.open(url, true);
  const answer = await client.ask(`c2/RESUME ${token}; ${position}`);
  if (answer.startsWith("c2/ERROR ")) return [answer];
  await readSession(client);
  client.send("c2/PING 1");
  const frames: string[] = [];
  for (let frame = await client.next(); !frame.startsWith("c2/PING "); frame = await client.next()) {
    frames.push(frame);
  }
  return frames;
}

async function change(client: ChatClient, query: string): Promise<void> {
  await client.drain();
  assertEquals(await client.ask(query), "c2/ACKNOWLEDGE");
}

test("a deleted or changed text is in no resume, history or export, nor is anything from before a session", (start) =>
  inTempFolder(async (folder) => {
    const options = { kv: `${folder}/chat.db`, adminToken: TOKEN };
    let bob: Session, carol: Session, expected: string[];
    {
      await using chat = await start(options);
      await using alice = await ChatClient.connect(chat.url, "alice");
      const early = await alice.say("secret one");
      bob = await joinAndLose(chat.url, "bob");
      const late = await alice.say("secret two");
      const edited = await alice.say("draft");
      const kept = await alice.say("kept");
      for (const uuid of [early, late]) await change(alice, `c2/QUERY delete_message; ${uuid}`);
      await change(alice, "c2/UPDATE username; alicia");
      await change(alice, `c2/QUERY update_message; ${edited}; final`);
      carol = await joinAndLose(chat.url, "carol");
      const deletions = [early, late].map((uuid) => `c2/MSG alice; 1; ${uuid}; `);
      const final = `c2/MSG alicia; 1; ${edited}; final`;
      expected = [deletions[1]!, final, `c2/MSG alice; 1; ${kept}; kept`, ...deletions, final];
      assertEquals(messagesIn(await resume(chat.url, bob)), expected);
      await check(chat.url);
    }
    await using chat = await start(options);
    assertEquals(messagesIn(await resume(chat.url, bob)), expected, "after a restart");
    const before = { ...carol, position: carol.position - 8 };
    assertEquals(await resume(chat.url, before), [`c2/ERROR ${FAULTS.RESUME_POSITION}`]);
    await check(chat.url);
  }));

function messagesIn(frames: readonly string[]): string[] {
  return frames.filter((frame) => frame.startsWith("c2/MSG "));
}

/** History and export have no text that is gone, and each message under the name of its last broadcast. */
async function check(url: string): Promise<void> {
  await using reader = await ChatClient.connect(url, "reader");
  const history = await reader.ask("c2/QUERY history");
  const exported = (await new AdminApi(url).get("export")).text;
  for (const text of [history, exported]) assert(!GONE.test(text), text);
  const names = [["alice", ""], ["alice", ""], ["alicia", "final"], ["alice", "kept"]];
  const entries = JSON.parse(history.slice("c2/ACKNOWLEDGE ".length)) as {
    username: string;
    message: string;
  }[];
  assertEquals(entries.map(({ username, message }) => [username, message]), names);
  const rows = JSON.parse(exported).rows as { kind: string; username: string; text: string }[];
  const messages = rows.filter(({ kind }) => kind === "message");
  assertEquals(messages.map(({ username, text }) => [username, text]), names);
}

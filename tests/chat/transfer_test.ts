/**
 * Rows put into a chat server that runs, by its admin API: what is taken, skipped and refused, and when it shows.
 *
 * @module
 */
import { assert, assertEquals, assertStringIncludes } from "@std/assert";
import type { RunningChat } from "../../chat/mod.ts";
import { firstIdAt } from "../../chat/room/message_id.ts";
import type { TransferRow } from "../../src/kv/transfer.ts";
import { AdminApi, TOKEN } from "../support/admin_api.ts";
import { ChatClient } from "../support/chat_client.ts";
import { startTestChat, testOverEachTransport } from "../support/chat_server.ts";

const HOUR_MS = 3_600_000;

function row(ageMs: number, text: string, more: object = {}): TransferRow {
  const message = {
    kind: "message",
    uuid: firstIdAt(Date.now() - ageMs),
    author: "8e2c3f0a-0000-4000-8000-000000000000",
    username: "alice",
    timestamp: "1",
    text,
    edited: false,
    ...more,
  };
  return message;
}

async function history(client: ChatClient): Promise<{ uuid: string; message: string }[]> {
  await client.drain();
  return JSON.parse((await client.ask("c2/QUERY history")).slice("c2/ACKNOWLEDGE ".length));
}

async function texts(client: ChatClient): Promise<string[]> {
  return (await history(client)).map(({ message }) => message);
}

async function exported(chat: RunningChat, query = ""): Promise<TransferRow[]> {
  const api = new AdminApi(chat.url);
  const rows: TransferRow[] = [];
  for (let cursor: string | null = "message "; cursor !== null;) {
    const { json }: { json: { rows: TransferRow[]; next: string | null } } = await api.get(
      `export?cursor=${encodeURIComponent(cursor)}${query}`,
    );
    rows.push(...json.rows);
    cursor = json.next;
  }
  return rows;
}

testOverEachTransport("imported messages show in their places at once, and go on after it", async (start) => {
  await using chat = await start({ adminToken: TOKEN });
  const api = new AdminApi(chat.url);
  await using alice = await ChatClient.connect(chat.url, "alice");
  const said = await alice.say("said here");
  const rows = [
    row(HOUR_MS, "an hour ago"),
    row(3 * HOUR_MS, "three hours ago"),
    row(2 * HOUR_MS, "", { edited: true }),
  ];
  const first = await api.post("import", { rows });
  assertEquals([first.status, first.json], [200, { taken: 3, skipped: 0 }], first.text);
  assertEquals(await texts(alice), ["three hours ago", "", "an hour ago", "said here"]);
  assertEquals((await api.post("import", { rows })).json, { taken: 0, skipped: 3 });
  assertEquals((await api.post("import", { rows: [row(90 * 60_000, "between")] })).json, {
    taken: 1,
    skipped: 0,
  });
  await alice.say("and after");
  assertEquals(await texts(alice), [
    "three hours ago",
    "",
    "between",
    "an hour ago",
    "said here",
    "and after",
  ]);
  assertEquals(await alice.ask(`c2/QUERY update_message; ${said}; changed`), "c2/ACKNOWLEDGE");
  const kept = await exported(chat) as (TransferRow & { uuid: string; text: string })[];
  assertEquals(kept.map(({ text }) => text), [
    "three hours ago",
    "",
    "between",
    "an hour ago",
    "changed",
    "and after",
  ]);
});

testOverEachTransport("a batch with a row that cannot be is refused whole, with the row", async (start) => {
  await using chat = await start({ adminToken: TOKEN, limits: { maxMessageLength: 5 } });
  const api = new AdminApi(chat.url);
  const good = row(HOUR_MS, "good");
  const bad: [unknown, RegExp][] = [
    [row(HOUR_MS, "longer"), /row 1 \(text: at most 5 characters are allowed, by --max-message-length\)/],
    [row(HOUR_MS, ""), /row 1 \(text: only a message that was deleted has none\)/],
    [row(-HOUR_MS, "new"), /row 1 \(uuid: it is of the future\)/],
    [row(HOUR_MS, "a", { uuid: "x" }), /row 1 \(uuid: a UUIDv7 is allowed\)/],
    [row(HOUR_MS, "a", { username: "a; b" }), /row 1 \(username: one line without a semicolon/],
    [row(HOUR_MS, "a", { more: 1 }), /row 1 \(/],
    [{ kind: "nothing" }, /row 1 \(kind: /],
    [5, /row 1 \(/],
    [{ kind: "listing_key", listing: "http://a", key: "k" }, /row 1 \(a batch is of one kind of rows\)/],
    [
      {
        kind: "ban",
        id: crypto.randomUUID(),
        name: null,
        address: null,
        message: "m",
        createdAt: 1,
        endsAt: null,
      },
      /row 1 \(a name or an address is needed\)/,
    ],
  ];
  for (const [one, says] of bad) {
    const { status, text } = await api.post("import", { rows: [good, one] });
    assertEquals(status, 400, text);
    assert(says.test(text), text);
  }
  assertEquals(await exported(chat), []);
  assertEquals((await api.post("import", { rows: Array(501).fill(good) })).status, 413);
  const many = await startTestChat({ adminToken: TOKEN });
  const { status, text } = await new AdminApi(many.url).post("import", { rows: Array(501).fill(5) });
  assertEquals([status, /at most that many/.test(text)], [400, true], text);
  await many.stop();
});

Deno.test("what a sweep would take, or a server without history has no place for, is skipped", async () => {
  await using chat = await startTestChat({ adminToken: TOKEN, limits: { historyDays: 1 } });
  const rows = [row(25 * HOUR_MS, "too old"), row(23 * HOUR_MS, "young enough")];
  assertEquals((await new AdminApi(chat.url).post("import", { rows })).json, { taken: 1, skipped: 1 });
  await using none = await startTestChat({ adminToken: TOKEN, limits: { historyCount: 0 } });
  assertEquals((await new AdminApi(none.url).post("import", { rows })).json, { taken: 0, skipped: 2 });
});

Deno.test("an imported ban is in force at once, and puts out whom it means; one past its end is skipped", async () => {
  await using chat = await startTestChat({ adminToken: TOKEN });
  const api = new AdminApi(chat.url);
  await using alice = await ChatClient.connect(chat.url, "alice");
  await using eve = await ChatClient.connect(chat.url, "Eve");
  await alice.drain();
  const ban = (name: string, more: object = {}) => ({
    kind: "ban",
    id: crypto.randomUUID(),
    name,
    address: null,
    message: "be kind",
    createdAt: 1,
    endsAt: null,
    ...more,
  });
  const rows = [ban("eve"), ban("mallory"), ban("trudy", { endsAt: 2 })];
  assertEquals((await api.post("import", { rows })).json, { taken: 2, skipped: 1 });
  await alice.expect("c2/DISCONNECT ban; Eve; be kind");
  assertEquals((await eve.closed).code, 1008);
  assertEquals((await api.post("import", { rows: [...rows, ban("EVE")] })).json, { taken: 0, skipped: 4 });
  const bans = (await exported(chat)).map((row) => (row as unknown as { name: string }).name);
  assertEquals(bans.toSorted(), ["eve", "mallory"]);
});

Deno.test("keys are exported where they are asked for, and one that is there stays", async () => {
  await using chat = await startTestChat({ adminToken: TOKEN });
  const api = new AdminApi(chat.url);
  const key = (listing: string, key: string) => ({ kind: "listing_key", listing, key });
  const rows = [key("https://a.example", "secret-a"), key("https://b.example", "secret-b")];
  assertEquals((await api.post("import", { rows })).json, { taken: 2, skipped: 0 });
  const again = [key("https://a.example", "other")];
  assertEquals((await api.post("import", { rows: again })).json, { taken: 0, skipped: 1 });
  assertEquals(await exported(chat), []);
  assertEquals(await exported(chat, "&keys=1"), rows);
});

Deno.test("an export of many messages comes in pages, each of a bounded size", async () => {
  await using chat = await startTestChat({ adminToken: TOKEN });
  const api = new AdminApi(chat.url);
  const rows = Array.from({ length: 1200 }, (_, n) => row(HOUR_MS - n * 10, `${n}`));
  for (let at = 0; at < rows.length; at += 150) {
    assertEquals((await api.post("import", { rows: rows.slice(at, at + 150) })).json.taken, 150);
  }
  assertEquals(await exported(chat), rows);
  assertEquals((await api.get("export")).json.rows.length, 500);
  assertEquals((await api.get("export?cursor=nonsense&x=1")).status, 400);
  const { json } = await api.get("store");
  assertEquals({ ...json, serverId: 0 }, {
    chatter: "export",
    version: 1,
    role: "chat",
    layout: 2,
    serverId: 0,
    batchBytesMax: 52_096,
  });
});

Deno.test("nothing of it is there without the token", async () => {
  await using chat = await startTestChat({ adminToken: TOKEN });
  for (const path of ["store", "export"]) {
    assertEquals((await new AdminApi(chat.url, "wrong").get(path)).status, 401);
  }
  const refused = await new AdminApi(chat.url, "wrong").post("import", { rows: [] });
  assertStringIncludes(refused.text, "token");
});

/**
 * Exports of a running chat server over its admin API, and a store that fails meanwhile, docs/admin_api.md §11.4.
 *
 * @module
 */
import { assertEquals } from "@std/assert";
import type { RunningChat } from "../../../chat/mod.ts";
import { ChatExport } from "../../../chat/admin/export.ts";
import { exportRoutes } from "../../../chat/admin/export_routes.ts";
import { KvKeyStore } from "../../../chat/announce/identity_kv.ts";
import { httpFence } from "../../../chat/gateway/http_app.ts";
import type { StoredMessage } from "../../../chat/room/message.ts";
import { MemoryJournal } from "../../../chat/store/journal_memory.ts";
import { claimLayout, openKv } from "../../../src/kv/kv.ts";
import {
  type ExportSource,
  PAGE_ROWS_MAX,
  type TransferPage,
  type TransferRow,
} from "../../../src/kv/transfer.ts";
import { AdminApi, TOKEN } from "../../support/admin_api.ts";
import { ChatClient } from "../../support/chat_client.ts";
import { startTestChat, testOverEachTransport } from "../../support/chat_server.ts";
import { message, upTo } from "../../support/journal_stage.ts";
import { recordedLog } from "../../support/recorded_log.ts";
import { inTempFolder } from "../../support/temp_folder.ts";

interface Page {
  readonly rows: readonly (TransferRow & Record<string, unknown>)[];
  readonly next: string | null;
}

async function pages(chat: RunningChat, query = ""): Promise<Page["rows"][]> {
  const pages: Page["rows"][] = [];
  for (let cursor: string | null = "message "; cursor !== null;) {
    const { json }: { json: Page } = await new AdminApi(chat.url).get(
      `export?cursor=${encodeURIComponent(cursor)}${query}`,
    );
    pages.push(json.rows);
    cursor = json.next;
  }
  return pages;
}

testOverEachTransport("messages are exported as they are now, and bans that are in force", async (start) => {
  await using chat = await start({ adminToken: TOKEN });
  const api = new AdminApi(chat.url);
  await using alice = await ChatClient.connect(chat.url, "alice");
  const ids = [await alice.say("kept"), await alice.say("secret"), await alice.say("a draft")];
  await alice.drain();
  await alice.ask(`c2/QUERY delete_message; ${ids[1]}`);
  await alice.ask(`c2/QUERY update_message; ${ids[2]}; a text`);
  await api.post("bans", { name: "eve", message: "be kind" });
  const rows = (await pages(chat)).flat();
  assertEquals(rows.map(({ kind, uuid, text, edited, name }) => [kind, uuid ?? name, text, edited]), [
    ["message", ids[0], "kept", false],
    ["message", ids[1], "", true],
    ["message", ids[2], "a text", true],
    ["ban", "eve", undefined, undefined],
  ]);
  assertEquals(Object.keys(rows[0]!).toSorted(), [
    "author",
    "edited",
    "kind",
    "received",
    "text",
    "timestamp",
    "username",
    "uuid",
  ]);
  assertEquals((await api.get("export?cursor=nonsense&x=1")).status, 400);
  const { json: header } = await api.get("store");
  assertEquals(header, { chatter: "export", version: 2, role: "chat", layout: 3, serverId: chat.id });
});

Deno.test("an export of many messages comes in pages, each of a bounded size", async () => {
  const messages = new MemoryJournal({ historyCount: 1000 });
  const texts = [...upTo(PAGE_ROWS_MAX + 1).map(String), ...upTo(20).map(() => "x".repeat(15_000))];
  messages.append(texts.map((text, n) => ({ kind: "said", message: message(n, text) })));
  const source = new ChatExport({
    serverId: 1,
    messages,
    bans: () => Promise.resolve([]),
    keys: { all: () => Promise.resolve([]) },
  });
  const found: TransferPage[] = [await source.page(undefined, false)];
  while (found.at(-1)!.next !== undefined) found.push(await source.page(found.at(-1)!.next, false));
  // 500 rows; rows until their texts pass 262,144 UTF-16 units; the rest; the bans.
  assertEquals(found.map(({ rows }) => rows.length), [500, 19, 2, 0]);
  assertEquals(
    found.flatMap(({ rows }) => rows as unknown as StoredMessage[]).map(({ text }) => text),
    texts,
  );
});

Deno.test("keys are exported where they are asked for", () =>
  inTempFolder(async (folder) => {
    const path = `${folder}/chat.db`;
    {
      using kv = await openKv(path);
      await claimLayout(kv, path, { role: "chat", version: 2 });
      await new KvKeyStore(kv).set("https://a.example", "secret");
    }
    await using chat = await startTestChat({ adminToken: TOKEN, kv: path });
    assertEquals((await pages(chat)).flat(), []);
    assertEquals((await pages(chat, "&keys=1")).flat(), [
      { kind: "listing_key", listing: "https://a.example", key: "secret" },
    ]);
  }));

Deno.test("nothing of it is there without the token", async () => {
  await using chat = await startTestChat({ adminToken: TOKEN });
  for (const path of ["store", "export"]) {
    assertEquals((await new AdminApi(chat.url, "wrong").get(path)).status, 401);
  }
});

/** The answers and the log if the store rejects with `error`. */
async function askedWhile(error: Error) {
  const { log, lines } = recordedLog();
  const fail = () => Promise.reject(error);
  const source: ExportSource = { describe: fail, page: fail };
  const app = exportRoutes({ source, refuse: (c, { refusal, status }) => c.text(refusal, status), log });
  app.onError(httpFence(log));
  const answers = [];
  for (const path of ["/store", "/export"]) {
    const response = await app.fetch(new Request(`http://x${path}`), { remoteAddress: "192.0.2.1" });
    answers.push(`${response.status} ${(await response.text()).trim()}`);
  }
  return { answers, logged: lines.map(({ event }) => event).filter((event) => event !== "admin.exported") };
}

Deno.test("a store that fails is a refusal that says so, and a bug is not taken for one", async () => {
  assertEquals(await askedWhile(new Error("database or disk is full")), {
    answers: Array(2).fill("503 STORE_FAILED"),
    logged: Array(2).fill("admin.export_failed"),
  });
  assertEquals(await askedWhile(new TypeError("undefined is not a function")), {
    answers: Array(2).fill("500 Internal error: the server's operator finds it in the log"),
    logged: Array(2).fill("bug"),
  });
});

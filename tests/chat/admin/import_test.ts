/**
 * Imports into the store of a chat server that does not run: which rows are stored, skipped and refused, PROTOCOL.md
 * §11.4.
 *
 * @module
 */
import { assert, assertEquals, assertLessOrEqual } from "@std/assert";
import { ChatImport } from "../../../chat/admin/import.ts";
import { KvKeyStore } from "../../../chat/announce/identity_kv.ts";
import { type Ban, BANS_MAX } from "../../../chat/room/bans.ts";
import { APPEND_ENTRIES_MAX, APPEND_TEXT_MAX } from "../../../chat/room/message.ts";
import { CHANGE_BANS_MAX } from "../../../chat/store/ban_store.ts";
import { KvBanStore } from "../../../chat/store/ban_store_kv.ts";
import { KvJournal } from "../../../chat/store/journal_kv.ts";
import { openKv } from "../../../src/kv/kv.ts";
import { BATCH_ROWS_MAX, BATCH_UNITS_MAX } from "../../../src/kv/transfer.ts";
import { LIMITS } from "../../../src/protocol/limits.ts";
import { idAt } from "../../support/journal_stage.ts";

const NOW_MS = 1_800_000_000_000;
const HOUR_MS = 3_600_000;

async function withStore(
  test: (
    around: { target: ChatImport; messages: KvJournal; bans: KvBanStore; keys: KvKeyStore },
  ) => Promise<void>,
): Promise<void> {
  using kv = await openKv(":memory:");
  const parts = { messages: new KvJournal(kv), bans: new KvBanStore(kv), keys: new KvKeyStore(kv) };
  await test({ ...parts, target: new ChatImport(parts) });
}

function row(ageMs: number, text: string, more: object = {}) {
  return {
    kind: "message",
    uuid: idAt(NOW_MS - ageMs),
    author: "8e2c3f0a-0000-4000-8000-000000000000",
    username: "alice",
    timestamp: "1",
    text,
    edited: false,
    ...more,
  };
}

function ban(name: string | null, more: object = {}) {
  return {
    kind: "ban",
    id: crypto.randomUUID(),
    name,
    address: null,
    message: "be kind",
    createdAt: 1,
    endsAt: null,
    ...more,
  };
}

Deno.test("imported messages are kept as they were, without the positions and nonces of another server", () =>
  withStore(async ({ target, messages }) => {
    const deleted = row(2 * HOUR_MS, "", { edited: true });
    assertEquals(await target.accept([row(3 * HOUR_MS, "first"), deleted]), { taken: 2, skipped: 0 });
    const ahead = row(-400 * 24 * HOUR_MS, "by a clock that was ahead", { nonce: "n1", received: NOW_MS });
    assertEquals(await target.accept([ahead]), { taken: 1, skipped: 0 });
    const kept = await messages.after("", 10);
    assertEquals(kept.map(({ text, edited, receivedMs }) => [text, edited, receivedMs]), [
      ["first", false, NOW_MS - 3 * HOUR_MS],
      ["", true, NOW_MS - 2 * HOUR_MS],
      ["by a clock that was ahead", false, NOW_MS],
    ]);
    assertEquals(kept.map(({ position, nonce }) => position ?? nonce), [undefined, undefined, undefined]);
    assertEquals(await messages.count(), 3);
  }));

Deno.test("messages go into a store without messages, and into no other", () =>
  withStore(async ({ target, messages, bans, keys }) => {
    assertEquals(await target.accept([row(2 * HOUR_MS, "there")]), { taken: 1, skipped: 0 });
    const again = new ChatImport({ messages, bans, keys });
    assertEquals(await again.accept([row(HOUR_MS, "more")]), {
      problem: "the store has messages: an import needs a store without messages",
      row: 0,
    });
    assertEquals((await messages.after("", 10)).map(({ text }) => text), ["there"]);
    assertEquals(await again.accept([ban("eve")]), { taken: 1, skipped: 0 });
  }));

Deno.test("a batch with a row that cannot be is refused whole, with the row", () =>
  withStore(async ({ target, messages, bans }) => {
    const longest = "👍".repeat(LIMITS.maxMessageLength.max);
    const good = row(HOUR_MS, longest);
    const bad: [unknown, RegExp][] = [
      [row(0, `${longest}x`), /^text: at most 15000 characters are allowed$/],
      [row(0, ""), /^text: only a deleted message has no text$/],
      [row(0, "a\0b"), /^text: a text without NUL is allowed$/],
      [row(NOW_MS - Date.UTC(9999, 11, 31) - 1, "x"), /^uuid: its time is after the year 9999$/],
      [row(HOUR_MS, "twice"), /^uuid: messages must be in the order of their ids$/],
      [row(2 * HOUR_MS, "older"), /^uuid: messages must be in the order of their ids$/],
      [row(0, "a", { uuid: "x" }), /^uuid: a UUIDv7 in lower case is allowed$/],
      [row(0, "a", { uuid: "019B7C2D-3400-7000-8000-000000000001" }), /^uuid: a UUIDv7 in lower case/],
      [row(0, "a", { uuid: crypto.randomUUID() }), /^uuid: a UUIDv7 in lower case/],
      [row(0, "a", { username: "a; b" }), /^username: one line without a semicolon/],
      [row(0, "a", { username: "a\u202eb" }), /^username: one line without a semicolon or a bidi mark/],
      [row(0, "a", { more: 1 }), /more/],
      [{ kind: "listing_key", listing: "javascript:alert(1)", key: "k" }, /^listing: an http:\/\/ or https:/],
      [{ kind: "listing_key", listing: "https://list/", key: "k\x1b" }, /^key: one line is allowed$/],
      [ban(null), /^a name or an address is needed$/],
      [ban("eve", { id: "1" }), /^id: a UUID is allowed$/],
      [{ kind: "nothing" }, /^kind: /],
      [5, /./],
    ];
    for (const [one, says] of bad) {
      const came = await target.accept([good, one]);
      assert("problem" in came && says.test(came.problem), JSON.stringify([one, came]));
      assertEquals(came.row, 1);
    }
    assertEquals([await messages.after("", 10), await bans.load()], [[], []]);
    assertEquals(await target.accept([good]), { taken: 1, skipped: 0 });
  }));

Deno.test("a ban is skipped where it is there, by its id or its very name and address, and taken past its end", () =>
  withStore(async ({ target, bans }) => {
    const rows = [
      ban("eve"),
      ban("mallory", { endsAt: 2 }),
      ban(null, { address: "192.0.2.1" }),
    ];
    assertEquals(await target.accept([...rows, ban("EVE")]), { taken: 3, skipped: 1 });
    assertEquals(await target.accept(rows), { taken: 0, skipped: 3 });
    const kept = (await bans.load()).map(({ name, address }) => name ?? address);
    assertEquals(kept.toSorted(), ["192.0.2.1", "eve", "mallory"]);
  }));

Deno.test("as many bans are taken as are kept, and not one more", () =>
  withStore(async ({ target, bans }) => {
    const there = Array.from({ length: BANS_MAX - 1 }, (_, n): Ban => ({
      id: crypto.randomUUID(),
      name: undefined,
      address: `192.0.${n >> 8}.${n & 255}`,
      message: "m",
      createdAtMs: 1,
      endsAtMs: undefined,
    }));
    for (let at = 0; at < there.length; at += CHANGE_BANS_MAX) {
      await bans.change(there.slice(at, at + CHANGE_BANS_MAX), []);
    }
    const came = await target.accept([ban("eve"), ban("mallory")]);
    assert("problem" in came && came.problem.startsWith("Too many bans"), JSON.stringify(came));
    assertEquals(await target.accept([ban("eve")]), { taken: 1, skipped: 0 });
    assertEquals((await bans.load()).length, BANS_MAX);
  }));

Deno.test("a key that is there is the one that the listing knows now, and stays", () =>
  withStore(async ({ target, keys }) => {
    const key = (listing: string, key: string) => ({ kind: "listing_key", listing, key });
    const both = [key("https://a.example", "secret-a"), key("https://b.example", "secret-b")];
    assertEquals(await target.accept(both), { taken: 2, skipped: 0 });
    assertEquals(await target.accept([key("https://a.example", "other")]), { taken: 0, skipped: 1 });
    assertEquals(await keys.all(), [["https://a.example", "secret-a"], ["https://b.example", "secret-b"]]);
  }));

Deno.test("a batch fits one append, and one change of bans", () =>
  withStore(async ({ target }) => {
    assertLessOrEqual(BATCH_UNITS_MAX, APPEND_TEXT_MAX);
    assertLessOrEqual(BATCH_ROWS_MAX, Math.min(APPEND_ENTRIES_MAX, CHANGE_BANS_MAX));
    const text = "語".repeat(Math.floor(BATCH_UNITS_MAX / BATCH_ROWS_MAX));
    const rows = Array.from({ length: BATCH_ROWS_MAX }, (_, n) => row(HOUR_MS - n, text));
    assertEquals(await target.accept(rows), { taken: BATCH_ROWS_MAX, skipped: 0 });
  }));

/**
 * What a journal in Deno KV gives back of what was told: messages as they were, their changes, and how far back that
 * is all of it, PROTOCOL.md §12.3.
 *
 * @module
 */
import { assertEquals } from "@std/assert";
import type { StoredMessage } from "../../chat/room/message.ts";
import { KvJournal } from "../../chat/store/journal_kv.ts";
import { segmentsOf } from "../../chat/store/segment.ts";
import { openKv } from "../../src/kv/kv.ts";

function message(n: number, text = `text ${n}`): StoredMessage & { position: number } {
  return {
    uuid: `019b7c2d-3400-7000-8000-${n.toString(16).padStart(12, "0")}`,
    author: "s",
    username: "alice",
    timestamp: "1",
    text,
    edited: false,
    position: 10 * n,
    nonce: undefined,
  };
}

function changed(before: StoredMessage, text: string): StoredMessage {
  return { ...before, text, edited: true };
}

/** A test of a journal that holds three messages; the first is changed twice, the second deleted once. */
function toldTest(name: string, test: (journal: KvJournal, kv: Deno.Kv) => Promise<void>): void {
  Deno.test(`a journal ${name}`, async () => {
    const kv = await openKv(":memory:");
    try {
      const journal = new KvJournal(kv);
      const [one, two, three] = [message(1), message(2), { ...message(3), nonce: "n" }] as const;
      await journal.append([one, two, three].map((message) => ({ kind: "said", message })));
      const once = changed(one, "once");
      await journal.append([
        { kind: "changed", position: 41, message: once, before: one },
        { kind: "changed", position: 42, message: changed(once, "twice"), before: once },
      ]);
      await journal.append([{ kind: "changed", position: 43, message: changed(two, ""), before: two }]);
      await test(journal, kv);
    } finally {
      kv.close();
    }
  });
}

const ALL: [number, string][] = [
  [10, "text 1"],
  [20, "text 2"],
  [30, "text 3"],
  [41, "once"],
  [42, "twice"],
  [43, ""],
];

async function toldBy(journal: KvJournal, isEnough: (text: string) => boolean = () => false) {
  const { told, from, named } = await journal.told(isEnough);
  return { told: told.map(({ position, text }) => [position, text]), from, named };
}

toldTest("gives every message as it was told, its changes, and who named what", async (journal) => {
  const { told, from, named } = await toldBy(journal);
  assertEquals([told, from], [ALL, 0]);
  assertEquals(named.map(({ nonce, uuid }) => [nonce, uuid]), [["n", message(3).uuid]]);
});

toldTest("gives no more than is enough, and says from where on that is all", async (journal) => {
  let count = 0;
  const { told, from } = await toldBy(journal, () => ++count > 2);
  assertEquals([told, from], [ALL.slice(1), 20]);
  assertEquals(await toldBy(journal, () => true), { told: [], from: Infinity, named: [] });
});

toldTest("forgets what was told before a place, and then knows of nothing before it", async (journal) => {
  await journal.forgetTold(42);
  const { told, from } = await toldBy(journal);
  // How the second was told before its change is forgotten too.
  assertEquals([told, from], [[[30, "text 3"], [42, "twice"], [43, ""]], 30]);
});

toldTest("knows of nothing before what retention removed", async (journal) => {
  await journal.sweep({ keep: 2, from: "" });
  const { told, from } = await toldBy(journal);
  assertEquals([told, from], [ALL.slice(1), 11]);
});

toldTest("knows of nothing before a message of a program that did not count", async (journal, kv) => {
  const [segment] = segmentsOf([message(1), { ...message(2), position: undefined }, message(3)], 0);
  await kv.set(["messages", message(1).uuid], segment);
  const { told, from } = await toldBy(journal);
  assertEquals([told, from], [[[30, "text 3"], [41, "once"], [42, "twice"], [43, ""]], 30]);
});

toldTest(
  "gives a message that was changed long ago as it is, and no nonce where there was none",
  async (journal) => {
    assertEquals((await journal.find(message(1).uuid))?.text, "twice");
    assertEquals((await journal.find(message(1).uuid))?.position, 10);
    assertEquals((await journal.find(message(3).uuid))?.nonce, "n");
    assertEquals((await journal.find(message(2).uuid))?.nonce, undefined);
  },
);

/**
 * The broadcasts that a journal in Deno KV recovers: messages as they are now, at each position of theirs, and from
 * which position on they are complete, PROTOCOL.md §12.3.
 *
 * @module
 */
import { assertEquals } from "@std/assert";
import type { StoredMessage } from "../../../chat/room/message.ts";
import type { KvJournal } from "../../../chat/store/journal_kv.ts";
import { segmentsOf } from "../../../chat/store/segment.ts";
import { message as anyMessage, said, sweep, withKvJournal } from "../../support/journal_stage.ts";

function message(n: number): StoredMessage {
  return { ...anyMessage(n), position: 10 * n };
}

function changed(before: StoredMessage, text: string): StoredMessage {
  return { ...before, text, edited: true };
}

/** A test of a journal that holds three messages; the first is changed twice, the second deleted once. */
function recoveryTest(name: string, test: (journal: KvJournal, kv: Deno.Kv) => Promise<void>): void {
  Deno.test(`a journal ${name}`, () =>
    withKvJournal(async (journal, kv) => {
      const [one, two, three] = [message(1), message(2), { ...message(3), nonce: "n" }];
      await journal.append(said(one, two, three));
      const once = changed(one, "once");
      await journal.append([
        { kind: "changed", position: 41, message: once },
        { kind: "changed", position: 42, message: changed(once, "twice") },
      ]);
      await journal.append([{ kind: "changed", position: 43, message: changed(two, "") }]);
      await test(journal, kv);
    }));
}

/** Each as it is now: the journal has no other text. */
const ALL: [number, string][] = [
  [10, "twice"],
  [20, ""],
  [30, "text 3"],
  [41, "twice"],
  [42, "twice"],
  [43, ""],
];

async function recovered(journal: KvJournal, isEnough: (text: string) => boolean = () => false) {
  const { broadcasts, from, named } = await journal.recoverBroadcasts(isEnough);
  return { broadcasts: broadcasts.map(({ position, text }) => [position, text]), from, named };
}

recoveryTest(
  "gives every message as it is now at each position of its broadcasts, and who named what",
  async (journal) => {
    const { broadcasts, from, named } = await recovered(journal);
    assertEquals([broadcasts, from], [ALL, 0]);
    assertEquals(named.map(({ nonce, uuid }) => [nonce, uuid]), [["n", message(3).uuid]]);
  },
);

recoveryTest("gives no more than is enough, and says from where on that is all", async (journal) => {
  let count = 0;
  const { broadcasts, from } = await recovered(journal, () => ++count > 2);
  assertEquals([broadcasts, from], [ALL.slice(1), 20]);
  assertEquals(await recovered(journal, () => true), { broadcasts: [], from: Infinity, named: [] });
});

recoveryTest(
  "forgets what was broadcast before a place, and then knows of nothing before it",
  async (journal) => {
    await journal.forgetBroadcasts(42);
    const { broadcasts, from } = await recovered(journal);
    assertEquals([broadcasts, from], [[[42, "twice"], [43, ""]], 42]);
  },
);

recoveryTest("knows of nothing before what retention removed", async (journal) => {
  await journal.sweep(sweep({ keep: 2 }));
  const { broadcasts, from } = await recovered(journal);
  assertEquals([broadcasts, from], [[[20, ""], [30, "text 3"], [43, ""]], 11], "nor of its edits");
});

recoveryTest("knows of nothing before a message that was imported", async (journal, kv) => {
  const [segment] = segmentsOf([message(1), { ...message(2), position: undefined }, message(3)], 0);
  await kv.set(["messages", message(1).uuid], segment);
  const { broadcasts, from } = await recovered(journal);
  assertEquals([broadcasts, from], [[[30, "text 3"], [41, "text 1"], [42, "text 1"], [43, "text 2"]], 30]);
});

recoveryTest(
  "gives a message that was changed long ago as it is, and no nonce where there was none",
  async (journal) => {
    assertEquals((await journal.find(message(1).uuid))?.text, "twice");
    assertEquals((await journal.find(message(1).uuid))?.position, 10);
    assertEquals((await journal.find(message(3).uuid))?.nonce, "n");
    assertEquals((await journal.find(message(2).uuid))?.nonce, undefined);
  },
);

recoveryTest("has no text in any row but the present one of each message", async (_journal, kv) => {
  const rows = await Array.fromAsync(kv.list({ prefix: [] }));
  const all = Deno.inspect(rows.map(({ key, value }) => [key, value]), { depth: 9 });
  for (const gone of ["text 1", "text 2", "once"]) assertEquals(all.includes(`"${gone}"`), false, gone);
  assertEquals(all.split("twice").length, 2);
});

recoveryTest("reads the edits of layout 2, and removes their texts", async (journal, kv) => {
  const row = (n: number, text: string) => ({ uuid: message(n).uuid, username: "a", timestamp: "1", text });
  await kv.atomic().set(["told", 10], row(1, "text 1")).set(["told", 41], row(1, "once")).commit();
  assertEquals((await recovered(journal)).broadcasts, ALL);
  const rows = await Array.fromAsync(kv.list({ prefix: ["told"] }));
  assertEquals(rows.map(({ key, value }) => [key[1], value]), [
    [10, message(1).uuid],
    [41, message(1).uuid],
    [42, message(1).uuid],
    [43, message(2).uuid],
  ]);
});

recoveryTest("gives no edit of a message that retention removed", async (journal) => {
  await journal.sweep(sweep({ keep: 1 }));
  const { broadcasts, from } = await recovered(journal);
  assertEquals([broadcasts, from], [[[30, "text 3"]], 21]);
});

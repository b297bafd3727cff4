/**
 * What the bytes of a store's file hold after a sweep: nothing of what was deleted, edited away, or removed by
 * retention, docs/storage.md.
 *
 * @module
 */
import { assert, assertEquals } from "@std/assert";
import { KvBanStore } from "../../../chat/store/ban_store_kv.ts";
import { KvJournal } from "../../../chat/store/journal_kv.ts";
import { Retention } from "../../../chat/store/retention.ts";
import { openKv } from "../../../src/kv/kv.ts";
import { AGED_MS, Scrub, SCRUB_BYTES_MAX } from "../../../src/kv/scrub.ts";
import { message, said } from "../../support/journal_stage.ts";
import { IS_OF_OLD_DENO } from "../../support/program.ts";
import { recordedLog } from "../../support/recorded_log.ts";
import { inTempFolder } from "../../support/temp_folder.ts";

const ENTRY = new URL("../../support/faulty_thread.ts", import.meta.url).href;
/** Enough for pages that are split, freed and used again. */
const MESSAGES = 400;

interface Stage {
  readonly kv: Deno.Kv;
  readonly journal: KvJournal;
  readonly clock: { steadyMs: number };
  readonly log: ReturnType<typeof recordedLog>;
  readonly scrub: Scrub;
  readonly sweep: (keep?: number) => Promise<void>;
  /** The bytes of the file and of those beside it, one character each. */
  readonly bytes: () => Promise<string>;
  readonly holds: (text: string) => Promise<boolean>;
}

/** `astray` leads the scrub to a file that is not there. */
function scrubTest(name: string, test: (stage: Stage) => Promise<void>, astray = ""): void {
  Deno.test(`a store's file ${name}`, { ignore: IS_OF_OLD_DENO }, () =>
    inTempFolder(async (folder) => {
      const path = `${folder}/it's a chat.db`;
      using kv = await openKv(path);
      const journal = new KvJournal(kv);
      const clock = { steadyMs: 0 };
      const log = recordedLog();
      const scrub = new Scrub({
        kv,
        path: path.replace(folder, `${folder}/${astray}`),
        entry: ENTRY,
        steadyMs: () => clock.steadyMs,
        log: log.log,
      });
      const bytes = async () => {
        const files = await Array.fromAsync(Deno.readDir(folder));
        const all = await Promise.all(files.map(({ name }) => Deno.readFile(`${folder}/${name}`)));
        return all.map((one) => new TextDecoder("latin1").decode(one)).join("");
      };
      await test({
        kv,
        journal,
        clock,
        log,
        scrub,
        async sweep(keep = 100_000) {
          const retention = new Retention({
            messages: journal,
            limits: { historyCount: keep, historyBytes: Infinity, historyDays: 36_500 },
            replayableFrom: () => 0,
            // Only `afterSweep`: the stop of this retention must not end it.
            scrub: { afterSweep: () => scrub.afterSweep(), stop() {} },
            nowMs: () => Date.UTC(2026, 0, 2),
            confirmedMs: () => Date.UTC(2026, 0, 2),
            log: log.log,
          });
          await retention.stop();
        },
        bytes,
        holds: async (text) => (await bytes()).includes(text),
      });
    }));
}

/** Stores messages, one a commit; then edits every third and deletes every third. */
async function talk(journal: KvJournal): Promise<void> {
  for (let n = 0; n < MESSAGES; n++) {
    await journal.append(said(message(n, `secret ${n} said, of some length`)));
  }
  for (let n = 0; n < MESSAGES; n++) {
    const before = message(n, `secret ${n} said, of some length`);
    const text = ["", `present ${n}`, undefined][n % 3];
    if (text === undefined) continue;
    const after = { ...before, text, edited: true };
    await journal.append([{ kind: "changed", position: 1000 + n, message: after }]);
  }
}

scrubTest("has no byte of what was deleted or edited away after the next sweep", async (stage) => {
  const { journal, sweep, bytes, log } = stage;
  await talk(journal);
  const before = await bytes();
  const isRemoved = (n: number) => n % 3 !== 2;
  const numbers = Array.from({ length: MESSAGES }, (_, n) => n);
  assert(
    numbers.some((n) => isRemoved(n) && before.includes(`secret ${n} said`)),
    "SQLite itself keeps what is deleted",
  );
  await sweep();
  assertEquals(log.events("warn"), []);
  const after = await bytes();
  for (const n of numbers) assertEquals(after.includes(`secret ${n} said`), !isRemoved(n), `${n}`);
  assert(after.includes("present 1"));
  assertEquals((await journal.find(message(1).uuid))?.text, "present 1");
  await journal.append(said(message(MESSAGES, "the store goes on")));
  assertEquals(await journal.count(), MESSAGES + 1);
});

scrubTest("is not rewritten where nothing was removed", async ({ journal, sweep, log }) => {
  await journal.append(said(message(1)));
  await sweep();
  assertEquals(log.events("debug"), []);
  await journal.append([{ kind: "changed", position: 9, message: message(1, "", true) }]);
  await sweep();
  await sweep();
  assertEquals(log.events("debug"), ["store.scrubbed"]);
});

scrubTest("forgets what retention removes, and again after an hour", async (stage) => {
  const { journal, sweep, holds, clock, log } = stage;
  for (let n = 0; n < 9; n++) await journal.append(said(message(n, `secret ${n} said`)));
  await sweep(8);
  assertEquals([await holds("secret 0 said"), await holds("secret 1 said")], [false, true]);
  clock.steadyMs += AGED_MS - 1;
  await sweep(7);
  assert(await holds("secret 1 said"));
  clock.steadyMs += 1;
  await sweep(7);
  assertEquals([await holds("secret 1 said"), await holds("secret 2 said")], [false, true]);
  assertEquals(log.events("warn"), []);
});

scrubTest("forgets a ban that was lifted", async ({ kv, sweep, holds }) => {
  const bans = new KvBanStore(kv);
  const ban = {
    id: crypto.randomUUID(),
    name: "Evelyn the banned",
    address: undefined,
    message: "be kind",
    createdAtMs: 1,
    endsAtMs: undefined,
  };
  await bans.change([ban], []);
  assert(await holds(ban.name));
  await bans.change([], [ban]);
  await sweep();
  assertEquals(await holds(ban.name), false);
});

scrubTest("that is too large waits for a start, and is rewritten then", async (stage) => {
  const { journal, sweep, holds, scrub, log } = stage;
  using _size = stubStat(SCRUB_BYTES_MAX + 1);
  await journal.append(said(message(1, "secret said")));
  await journal.append([{ kind: "changed", position: 9, message: message(1, "", true) }]);
  await sweep();
  assert(await holds("secret said"));
  await scrub.atStart();
  await scrub.atStart();
  assertEquals(await holds("secret said"), false);
  assertEquals([...log.events("info"), ...log.events("debug")], ["store.scrub_begun", "store.scrubbed"]);
});

scrubTest(
  "that cannot be rewritten is left as it is, and logged once",
  async ({ journal, sweep, log }) => {
    await journal.append(said(message(1)));
    await journal.append([{
      kind: "changed",
      position: 9,
      message: message(1, "", true),
    }]);
    await sweep();
    await sweep();
    assertEquals(log.events("warn"), ["store.scrub_failed"]);
    assertEquals((await journal.find(message(1).uuid))?.text, "");
  },
  "gone/",
);

function stubStat(size: number): Disposable {
  const { stat } = Deno;
  Deno.stat = async (path) => ({ ...await stat(path), size });
  return { [Symbol.dispose]: () => void (Deno.stat = stat) };
}

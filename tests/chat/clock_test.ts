/**
 * A clock that jumps: later messages are still the newest, in this run of the server and in the next, and have the right
 * time as soon as the clock has.
 *
 * @module
 */
import { assert, assertEquals, assertGreater, assertMatch } from "@std/assert";
import { openChatStore } from "../../chat/mod.ts";
import { History } from "../../chat/room/history.ts";
import { Sequencer } from "../../chat/order/sequencer.ts";
import { KvJournal } from "../../chat/store/journal_kv.ts";
import { messageIds } from "../../chat/room/message_id.ts";
import { oldestKeptMs, Retention } from "../../chat/store/retention.ts";
import { Room } from "../../chat/room/room.ts";
import { ChatMeters } from "../../chat/meters.ts";
import { openKv } from "../../src/kv/kv.ts";
import { DEFAULT_LIMITS } from "../../src/protocol/limits.ts";
import { nearestUsername } from "../../src/protocol/names.ts";
import { Fanout } from "../../chat/delivery/fanout.ts";
import { PresenceNotices } from "../../chat/delivery/presence_notices.ts";
import { Teller } from "../../chat/order/teller.ts";
import { input, NotingParticipant, orderInMemory } from "../support/order_stage.ts";
import { exportLines } from "../../terminal/export_lines.ts";
import { importLines, linesOf } from "../../terminal/import_lines.ts";
import { AdminApi, TOKEN } from "../support/admin_api.ts";
import { ChatClient } from "../support/chat_client.ts";
import { startTestChat } from "../support/chat_server.ts";
import { recordedLog } from "../support/recorded_log.ts";
import { inTempFolder } from "../support/temp_folder.ts";

const DAY_MS = 86_400_000;
const NOW_MS = Date.UTC(2026, 0, 15);

/** One run of a server over a journal: the parts that `chat/mod.ts` joins, with a clock that the test sets. */
async function life(journal: KvJournal, nowMs: () => number) {
  const newest = await journal.page({ limit: 100, before: undefined, receivedFrom: 0 });
  const log = recordedLog();
  const history = new History({ kept: 100_000, newest, isWhole: true });
  const { state, tokens, resumption } = orderInMemory(history, log.log, () => {});
  const meters = new ChatMeters();
  const steadyMs = () => 0;
  const fanout = new Fanout({ meters, steadyMs, log: log.log });
  const sequencer = new Sequencer({
    room: new Room({
      serverId: 7,
      settings: {
        name: "Pub",
        ownName: nearestUsername("Pub", "Server"),
        limits: DEFAULT_LIMITS,
        limitLoopback: false,
      },
      version: "1",
      startedSteadyMs: steadyMs(),
      mintId: messageIds({ nowMs, random32: () => 1 }, newest.at(-1)?.uuid),
      state,
      bans: { bar: () => undefined },
      sessionOfToken: () => undefined,
      prove: () => undefined,
    }),
    state,
    resumption,
    teller: new Teller({
      state,
      fanout,
      presence: new PresenceNotices({
        fanout,
        awayNames: () => [],
        isOfThisRun: () => true,
        outboxBytesMax: () => DEFAULT_LIMITS.maxOutboxBytes,
        steadyMs,
      }),
      resumption,
      onRosterChange: () => {},
      onChange: () => {},
      meters,
      log: log.log,
    }),
    journal,
    tokens,
    nowMs,
    steadyMs,
    soon: queueMicrotask,
    othersRead: () => Promise.resolve(),
    historyFromMs: (nowMs) => oldestKeptMs(nowMs, DEFAULT_LIMITS.historyDays),
    meters,
    log: log.log,
  });
  const alice = new NotingParticipant("alice", []);
  const ask = async (text: string) => {
    sequencer.submit(alice, input(text));
    await sequencer.idle();
    return alice.frames();
  };
  await ask("c2/CONNECT alice");
  const shown = async () => {
    const [answer] = await ask("c2/QUERY history");
    return (JSON.parse(answer!.slice("c2/ACKNOWLEDGE ".length)) as { message: string }[]).map(({ message }) =>
      message
    );
  };
  return { ask, history: shown, log };
}

Deno.test("chat whose clock is set back keeps the order of what is said, also over a restart, and sweeps nothing for it", async () => {
  using kv = await openKv(":memory:");
  const journal = new KvJournal(kv);
  let nowMs = NOW_MS;
  const first = await life(journal, () => nowMs);
  await first.ask("c2/MSG 1; one");
  nowMs -= 10 * 365 * DAY_MS;
  const [, message] = await first.ask("c2/MSG 1; two");
  const uuid = message!.split("; ")[2]!;
  assertEquals(await first.history(), ["one", "two"]);
  assertEquals((await first.ask(`c2/QUERY update_message; ${uuid}; two, edited`))[0], "c2/ACKNOWLEDGE");
  const info = JSON.parse((await first.ask("c2/QUERY server_info"))[0]!.slice("c2/ACKNOWLEDGE ".length));
  assertEquals(info.uptime, 0, "and not below");

  const second = await life(journal, () => nowMs);
  await second.ask("c2/MSG 1; three");
  const retention = new Retention({
    messages: journal,
    limits: { ...DEFAULT_LIMITS, historyCount: 100 },
    replayableFrom: () => 0,
    nowMs: () => nowMs,
    confirmedMs: () => nowMs,
    log: second.log.log,
  });
  await retention.stop();
  assertEquals(await second.history(), ["one", "two, edited", "three"]);
  const kept = await journal.page({ limit: 100, before: undefined, receivedFrom: 0 });
  assertEquals(kept.map(({ text }) => text), ["one", "two, edited", "three"]);
  assert(first.log.events("error").length + second.log.events("error").length === 0);
});

/** The history as `[text, received]`. */
async function receipts(client: ChatClient): Promise<[string, number][]> {
  const answer = await client.ask("c2/QUERY history");
  const page: { message: string; received: number }[] = JSON.parse(answer.slice("c2/ACKNOWLEDGE ".length));
  return page.map(({ message, received }) => [message, received]);
}

for (const days of [100, 400]) {
  Deno.test(`chat whose clock was ${days} days ahead for one message has the right times of receipt again, also in an export and after its import`, async () => {
    await inTempFolder(async (folder) => {
      let nowMs = NOW_MS;
      const options = { kv: `${folder}/chat.db`, nowMs: () => nowMs };
      const expected = [["one", NOW_MS], ["two", NOW_MS + days * DAY_MS], ["three", NOW_MS + 1000]];
      const after = [["four", NOW_MS + 2000], ["five", NOW_MS + 3000]];
      {
        await using chat = await startTestChat(options);
        await using alice = await ChatClient.connect(chat.url, "alice");
        await alice.say("one");
        nowMs = NOW_MS + days * DAY_MS;
        const ahead = await alice.say("two");
        nowMs = NOW_MS + 1000;
        assertGreater(await alice.say("three"), ahead);
        await alice.drain();
        assertEquals(await receipts(alice), expected);
      }
      nowMs = NOW_MS + 2000;
      {
        await using chat = await startTestChat(options);
        await using alice = await ChatClient.connect(chat.url, "alice");
        await alice.say("four");
      }
      const lines: string[] = [];
      {
        await using source = await openChatStore(options.kv);
        await exportLines(source, false, (text) => Promise.resolve(void lines.push(text)));
        await using target = await openChatStore(`${folder}/copy.db`);
        const { output } = await importLines(
          "x",
          linesOf(ReadableStream.from(lines)),
          () => Promise.resolve(target),
        ) as { output: string };
        assertEquals(output, "Rows taken: 4, skipped: 0.\n");
      }
      await using chat = await startTestChat({ ...options, kv: `${folder}/copy.db` });
      await using alice = await ChatClient.connect(chat.url, "alice");
      nowMs = NOW_MS + 3000;
      await alice.say("five");
      await alice.drain();
      assertEquals(await receipts(alice), [...expected, ...after]);
    });
  });
}

for (const days of [100, 400]) {
  Deno.test(`chat that starts with a clock ${days} days ahead removes no message and no ban, and shows both when it is right`, async () => {
    await inTempFolder(async (folder) => {
      let nowMs = NOW_MS;
      const options = { kv: `${folder}/chat.db`, nowMs: () => nowMs, adminToken: TOKEN };
      const texts = async (client: ChatClient) => (await receipts(client)).map(([text]) => text);
      {
        await using chat = await startTestChat(options);
        await new AdminApi(chat.url).post("bans", { name: "eve", seconds: 3600 });
        await using alice = await ChatClient.connect(chat.url, "alice");
        for (const text of ["one", "two"]) await alice.say(text);
      }
      nowMs += days * DAY_MS;
      {
        await using chat = await startTestChat(options);
        await using alice = await ChatClient.connect(chat.url, "alice");
        // The first sweep begins with the start, and ends before the server has stopped.
        assertEquals(await texts(alice), ["one", "two"]);
        await alice.say("three");
        await alice.drain();
      }
      // What was said by the wrong clock does not confirm it.
      {
        await using chat = await startTestChat(options);
        await using alice = await ChatClient.connect(chat.url, "alice");
        assertEquals(await texts(alice), ["one", "two", "three"]);
      }
      nowMs = NOW_MS + 1000;
      await using chat = await startTestChat(options);
      await using alice = await ChatClient.connect(chat.url, "alice");
      assertEquals(await texts(alice), ["one", "two", "three"]);
      assertEquals((await new AdminApi(chat.url).get("bans")).json.bans.length, 1);
      assertMatch(await alice.ask("c2/UPDATE username; eve"), /banned/);
    });
  });
}

Deno.test("chat whose clock is a day behind keeps its messages, with the time that it had and that does not go back at a restart", async () => {
  await inTempFolder(async (folder) => {
    let nowMs = NOW_MS;
    const options = { kv: `${folder}/chat.db`, nowMs: () => nowMs, limits: { historyDays: 1 } };
    {
      await using chat = await startTestChat(options);
      await using alice = await ChatClient.connect(chat.url, "alice");
      await alice.say("one");
      nowMs -= DAY_MS;
      await alice.say("two");
    }
    const store = await openChatStore(options.kv);
    const { rows } = await store.page(undefined, false);
    await store[Symbol.asyncDispose]();
    assertEquals(rows.map((row) => "received" in row && row.received), [NOW_MS, NOW_MS - DAY_MS]);
    // Set back by less than a minute while the server was down.
    nowMs = NOW_MS - DAY_MS - 30_000;
    await using chat = await startTestChat(options);
    await using alice = await ChatClient.connect(chat.url, "alice");
    await alice.say("three");
    const times = [["one", NOW_MS], ["two", NOW_MS - DAY_MS], ["three", NOW_MS - DAY_MS]];
    assertEquals<unknown>(await receipts(alice), times);
  });
});

Deno.test("chat whose clock was set back between two who joined has them in their order after a restart", async () => {
  await inTempFolder(async (folder) => {
    let nowMs = NOW_MS;
    const options = { kv: `${folder}/chat.db`, nowMs: () => nowMs };
    const names = ["zoe", "alice", "mo"];
    {
      await using chat = await startTestChat(options);
      for (const name of names) {
        const client = await ChatClient.open(chat.url, true);
        await client.ask(`c2/CONNECT ${name}`);
        nowMs -= DAY_MS;
      }
    }
    await using chat = await startTestChat({ ...options, adminToken: TOKEN });
    const { users } = (await new AdminApi(chat.url).get("users")).json;
    assertEquals(users.map(({ username }: { username: string }) => username), names);
  });
});

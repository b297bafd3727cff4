/**
 * Retention: when it sweeps, within which bounds, and that it goes on after a failure.
 *
 * @module
 */
import { assertEquals } from "@std/assert";
import { mock } from "node:test";
import type { StoredMessage } from "../../../chat/room/message.ts";
import { messageIds } from "../../../chat/room/message_id.ts";
import type { KeptMessages } from "../../../chat/store/journal.ts";
import { MemoryJournal } from "../../../chat/store/journal_memory.ts";
import { Retention, SWEEP_INTERVAL_SECONDS } from "../../../chat/store/retention.ts";
import { recordedLog } from "../../support/recorded_log.ts";

const DAY_MS = 24 * 60 * 60 * 1000;
const NOW_MS = Date.UTC(2026, 0, 2);

interface Sweep {
  readonly bounds: KeptMessages;
  readonly resolve: (removed: number) => void;
  readonly reject: (error: Error) => void;
}

/** A retention whose sweeps end when the test says so; the test moves its timers. */
async function withRetention(
  test: (
    around: { retention: Retention; sweeps: Sweep[]; log: ReturnType<typeof recordedLog> },
  ) => Promise<void>,
  { wallMs = NOW_MS, historyDays = 90 }: { wallMs?: number; historyDays?: number } = {},
): Promise<void> {
  mock.timers.enable({ apis: ["setInterval"] });
  try {
    const sweeps: Sweep[] = [];
    const log = recordedLog();
    const retention = new Retention({
      messages: {
        sweep: (bounds) =>
          new Promise((resolve, reject) => {
            sweeps.push({ bounds, resolve, reject });
          }),
        forgetBroadcasts: () => Promise.resolve(),
      },
      limits: { historyCount: 1000, historyBytes: 2000, historyDays },
      replayableFrom: () => 0,
      nowMs: () => wallMs,
      confirmedMs: () => NOW_MS,
      log: log.log,
    });
    await test({ retention, sweeps, log });
  } finally {
    mock.timers.reset();
  }
}

/** Runs everything that waits for settled promises only. */
async function promisesSettled(): Promise<void> {
  for (let i = 0; i < 20; i++) await Promise.resolve();
}

function afterInterval(): void {
  mock.timers.tick(SWEEP_INTERVAL_SECONDS * 1000);
}

Deno.test("retention sweeps at once, by the number, the bytes and the age of its limits", () =>
  withRetention(async ({ retention, sweeps, log }) => {
    assertEquals(sweeps.map(({ bounds }) => bounds), [{
      keep: 1000,
      bytes: 2000,
      receivedFrom: NOW_MS - 90 * DAY_MS,
      nowMs: NOW_MS,
    }]);
    sweeps[0]!.resolve(5);
    await retention.stop();
    assertEquals(log.lines, [{ level: "info", event: "history.swept", properties: { removed: 5 } }]);
  }));

Deno.test("retention sweeps again at each interval, and says nothing where nothing went", () =>
  withRetention(async ({ retention, sweeps, log }) => {
    for (const n of [1, 2, 3]) {
      assertEquals(sweeps.length, n);
      sweeps[n - 1]!.resolve(0);
      await promisesSettled();
      mock.timers.tick(SWEEP_INTERVAL_SECONDS * 1000 - 1);
      assertEquals(sweeps.length, n);
      mock.timers.tick(1);
    }
    sweeps.at(-1)!.resolve(0);
    await retention.stop();
    assertEquals(log.lines, []);
  }));

Deno.test("retention begins no second sweep while one is under way", () =>
  withRetention(async ({ retention, sweeps }) => {
    afterInterval();
    afterInterval();
    assertEquals(sweeps.length, 1);
    sweeps[0]!.resolve(0);
    await promisesSettled();
    afterInterval();
    assertEquals(sweeps.length, 2);
    sweeps[1]!.resolve(0);
    await retention.stop();
  }));

Deno.test("retention logs a sweep that fails, and tries again", () =>
  withRetention(async ({ retention, sweeps, log }) => {
    sweeps[0]!.reject(new Error("disk is full"));
    await promisesSettled();
    assertEquals(log.events("error"), ["history.sweep_failed"]);
    afterInterval();
    assertEquals(sweeps.length, 2);
    sweeps[1]!.resolve(7);
    await retention.stop();
    assertEquals(log.events("info"), ["history.swept"]);
  }));

Deno.test("retention that is stopped waits for the sweep under way, and begins no other", () =>
  withRetention(async ({ retention, sweeps }) => {
    let stopped = false;
    const stop = retention.stop().then(() => stopped = true);
    await promisesSettled();
    assertEquals(stopped, false);
    sweeps[0]!.resolve(0);
    await stop;
    afterInterval();
    assertEquals(sweeps.length, 1);
    await retention.stop();
  }));

Deno.test("retention sweeps by the time that is believed, and logs once that the clock is not", () =>
  withRetention(async ({ retention, sweeps, log }) => {
    for (const n of [1, 2]) {
      assertEquals(sweeps.length, n);
      assertEquals(sweeps[n - 1]!.bounds.receivedFrom, NOW_MS - 90 * DAY_MS);
      sweeps[n - 1]!.resolve(0);
      await promisesSettled();
      afterInterval();
    }
    sweeps.at(-1)!.resolve(0);
    await retention.stop();
    assertEquals(log.lines, [
      { level: "info", event: "history.sweep_delayed", properties: { aheadDays: 100 } },
    ]);
  }, { wallMs: NOW_MS + 100 * DAY_MS }));

Deno.test("retention of 0 days removes all messages, whatever the clock is", () =>
  withRetention(async ({ retention, sweeps, log }) => {
    const journal = new MemoryJournal({ historyCount: 1000 });
    for (const receivedMs of [NOW_MS - 1, NOW_MS + 100 * DAY_MS - 1]) {
      journal.append([{ kind: "said", message: messageReceived(receivedMs) }]);
    }
    const [{ bounds, resolve }] = sweeps as [Sweep];
    assertEquals(await journal.sweep(bounds), 2);
    resolve(0);
    await retention.stop();
    assertEquals(log.lines, []);
  }, { wallMs: NOW_MS + 100 * DAY_MS, historyDays: 0 }));

function messageReceived(receivedMs: number): StoredMessage {
  const uuid = messageIds({ nowMs: () => receivedMs, random32: () => 0 })();
  return {
    ...{ uuid, author: "a", username: "ann", timestamp: "1", receivedMs, text: "hi" },
    ...{ edited: false, position: undefined, nonce: undefined },
  };
}

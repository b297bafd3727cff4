/**
 * The sweep of many servers in virtual time: a real snapshot and sweep; checks take a given time by the test's clock.
 *
 * @module
 */
import { assert, assertEquals, assertLess, assertLessOrEqual } from "@std/assert";
import { mock } from "node:test";
import { CHECKS_AT_ONCE_MAX, Liveness } from "../../../listing/registry/liveness.ts";
import { MISSES_MAX, settleCheck } from "../../../listing/registry/rules.ts";
import { ChangeLog } from "../../../listing/list/change_log.ts";
import { ServerIndex } from "../../../listing/list/server_index.ts";
import type { ServerRecord, ServerStore } from "../../../listing/store/store.ts";
import { ABROAD_RECORD } from "../abroad_record.ts";

const INTERVAL_S = 60;
const STEP_MS = 20;
/** The time of an honest server, and the limit of a ping. */
const ALIVE_MS = 200;
const DEAD_MS = 3000;

/** A store in memory with the test's records. */
function storeOf(
  records: ServerRecord[],
): ServerStore & { tell: (id: number, record?: ServerRecord) => void } {
  let unread: ServerRecord[] | undefined = records;
  const listeners: ((id: number, record: ServerRecord | undefined) => void)[] = [];
  return {
    get: () => Promise.resolve(undefined),
    write: () => Promise.resolve(true),
    known: () => undefined,
    changesOfOthers() {
      const all = unread;
      unread = undefined;
      return Promise.resolve(all);
    },
    onWrite: (listener) => void listeners.push(listener),
    probe: () => Promise.resolve(),
    tell: (id, record) => listeners.forEach((listener) => listener(id, record)),
  };
}

/** Sweeps for `seconds`. Returns when each server's checks ended, and the maximum of concurrent checks. */
async function sweepFor(
  seconds: number,
  servers: number,
  isDead: (id: number) => boolean,
): Promise<{ checkedAtMs: Map<number, number[]>; most: number; left: number }> {
  let nowMs = 0;
  const clock = () => nowMs;
  const store = storeOf(
    Array.from({ length: servers }, (_, id) => ({ ...ABROAD_RECORD, id, checkedAtMs: -1_000_000 })),
  );
  const index = new ServerIndex(store, clock, new ChangeLog("test"));
  const checkedAtMs = new Map<number, number[]>();
  let underWay = 0;
  let most = 0;
  const check = async (record: ServerRecord) => {
    most = Math.max(most, ++underWay);
    await new Promise((resolve) => setTimeout(resolve, isDead(record.id) ? DEAD_MS : ALIVE_MS));
    underWay--;
    checkedAtMs.set(record.id, [...checkedAtMs.get(record.id) ?? [], nowMs]);
    const outcome = isDead(record.id)
      ? { answered: false, problem: "" } as const
      : { answered: true, roundTripMs: ALIVE_MS } as const;
    store.tell(record.id, settleCheck(record, outcome, nowMs));
  };
  mock.timers.enable({ apis: ["setTimeout"] });
  try {
    const liveness = new Liveness({
      index,
      check,
      forget: () => Promise.resolve(),
      interval: INTERVAL_S,
      steadyClock: clock,
      wallClock: clock,
    });
    liveness.start();
    for (; nowMs < seconds * 1000; nowMs += STEP_MS) {
      mock.timers.tick(STEP_MS);
      // A few microtask turns complete what the timers started.
      for (let turn = 0; turn < 12; turn++) await Promise.resolve();
    }
    const stopped = liveness.stop();
    for (let i = 0; i < 2 * DEAD_MS / STEP_MS; i++) {
      mock.timers.tick(STEP_MS);
      await Promise.resolve();
    }
    await stopped;
    return { checkedAtMs, most, left: index.size };
  } finally {
    mock.timers.reset();
  }
}

/** The longest time from the start to a server's first check or between two of its checks. */
function longestGapMs(times: number[]): number {
  return Math.max(...times.map((time, i) => time - (times[i - 1] ?? 0)));
}

Deno.test("10,000 servers are swept within the interval, with a bounded number of checks at once", async () => {
  const { checkedAtMs, most, left } = await sweepFor(2 * INTERVAL_S + 10, 10_000, () => false);
  assertEquals([checkedAtMs.size, left], [10_000, 10_000]);
  for (const times of checkedAtMs.values()) {
    assert(times.length >= 2, "once an interval each");
    assertLess(times[0]!, INTERVAL_S * 1000, "the first within the first");
    assertLess(longestGapMs(times), 1.1 * INTERVAL_S * 1000);
  }
  assertLessOrEqual(most, CHECKS_AT_ONCE_MAX);
  const firsts = [...checkedAtMs.values()].map(([first]) => first! / 1000);
  for (let from = 0; from < INTERVAL_S; from += INTERVAL_S / 10) {
    const share = firsts.filter((at) => at >= from && at < from + INTERVAL_S / 10).length / firsts.length;
    assertLess(share, 0.15, "spread over the interval");
  }
});

Deno.test("a thousand that die at once among two thousand delay no check of one that lives by an interval", async () => {
  const { checkedAtMs, most, left } = await sweepFor(5 * INTERVAL_S, 2000, (id) => id % 2 === 0);
  for (let id = 1; id < 2000; id += 2) {
    assertLess(longestGapMs(checkedAtMs.get(id) ?? []), 2 * INTERVAL_S * 1000);
    assert((checkedAtMs.get(id)?.length ?? 0) >= 4);
  }
  for (let id = 0; id < 2000; id += 2) assertEquals(checkedAtMs.get(id)?.length, MISSES_MAX);
  assertEquals(left, 1000, "the dead are removed");
  assertLessOrEqual(most, 2 * CHECKS_AT_ONCE_MAX);
});

/**
 * Measures how smooth the listing's page stays in a headless browser with a thousand servers and a hundred changes
 * per second. It prints the time until the page is live and how long it blocks at a quarter of the speed, the delay
 * of a key in the search, and the main thread's work per second during changes. It writes the changes to the store, as another listing on it would.
 *
 * ```sh
 * deno run --allow-all bench/listing_page.ts [--servers 1000] [--changes 100] [--seconds 10]
 * ```
 *
 * @module
 */
// deno-lint-ignore-file no-console
import { startListing } from "../listing/mod.ts";
import { KvServerStore } from "../listing/store/store_kv.ts";
import { claimLayout, openKv } from "../src/kv/kv.ts";
import { ABROAD_RECORD } from "../tests/listing/abroad_record.ts";
import { withBrowser } from "../tests/support/browser.ts";
import { numbersOrEnd } from "./comparison/options.ts";

const { servers: SERVERS, changes: CHANGES, seconds: SECONDS } = numbersOrEnd("listing_page", Deno.args, {
  servers: { otherwise: 1000, min: 1, max: 100_000 },
  changes: { otherwise: 100, min: 1, max: 10_000 },
  seconds: { otherwise: 10, min: 1, max: 600 },
});

function record(id: number) {
  const connectedUsers = Math.floor(Math.random() * 51);
  return {
    ...ABROAD_RECORD,
    ...{ id, connectedUsers, serverName: `Server ${id}`, address: `s${id}.example:5000` },
    checkedAtMs: Date.now(),
  };
}

/** Writes `CHANGES` changes per second until the signal. */
async function change(store: KvServerStore, signal: AbortSignal): Promise<void> {
  while (!signal.aborted) {
    await Promise.all(Array.from({ length: CHANGES / 10 }, async () => {
      const id = Math.floor(Math.random() * SERVERS);
      const was = await store.get(id);
      await store.write(id, was?.version, record(id));
    }));
    await new Promise((resolve) => setTimeout(resolve, 100));
  }
}

const folder = await Deno.makeTempDir();
const kv = await openKv(`${folder}/listing.db`);
await claimLayout(kv, `${folder}/listing.db`, { role: "listing", version: 1 });
const store = new KvServerStore(kv);
for (let from = 0; from < SERVERS; from += 100) {
  const ids = Array.from({ length: Math.min(100, SERVERS - from) }, (_, i) => from + i);
  await Promise.all(ids.map((id) => store.write(id, undefined, record(id))));
}
const listing = await startListing({
  hostname: "127.0.0.1",
  port: 0,
  kv: `${folder}/listing.db`,
  checkInterval: 3600,
  trustProxy: false,
  tls: undefined,
});
const stop = new AbortController();
await withBrowser(async ({ visitor }) => {
  const page = await visitor();
  // A phone: a quarter of this machine's speed. A task of more than 50 ms blocks, by what it is longer.
  await page.emulateCPUThrottling(4);
  await page.evaluateOnNewDocument(() => {
    const blocked = Object.assign(globalThis, { blockedMs: 0 });
    new PerformanceObserver((list) => {
      for (const { duration } of list.getEntries()) blocked.blockedMs += duration - 50;
    }).observe({ type: "longtask", buffered: true });
  });
  const startMs = performance.now();
  await page.goto(listing.url);
  await page.waitForSelector('#state[data-state="live"]');
  const rows = await page.$$eval("#rows tr", ({ length }) => length);
  const liveMs = Math.round(performance.now() - startMs);
  await new Promise((resolve) => setTimeout(resolve, 500));
  const blockedMs = await page.evaluate(() => (globalThis as unknown as { blockedMs: number }).blockedMs);
  console.log(`live after ${liveMs} ms, ${rows} rows, blocked for ${Math.round(blockedMs)} ms`);
  await page.emulateCPUThrottling(null);
  const keys = await page.evaluate(async () => {
    const search = document.querySelector<HTMLInputElement>("#q")!;
    const took: number[] = [];
    for (const text of ["S", "Server 9", "Server 99", "Server 9", ""]) {
      const startMs = performance.now();
      search.value = text;
      search.dispatchEvent(new Event("input", { bubbles: true }));
      document.body.getBoundingClientRect();
      took.push(Math.round(performance.now() - startMs));
      await new Promise((resolve) => setTimeout(resolve, 200));
    }
    return took;
  });
  console.log(`a search, laid out: ${keys.join(", ")} ms`);
  const changing = change(store, stop.signal);
  await new Promise((resolve) => setTimeout(resolve, 2000));
  const before = await page.metrics();
  await new Promise((resolve) => setTimeout(resolve, SECONDS * 1000));
  const after = await page.metrics();
  const share = (name: "TaskDuration" | "ScriptDuration" | "LayoutDuration" | "RecalcStyleDuration") =>
    `${((after[name]! - before[name]!) / SECONDS * 100).toFixed(0)} %`;
  console.log(
    `main thread at work: ${share("TaskDuration")}, of it script ${share("ScriptDuration")}, ` +
      `styles ${share("RecalcStyleDuration")}, layout ${share("LayoutDuration")}`,
  );
  stop.abort();
  await changing;
});
await listing.stop();
kv.close();
await Deno.remove(folder, { recursive: true });
Deno.exit(0);

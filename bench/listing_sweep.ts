/**
 * Measures the sweep of a real listing over real sockets: how long 10,000 servers take to be checked, how much a
 * thousand silent ones delay the others, and what GET costs meanwhile. The chat servers are a separate process that
 * serves all of 127.0.0.0/8 and reads the id from the Host header. It ends after about three intervals.
 *
 *     deno run -A bench/listing_sweep.ts [--servers 10000] [--silent 0] [--interval 60, seconds]
 *
 * @module
 */
// deno-lint-ignore-file no-console
import process from "node:process";
import { startListing } from "../listing/mod.ts";
import type { ServerRecord } from "../listing/store/store.ts";
import { openKv } from "../src/kv/kv.ts";
import { DEFAULT_LISTING_LIMITS } from "../src/announcement/listing_limits.ts";
import { addressOf, fillListingStore, idOf } from "./comparison/listing_store.ts";
import { numbersOrEnd } from "./comparison/options.ts";

/** The time of all servers' last check: each is due at once. */
const LONG_AGO_MS = 1;

if (Deno.args[0] === "--serve") serveAll();
else {
  const { servers, silent, interval } = numbersOrEnd("listing_sweep", Deno.args, {
    servers: { otherwise: 10_000, min: 1, max: 100_000 },
    silent: { otherwise: 0, min: 0, max: 100_000 },
    interval: { otherwise: 60, min: 1, max: 3600 },
  });
  await measure(servers, silent, interval);
}

/** Answers every ping on one port; on the other accepts connections and stays silent. */
function serveAll(): void {
  const alive = Deno.serve({ hostname: "0.0.0.0", port: 0, onListen: () => {} }, (request) => {
    const id = idOf(request.headers.get("host") ?? "");
    const { socket, response } = Deno.upgradeWebSocket(request);
    socket.onmessage = ({ data }) => socket.send(`${data}; ${id}`);
    return response;
  });
  const silent = Deno.listen({ hostname: "0.0.0.0", port: 0 });
  (async () => {
    for await (const conn of silent) {
      conn.read(new Uint8Array(1024)).then(() => conn.read(new Uint8Array(1))).catch(() => {}).finally(() =>
        conn.close()
      );
    }
  })();
  Deno.stdout.write(new TextEncoder().encode(`${alive.addr.port} ${silent.addr.port}\n`));
}

async function measure(servers: number, silent: number, interval: number): Promise<void> {
  const fleet = new Deno.Command(Deno.execPath(), {
    args: ["run", "-A", import.meta.filename ?? "", "--serve"],
    stdout: "piped",
  }).spawn();
  const kv = await Deno.makeTempFile({ suffix: ".db" });
  try {
    const [alivePort = "", silentPort = ""] = (await readLine(fleet.stdout)).split(" ");
    await fillListingStore(kv, servers, {
      addressOf: (id) => addressOf(id, id < silent ? silentPort : alivePort),
      checkedAtMs: LONG_AGO_MS,
    });
    await using listing = await startListing({
      hostname: "127.0.0.1",
      port: 0,
      kv,
      checkInterval: interval,
      trustProxy: false,
      tls: undefined,
      limits: { ...DEFAULT_LISTING_LIMITS, maxServersPerOrigin: servers },
    });
    await watch(listing.url, kv, { servers, silent, interval });
  } finally {
    fleet.kill();
    await fleet.status;
    for (const suffix of ["", "-wal", "-shm"]) await Deno.remove(kv + suffix).catch(() => {});
  }
}

interface Setting {
  readonly servers: number;
  readonly silent: number;
  /** Seconds. */
  readonly interval: number;
}

/** Reads the store once per second for three intervals and prints the progress of the checks. */
async function watch(url: string, path: string, { servers, silent, interval }: Setting): Promise<void> {
  using kv = await openKv(path);
  const started = Date.now();
  const cpuBefore = cpuSeconds();
  const lastCheck = new Map<number, number>();
  let firstSweepMs = 0;
  let longestGap = 0;
  const getMs: number[] = [];
  while (Date.now() - started < 3 * interval * 1000) {
    await new Promise((resolve) => setTimeout(resolve, 1000));
    const asked = performance.now();
    await (await fetch(`${url}/servers`)).arrayBuffer();
    getMs.push(performance.now() - asked);
    for await (
      const { value } of kv.list<ServerRecord>({ prefix: ["listing", "servers"] }, { batchSize: 1000 })
    ) {
      if (value.id < silent || value.checkedAtMs === LONG_AGO_MS) continue;
      const before = lastCheck.get(value.id) ?? started;
      if (!lastCheck.has(value.id)) firstSweepMs = Math.max(firstSweepMs, value.checkedAtMs - started);
      longestGap = Math.max(longestGap, value.checkedAtMs - before);
      lastCheck.set(value.id, value.checkedAtMs);
    }
  }
  const seconds = (Date.now() - started) / 1000;
  getMs.sort((a, b) => a - b);
  const line = {
    servers,
    silent,
    interval,
    checked: `${lastCheck.size} of ${servers - silent} that live`,
    firstSweepSeconds: (firstSweepMs / 1000).toFixed(1),
    longestWaitSeconds: (longestGap / 1000).toFixed(1),
    cpu: `${((cpuSeconds() - cpuBefore) / seconds * 100).toFixed(0)} % of one core, this watching included`,
    getMs: `median ${getMs[getMs.length >> 1]?.toFixed(0)}, longest ${getMs.at(-1)?.toFixed(0)}`,
    rssMB: Math.round(Deno.memoryUsage().rss / 1e6),
  };
  for (const [name, value] of Object.entries(line)) console.log(`${name}: ${value}`);
}

function cpuSeconds(): number {
  const { user, system } = process.cpuUsage();
  return (user + system) / 1e6;
}

async function readLine(stream: ReadableStream<Uint8Array<ArrayBuffer>>): Promise<string> {
  const reader = stream.pipeThrough(new TextDecoderStream()).getReader();
  let text = "";
  while (!text.includes("\n")) {
    const { value, done } = await reader.read();
    if (done) break;
    text += value;
  }
  return text.trim();
}

/**
 * Fills a listing's store with recently checked servers, changes them by PUT and saves the listing's answers, for
 * measurements. No real server is behind an entry unless the caller starts one.
 *
 * @module
 */
import { Buffer } from "node:buffer";
import { Agent, get, request } from "node:http";
import { hashKey } from "../../listing/registry/keys.ts";
import { KvServerStore } from "../../listing/store/store_kv.ts";
import { claimLayout, openKv } from "../../src/kv/kv.ts";

/** The key of every server: 43 characters of base64url, as a real key. */
export const KEY = "bench".padEnd(43, "A");
const AT_ONCE = 100;
/** An address that the load generator does not use; it uses 127.0.0.1 to 127.0.0.8. */
const PUTS_FROM = "127.0.0.9";

/** An address of the form 127.a.b.c:port for the server with this id. */
export function addressOf(id: number, port: number | string = 5000): string {
  return `127.${1 + (id >> 16)}.${(id >> 8) & 255}.${id & 255}:${port}`;
}

/** The id for an address of `addressOf`, with or without its port. */
export function idOf(address: string): number {
  const [, a = 0, b = 0, c = 0] = address.split(":")[0]?.split(".").map(Number) ?? [];
  return ((a - 1) << 16) + (b << 8) + c;
}

/** The servers' port (default 5000), and when they were checked, in milliseconds since 1970 (default: now). */
export interface Filling {
  readonly addressOf?: (id: number) => string;
  readonly checkedAtMs?: number;
}

/** Makes a store at `path` with the servers 0 to `servers` - 1. */
export async function fillListingStore(path: string, servers: number, filling: Filling = {}): Promise<void> {
  using kv = await openKv(path);
  await claimLayout(kv, path, { role: "listing", version: 1 });
  const store = new KvServerStore(kv);
  const nowMs = Date.now();
  const { checkedAtMs = nowMs } = filling;
  for (let from = 0; from < servers; from += AT_ONCE) {
    const ids = Array.from({ length: Math.min(AT_ONCE, servers - from) }, (_, i) => from + i);
    await Promise.all(ids.map((id) =>
      store.write(id, undefined, {
        id,
        serverName: `Server ${id}`,
        address: (filling.addressOf ?? addressOf)(id),
        connectedUsers: id % 50,
        maxUsers: 50,
        keyHash: hashKey(KEY),
        origin: "127.0.0.1",
        onlineSince: nowMs - id * 1000,
        roundTripMs: 1,
        checks: 1,
        answered: 1,
        misses: 0,
        checkedAtMs,
        keyUsedAtMs: nowMs,
      })
    ));
  }
}

/**
 * Sends PUTs at a steady rate to the servers in turn until stopped. Its `stop` throws if one was refused. They come
 * from another address than the reads, because a list is made again for an address that has written.
 */
export function startPuts(
  port: number,
  { servers, putsPerSecond }: { readonly servers: number; readonly putsPerSecond: number },
): { readonly stop: () => Promise<number> } {
  let sent = 0;
  let refusal: string | undefined;
  const underWay = new Set<Promise<void>>();
  // Chat servers keep their connection to the listing too.
  const agent = new Agent({ keepAlive: true });
  const timer = setInterval(() => {
    const id = sent++ % servers;
    const done = put(port, agent, id, JSON.stringify({ connectedUsers: sent % 51 })).catch((error) => {
      refusal ??= `PUT: ${error.message}`;
    }).finally(() => underWay.delete(done));
    underWay.add(done);
  }, 1000 / putsPerSecond);
  return {
    stop: async () => {
      clearInterval(timer);
      await Promise.all(underWay);
      agent.destroy();
      if (refusal !== undefined) throw new Error(refusal);
      return sent;
    },
  };
}

/** Changes one server, from an address of its own. */
function put(port: number, agent: Agent, id: number, body: string): Promise<void> {
  return new Promise((resolve, reject) => {
    const asked = request({
      ...{ host: "127.0.0.1", port, localAddress: PUTS_FROM, method: "PUT", path: `/servers/${id}`, agent },
      headers: { authorization: `C2Listing ${KEY}`, "content-length": body.length },
    }, (answer) => {
      answer.resume();
      answer.on("end", () => {
        if (answer.statusCode === 200) resolve();
        else reject(new Error(`answered ${answer.statusCode}`));
      });
    });
    asked.on("error", reject);
    asked.end(body);
  });
}

/** Saves the listing's answer to a GET of its list, byte by byte, in `file`, with the headers beside it. */
export async function keepAnswer(port: number, file: string, coding: "gzip" | "identity"): Promise<void> {
  const { headers, bytes } = await getRaw(port, coding);
  // These headers belong to the connection, not to the list.
  for (const name of ["content-length", "transfer-encoding", "date"]) delete headers[name];
  await Deno.writeTextFile(`${file}.headers`, JSON.stringify(headers));
  await Deno.writeFile(file, bytes);
}

/** Without `fetch`, which would decompress the answer. */
function getRaw(
  port: number,
  coding: string,
): Promise<{ headers: Record<string, unknown>; bytes: Uint8Array }> {
  return new Promise((resolve, reject) => {
    const headers = { "accept-encoding": coding };
    get({ host: "127.0.0.1", port, path: "/servers", headers }, (answer) => {
      const chunks: Buffer[] = [];
      answer.on("data", (chunk: Buffer) => chunks.push(chunk));
      answer.on("end", () => resolve({ headers: { ...answer.headers }, bytes: Buffer.concat(chunks) }));
    }).on("error", reject);
  });
}

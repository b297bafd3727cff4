/**
 * A listing's store, filled with servers as if they had just been checked, and PUTs that change them: for measuring
 * the listing's reads. No server is behind an entry, and none is pinged meanwhile.
 *
 * @module
 */
import { hashKey } from "../../listing/keys.ts";
import { KvServerStore } from "../../listing/store_kv.ts";
import { openKv } from "../../src/kv.ts";

/** 43 characters of base64url, which is what a key looks like. */
const KEY = "bench".padEnd(43, "A");
const AT_ONCE = 100;

/** Makes a store with so many servers at `path`. */
export async function fillListingStore(path: string, servers: number): Promise<void> {
  const kv = await openKv(path);
  const store = new KvServerStore(kv);
  const nowMs = Date.now();
  for (let from = 0; from < servers; from += AT_ONCE) {
    const ids = Array.from({ length: Math.min(AT_ONCE, servers - from) }, (_, i) => from + i);
    await Promise.all(ids.map((id) =>
      store.write(id, undefined, {
        id,
        serverName: `Server ${id}`,
        address: `127.${1 + (id >> 16)}.${(id >> 8) & 255}.${id & 255}:5000`,
        connectedUsers: id % 50,
        maxUsers: 50,
        keyHash: hashKey(KEY),
        origin: "127.0.0.1",
        onlineSince: nowMs - id * 1000,
        roundTripMs: 1,
        checks: 1,
        answered: 1,
        misses: 0,
        checkedAtMs: nowMs,
        keyUsedAtMs: nowMs,
      })
    ));
  }
  kv.close();
}

/** PUTs at a steady rate to one server after the other, until stopped. Its `stop` throws where any was refused. */
export function startPuts(
  url: string,
  { servers, putsPerSecond }: { readonly servers: number; readonly putsPerSecond: number },
): { readonly stop: () => Promise<number> } {
  let sent = 0;
  let refusal: string | undefined;
  const underWay = new Set<Promise<void>>();
  const put = async () => {
    const id = sent++ % servers;
    const response = await fetch(`${url}/servers/${id}`, {
      method: "PUT",
      headers: { "authorization": `C2Listing ${KEY}`, "content-type": "application/json" },
      body: JSON.stringify({ connectedUsers: sent % 51 }),
    });
    const text = await response.text();
    if (!response.ok) refusal ??= `PUT ${response.status}: ${text}`;
  };
  const timer = setInterval(() => {
    const done = put().catch((error) => {
      refusal ??= `PUT: ${error}`;
    }).finally(() => underWay.delete(done));
    underWay.add(done);
  }, 1000 / putsPerSecond);
  return {
    stop: async () => {
      clearInterval(timer);
      await Promise.all(underWay);
      if (refusal !== undefined) throw new Error(refusal);
      return sent;
    },
  };
}

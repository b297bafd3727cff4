/**
 * Who the server is on listings, in Deno KV: its id, and under `["listing_key", url]` the keys that they gave,
 * PROTOCOL.md §10.2.
 *
 * @module
 */
import { SERVER_ID_MAX } from "../../src/announcement/announcement.ts";
import type { KeyStore } from "./registration.ts";

export class KvKeyStore implements KeyStore {
  readonly #kv: Deno.Kv;

  constructor(kv: Deno.Kv) {
    this.#kv = kv;
  }

  async get(listing: string): Promise<string | undefined> {
    const { value } = await this.#kv.get<string>(["listing_key", listing]);
    return value ?? undefined;
  }

  /** All of them, by their listings. */
  async all(): Promise<[listing: string, key: string][]> {
    const rows = await Array.fromAsync(this.#kv.list<string>({ prefix: ["listing_key"] }));
    return rows.map(({ key, value }) => [String(key[1]), value]);
  }

  async set(listing: string, key: string): Promise<void> {
    await this.#kv.set(["listing_key", listing], key);
  }
}

const KEY = ["server_id"];

/** The id that this KV holds; one is made and kept where it holds none. An id is 0..2^53-1. */
export async function serverId(kv: Deno.Kv, random: () => number): Promise<number> {
  const kept = await kv.get<number>(KEY);
  if (kept.value !== null) return kept.value;
  const made = Math.floor(random() * (SERVER_ID_MAX + 1));
  await kv.set(KEY, made);
  return made;
}

/**
 * The server's identity on listings in Deno KV: its id, and the key from each listing under `["listing_key", url]`,
 * PROTOCOL.md §10.2. It sends no request.
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

  /** All keys with their listings. */
  async all(): Promise<[listing: string, key: string][]> {
    const rows = await Array.fromAsync(this.#kv.list<string>({ prefix: ["listing_key"] }));
    return rows.map(({ key, value }) => [String(key[1]), value]);
  }

  async set(listing: string, key: string): Promise<void> {
    await this.#kv.set(["listing_key", listing], key);
  }
}

const KEY = ["server_id"];

/** The id in this KV, an integer of 0 to 2^53-1; makes and stores one if there is none. */
export async function serverId(kv: Deno.Kv, random: () => number): Promise<number> {
  const kept = await kv.get<number>(KEY);
  if (kept.value !== null) return kept.value;
  const made = Math.floor(random() * (SERVER_ID_MAX + 1));
  await kv.set(KEY, made);
  return made;
}

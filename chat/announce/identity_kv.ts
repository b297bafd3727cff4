/**
 * The keys of the listings that know this server, in Deno KV under `["listing_key", url]`, PROTOCOL.md §10.2.
 *
 * @module
 */
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

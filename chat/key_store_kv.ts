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

  async set(listing: string, key: string): Promise<void> {
    await this.#kv.set(["listing_key", listing], key);
  }
}

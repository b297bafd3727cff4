/**
 * The server's identity on listings in Deno KV: its id, the key from each listing under `["listing_key", url]`, and
 * the secret of its proofs, docs/listing_api.md §10.2. It sends no request.
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

const SERVER_ID = ["server_id"];
const PROOF_SECRET = ["proof_secret"];
const SECRET_BYTES = 32;

/** The id in this KV, an integer of 0 to 2^53-1; makes and stores one if there is none. */
export async function serverId(kv: Deno.Kv, random: () => number): Promise<number> {
  const kept = await kv.get<number>(SERVER_ID);
  if (kept.value !== null) return kept.value;
  const made = Math.floor(random() * (SERVER_ID_MAX + 1));
  await kv.set(SERVER_ID, made);
  return made;
}

/** Replaces the id and the secret: a node has those of its cluster. */
export async function keepIdentity(kv: Deno.Kv, id: number, secret: Uint8Array): Promise<void> {
  await kv.atomic().set(SERVER_ID, id).set(PROOF_SECRET, secret).commit();
}

/** The secret of the server's proofs in this KV; makes and stores one if there is none. */
export async function proofSecret(kv: Deno.Kv): Promise<Uint8Array> {
  const kept = await kv.get<Uint8Array>(PROOF_SECRET);
  if (kept.value !== null) return kept.value;
  const made = crypto.getRandomValues(new Uint8Array(SECRET_BYTES));
  await kv.set(PROOF_SECRET, made);
  return made;
}

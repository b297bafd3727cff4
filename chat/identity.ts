/**
 * The server's id: made at the first boot, kept in the KV, PROTOCOL.md §1.
 *
 * @module
 */
import { SERVER_ID_MAX } from "../src/announcement/announcement.ts";

const KEY = ["server_id"];

/** The id that this KV holds; one is made and kept where it holds none. An id is 0..2^53-1. */
export async function serverId(kv: Deno.Kv, random: () => number): Promise<number> {
  const kept = await kv.get<number>(KEY);
  if (kept.value !== null) return kept.value;
  const made = Math.floor(random() * (SERVER_ID_MAX + 1));
  await kv.set(KEY, made);
  return made;
}

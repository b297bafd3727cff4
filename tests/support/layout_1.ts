/**
 * What a program of layout 1 wrote: a row a message and a count beside them, and what was told of a change. Frozen:
 * it stays as that program was.
 *
 * @module
 */
import type { JournalEntry, StoredMessage } from "../../chat/room/message.ts";

/** Appends as `KvJournal` did in layout 1. */
export async function appendAsLayout1(kv: Deno.Kv, entries: readonly JournalEntry[]): Promise<void> {
  const atomic = kv.atomic();
  let said = 0;
  for (const entry of entries) {
    atomic.set(["message", entry.message.uuid], rowOf(entry.message));
    if (entry.kind === "said") said++;
    else {
      atomic.set(["told", entry.position], toldOf(entry.message));
      const { before } = entry;
      if (!before.edited && before.position !== undefined) {
        atomic.set(["told", before.position], toldOf(before));
      }
    }
  }
  if (said > 0) atomic.sum(["message_count"], BigInt(said));
  await atomic.commit();
}

/** Marks a store as layout 1 did. */
export async function claimAsLayout1(kv: Deno.Kv): Promise<void> {
  await kv.set(["layout"], { role: "chat", version: 1 });
}

function rowOf({ author, username, timestamp, text, edited, position, nonce }: StoredMessage): object {
  return {
    author,
    username,
    timestamp,
    text,
    edited,
    ...(position !== undefined && { position }),
    ...(nonce !== undefined && { nonce }),
  };
}

function toldOf({ uuid, username, timestamp, text }: StoredMessage): object {
  return { uuid, username, timestamp, text };
}

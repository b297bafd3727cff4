/**
 * Broadcasts of edited messages in Deno KV, by position: each edit, and the message before it, kept while a session may
 * resume, PROTOCOL.md §12.3. The journal itself has only the current version of a message.
 *
 * @module
 */
import type { JournalEntry, StoredMessage } from "../room/message.ts";
import type { MessageBroadcast } from "./journal.ts";

const NAME = "told";

type Row = Omit<MessageBroadcast, "position">;

/** Rows of one commit that removes. */
const REMOVE_MAX = 500;

export class EditLogRows {
  readonly #kv: Deno.Kv;

  constructor(kv: Deno.Kv) {
    this.#kv = kv;
  }

  write(
    atomic: Deno.AtomicOperation,
    { position, message, before }: JournalEntry & { kind: "changed" },
  ): void {
    atomic.set([NAME, position], rowOf(message));
    // Until its first edit the message row was the record of its broadcast.
    if (!before.edited && before.position !== undefined) {
      atomic.set([NAME, before.position], rowOf(before));
    }
  }

  async at(position: number): Promise<MessageBroadcast | undefined> {
    const { value } = await this.#kv.get<Row>([NAME, position]);
    return value === null ? undefined : { position, ...value };
  }

  /** Adds the edits broadcast from position `from` on to `firsts`; returns all in order of position. */
  async withChanges(
    firsts: readonly MessageBroadcast[],
    from: number | undefined,
  ): Promise<MessageBroadcast[]> {
    if (from === undefined) return [];
    const byPosition = new Map(firsts.map((first) => [first.position, first]));
    const rows = this.#kv.list<Row>({ start: [NAME, from], end: [NAME, Infinity] });
    for await (const { key, value } of rows) {
      const position = key[1] as number;
      byPosition.set(position, { position, ...value });
    }
    return [...byPosition.values()].sort((a, b) => a.position - b.position);
  }

  /** Removes what was broadcast before position `before`. */
  async forget(before: number): Promise<void> {
    while (true) {
      const atomic = this.#kv.atomic();
      let count = 0;
      const rows = this.#kv.list({ start: [NAME], end: [NAME, before] }, { limit: REMOVE_MAX });
      for await (const { key } of rows) {
        atomic.delete(key);
        count++;
      }
      if (count === 0) return;
      await atomic.commit();
    }
  }
}

function rowOf({ uuid, username, timestamp, text }: StoredMessage): Row {
  return { uuid, username, timestamp, text };
}

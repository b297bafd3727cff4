/**
 * What was broadcast of messages that were changed, in Deno KV: a row for the change, and one for the message as it was
 * broadcast before, each by its place in the order, for as long as somebody may resume, PROTOCOL.md §12.3.
 *
 * Beside these rows messages lie as they are now, which is the journal's.
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

  /** Has a change written with what `atomic` commits. */
  write(
    atomic: Deno.AtomicOperation,
    { position, message, before }: JournalEntry & { kind: "changed" },
  ): void {
    atomic.set([NAME, position], rowOf(message));
    // The message itself was what was broadcast, up to now.
    if (!before.edited && before.position !== undefined) {
      atomic.set([NAME, before.position], rowOf(before));
    }
  }

  async at(position: number): Promise<MessageBroadcast | undefined> {
    const { value } = await this.#kv.get<Row>([NAME, position]);
    return value === null ? undefined : { position, ...value };
  }

  /** With the changes that were broadcast from a place in the order on, in order. */
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

  /** Removes what was broadcast before a place in the order. */
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

/**
 * What everyone was told of messages that were changed, in Deno KV: a row for the change, and one for the message as
 * it was told before, each by its place in the order, for as long as somebody may resume, PROTOCOL.md §12.3.
 *
 * Beside these rows messages lie as they are now, which is the journal's.
 *
 * @module
 */
import type { JournalEntry, StoredMessage } from "../room/message.ts";

/** What everyone was told of a message at one place in the order. */
export interface ToldMessage {
  readonly position: number;
  readonly uuid: string;
  readonly username: string;
  readonly timestamp: string;
  readonly text: string;
}

/** The newest of what was told. */
export interface ToldMessages {
  /** In order. */
  readonly told: readonly ToldMessage[];
  /** Every message that was told at this place or later is among them. */
  readonly from: number;
  /** The messages among them that their authors had named, as they are stored. */
  readonly named: readonly StoredMessage[];
}

type Row = Omit<ToldMessage, "position">;

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
    atomic.set(["told", position], rowOf(message));
    // The message itself was what was told, up to now.
    if (!before.edited && before.position !== undefined) {
      atomic.set(["told", before.position], rowOf(before));
    }
  }

  async at(position: number): Promise<ToldMessage | undefined> {
    const { value } = await this.#kv.get<Row>(["told", position]);
    return value === null ? undefined : { position, ...value };
  }

  /** With the changes that were told from a place in the order on, in order. */
  async withChanges(firsts: readonly ToldMessage[], from: number | undefined): Promise<ToldMessage[]> {
    if (from === undefined) return [];
    const byPosition = new Map(firsts.map((told) => [told.position, told]));
    const rows = this.#kv.list<Row>({ start: ["told", from], end: ["told", Infinity] });
    for await (const { key, value } of rows) {
      const position = key[1] as number;
      byPosition.set(position, { position, ...value });
    }
    return [...byPosition.values()].sort((a, b) => a.position - b.position);
  }

  /** Removes what was told before a place in the order. */
  async forget(before: number): Promise<void> {
    while (true) {
      const atomic = this.#kv.atomic();
      let count = 0;
      const rows = this.#kv.list({ start: ["told"], end: ["told", before] }, { limit: REMOVE_MAX });
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

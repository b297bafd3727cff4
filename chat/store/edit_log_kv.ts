/**
 * The positions of edits in Deno KV: which message each edit broadcast, kept while a session may resume, PROTOCOL.md
 * §12.3. It has no texts: a replay has messages as they are now, which the journal's segments hold.
 *
 * @module
 */
import type { JournalEntry } from "../room/message.ts";
import { REMOVED } from "../../src/kv/scrub.ts";

const NAME = "told";
/** The row with the first position from which on all edits are here. */
const FROM = ["told_from"];

/** Layout 2 had the text of each edit, and of each edited message before. */
type Row = string | { readonly uuid: string };

/** Rows of one commit. */
const COMMIT_ROWS_MAX = 500;

export interface EditBroadcast {
  readonly position: number;
  readonly uuid: string;
}

export class EditLogRows {
  readonly #kv: Deno.Kv;

  constructor(kv: Deno.Kv) {
    this.#kv = kv;
  }

  write(atomic: Deno.AtomicOperation, { position, message }: JournalEntry & { kind: "changed" }): void {
    atomic.set([NAME, position], message.uuid);
  }

  /** The first position from which on all edits are here. */
  async from(): Promise<number> {
    return (await this.#kv.get<number>(FROM)).value ?? 0;
  }

  /** The edits that were broadcast from position `from` on, in order. Removes the texts of layout 2. */
  async since(from: number): Promise<EditBroadcast[]> {
    const edits: EditBroadcast[] = [];
    const withText: EditBroadcast[] = [];
    for await (const { key, value } of this.#kv.list<Row>({ start: [NAME, from], end: [NAME, Infinity] })) {
      const edit = { position: key[1] as number, uuid: typeof value === "string" ? value : value.uuid };
      edits.push(edit);
      if (typeof value !== "string") withText.push(edit);
    }
    for (let i = 0; i < withText.length; i += COMMIT_ROWS_MAX) {
      const atomic = this.#kv.atomic().set(REMOVED.now, true);
      for (const { position, uuid } of withText.slice(i, i + COMMIT_ROWS_MAX)) {
        atomic.set([NAME, position], uuid);
      }
      await atomic.commit();
    }
    return edits;
  }

  /** Removes what was broadcast before position `before`. */
  async forget(before: number): Promise<void> {
    while (true) {
      const atomic = this.#kv.atomic().set(FROM, before);
      let count = 0;
      const rows = this.#kv.list<Row>({ start: [NAME], end: [NAME, before] }, { limit: COMMIT_ROWS_MAX });
      for await (const { key, value } of rows) {
        atomic.delete(key);
        if (typeof value !== "string") atomic.set(REMOVED.now, true);
        count++;
      }
      if (count === 0) return;
      await atomic.commit();
    }
  }
}

/**
 * The journal in Deno KV: a row a message under its id, so that rows lie in the order of the messages, and a
 * count beside them in the same commit, PROTOCOL.md §4.3.
 *
 * Of the KV it uses `["message", uuid]` and `["message_count"]`. When rows are to go is retention's.
 *
 * @module
 */
import type { HistoryRange, Journal, JournalEntry, StoredMessage } from "./journal.ts";

type Row = Omit<StoredMessage, "uuid">;

const COUNT = ["message_count"];
/** Greater than any UUID in lower case. */
const PAST_ALL = "g";
/** Rows of one commit that removes. */
const REMOVE_MAX = 500;

export class KvJournal implements Journal {
  readonly #kv: Deno.Kv;
  readonly #assertInPlace: () => void;

  /** `assertInPlace` throws where what was committed will not be there at the next start. */
  constructor(kv: Deno.Kv, assertInPlace: () => void = () => {}) {
    this.#kv = kv;
    this.#assertInPlace = assertInPlace;
  }

  async append(entries: readonly JournalEntry[]): Promise<void> {
    const atomic = this.#kv.atomic();
    let said = 0;
    for (const { kind, message } of entries) {
      const { uuid, ...row } = message;
      atomic.set(["message", uuid], row satisfies Row);
      if (kind === "said") said++;
    }
    if (said > 0) atomic.sum(COUNT, BigInt(said));
    // Before it, so that nothing that is refused is there to be read; after it, so that nothing that is gone is
    // acknowledged: a file that was removed takes commits as if nothing was.
    this.#assertInPlace();
    // Without checks a commit cannot answer `ok: false`: it resolves stored, or rejects.
    await atomic.commit();
    this.#assertInPlace();
  }

  async find(uuid: string): Promise<StoredMessage | undefined> {
    const { value } = await this.#kv.get<Row>(["message", uuid]);
    return value === null ? undefined : { uuid, ...value };
  }

  async page({ limit, before, from }: HistoryRange): Promise<StoredMessage[]> {
    const end = before ?? PAST_ALL;
    if (end <= from || limit < 1) return [];
    const newestFirst: StoredMessage[] = [];
    const rows = this.#kv.list<Row>(
      { start: ["message", from], end: ["message", end] },
      { limit, reverse: true, batchSize: limit },
    );
    for await (const { key, value } of rows) newestFirst.push({ uuid: key[1] as string, ...value });
    return newestFirst.reverse();
  }

  /** How many messages are kept. */
  async count(): Promise<number> {
    const { value } = await this.#kv.get<Deno.KvU64>(COUNT);
    // Edits that put swept messages back, and a sweep that takes them again, make the count fall short. Read as
    // unsigned it would then be some 10^19 for a moment, and the next sweep would take everything.
    return value === null ? 0 : Math.max(0, Number(BigInt.asIntN(64, value.value)));
  }

  /**
   * Removes the oldest messages: those with ids below `from`, and as many more as there are past `keep`.
   * Answers how many went. An edit that is decided at this very moment may put one of them back; the next
   * sweep takes it.
   */
  async sweep({ keep, from }: { keep: number; from: string }): Promise<number> {
    let removed = 0;
    while (true) {
      const excess = Math.max(0, await this.count() - keep);
      const victims: Deno.KvKey[] = [];
      const oldest = this.#kv.list(
        { start: ["message", ""], end: ["message", PAST_ALL] },
        { limit: REMOVE_MAX, batchSize: REMOVE_MAX },
      );
      for await (const { key } of oldest) {
        if (victims.length >= excess && (key[1] as string) >= from) break;
        victims.push(key);
      }
      if (victims.length === 0) return removed;
      const atomic = this.#kv.atomic();
      for (const key of victims) atomic.delete(key);
      // The sum wraps around at 2^64: adding the complement subtracts.
      atomic.sum(COUNT, 2n ** 64n - BigInt(victims.length));
      await atomic.commit();
      removed += victims.length;
    }
  }
}

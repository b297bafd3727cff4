/**
 * The journal in Deno KV: a row a message under its id, so that rows lie in the order of the messages, and a
 * count beside them in the same commit, PROTOCOL.md §4.3. What was told of a message beyond its row, as it was before
 * a change and the change itself, lies beside them by its place in the order for as long as somebody may resume, §12.3.
 *
 * Of the KV it uses `["message", uuid]`, `["message_count"]`, `["told", position]` and `["swept"]`. When rows are to
 * go is retention's.
 *
 * @module
 */
import type { HistoryRange, Journal, JournalEntry, StoredMessage } from "./journal.ts";

type Row = Omit<StoredMessage, "uuid" | "position" | "nonce"> & {
  readonly position?: number;
  readonly nonce?: string;
};

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

const COUNT = ["message_count"];
/** The greatest place in the order of all messages that retention has removed. */
const SWEPT = ["swept"];
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
    for (const entry of entries) {
      const { message } = entry;
      atomic.set(["message", message.uuid], rowOf(message));
      if (entry.kind === "said") said++;
      else {
        const { position, before } = entry;
        atomic.set(["told", position], toldOf(message));
        // The row was what was told, up to now.
        if (!before.edited && before.position !== undefined) {
          atomic.set(["told", before.position], toldOf(before));
        }
      }
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
    return value === null ? undefined : messageOf(uuid, value);
  }

  async page({ limit, before, from }: HistoryRange): Promise<StoredMessage[]> {
    const end = before ?? PAST_ALL;
    if (end <= from || limit < 1) return [];
    const newestFirst: StoredMessage[] = [];
    const rows = this.#kv.list<Row>(
      { start: ["message", from], end: ["message", end] },
      { limit, reverse: true, batchSize: limit },
    );
    for await (const { key, value } of rows) newestFirst.push(messageOf(key[1] as string, value));
    return newestFirst.reverse();
  }

  /** The newest of what was told, as many as `isEnough` wants; it is asked after each message, the newest first. */
  async told(isEnough: (text: string) => boolean): Promise<ToldMessages> {
    const told: ToldMessage[] = [];
    const named: StoredMessage[] = [];
    let from: number | undefined;
    const rows = this.#kv.list<Row>(
      { start: ["message", ""], end: ["message", PAST_ALL] },
      { reverse: true, batchSize: REMOVE_MAX },
    );
    for await (const { key, value } of rows) {
      const message = messageOf(key[1] as string, value);
      const { position } = message;
      // Written by a program that did not count: what was told before it is not known.
      if (position === undefined) {
        return { told: await this.#withChanges(told, from), from: from ?? Infinity, named };
      }
      const first = message.edited ? await this.#toldAt(position) : { position, ...toldOf(message) };
      if (first === undefined || isEnough(message.text)) {
        return { told: await this.#withChanges(told, from), from: from ?? Infinity, named };
      }
      told.push(first);
      if (message.nonce !== undefined) named.push(message);
      from = position;
    }
    const { value: swept } = await this.#kv.get<number>(SWEPT);
    from = swept === null ? 0 : swept + 1;
    return { told: await this.#withChanges(told, from), from, named };
  }

  /** Removes what was told before a place in the order, beyond the rows of the messages. */
  async forgetTold(before: number): Promise<void> {
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

  async #toldAt(position: number): Promise<ToldMessage | undefined> {
    const { value } = await this.#kv.get<Omit<ToldMessage, "position">>(["told", position]);
    return value === null ? undefined : { position, ...value };
  }

  /** With the changes that were told from a place in the order on, in order. */
  async #withChanges(firsts: readonly ToldMessage[], from: number | undefined): Promise<ToldMessage[]> {
    if (from === undefined) return [];
    const byPosition = new Map(firsts.map((told) => [told.position, told]));
    const rows = this.#kv.list<Omit<ToldMessage, "position">>({
      start: ["told", from],
      end: ["told", Infinity],
    });
    for await (const { key, value } of rows) {
      const position = key[1] as number;
      byPosition.set(position, { position, ...value });
    }
    return [...byPosition.values()].sort((a, b) => a.position - b.position);
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
      let swept = 0;
      const oldest = this.#kv.list<Row>(
        { start: ["message", ""], end: ["message", PAST_ALL] },
        { limit: REMOVE_MAX, batchSize: REMOVE_MAX },
      );
      for await (const { key, value } of oldest) {
        if (victims.length >= excess && (key[1] as string) >= from) break;
        victims.push(key);
        swept = Math.max(swept, value.position ?? 0);
      }
      if (victims.length === 0) return removed;
      const atomic = this.#kv.atomic();
      for (const key of victims) atomic.delete(key);
      // The sum wraps around at 2^64: adding the complement subtracts.
      atomic.sum(COUNT, 2n ** 64n - BigInt(victims.length));
      if (swept > 0) atomic.set(SWEPT, swept);
      await atomic.commit();
      removed += victims.length;
    }
  }
}

/** Without what there is not: a row is written for every message. */
function rowOf({ author, username, timestamp, text, edited, position, nonce }: StoredMessage): Row {
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

function messageOf(uuid: string, row: Row): StoredMessage {
  return { uuid, ...row, position: row.position, nonce: row.nonce };
}

function toldOf({ uuid, username, timestamp, text }: StoredMessage): Omit<ToldMessage, "position"> {
  return { uuid, username, timestamp, text };
}

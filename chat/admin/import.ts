/**
 * What a chat server keeps as rows to take elsewhere, and rows from elsewhere judged and taken: messages as they are
 * now, bans, and where it is asked for the keys that listings gave.
 *
 * How a message or a ban comes into force is whose it is handed to: a server that runs gives it a place in the order, a
 * store that nobody has open takes it as it is. Sessions are not taken along: their tokens are good on one server.
 *
 * @module
 */
import { wallClock } from "../../src/clock.ts";
import {
  BAN_MESSAGE_LENGTH_MAX,
  LIMITS,
  type Limits,
  NONCE_LENGTH_MAX,
  TIMESTAMP_MS_MAX,
} from "../../src/protocol/limits.ts";
import {
  headerOf,
  PAGE_UNITS_MAX,
  type Taken,
  type Transfer,
  TRANSFER_ROWS_MAX,
  type TransferHeader,
  type TransferPage,
  type TransferRow,
} from "../../src/kv/transfer.ts";
import { type Archive, TooWide } from "../store/journal.ts";
import type { BanStore } from "../store/ban_store.ts";
import { type Ban, Bans, BANS_MAX, readAddressBlock, shownBan } from "../room/bans.ts";
import { adminBodyBytesMax } from "./mount.ts";
import { LAYOUT } from "../store/layout.ts";
import { refuseAdmin } from "./refusals.ts";
import { z } from "zod";
import { formatFirstIssue } from "../../src/schema_issues.ts";
import type { StoredMessage } from "../room/message.ts";
import { firstIdAt } from "../room/message_id.ts";
import { oldestKeptId } from "../store/retention.ts";

/**
 * Milliseconds: a message younger than this may have been said here in the same moment as one that is being said, whose
 * id has to be the greater one.
 */
const YOUNGEST_MS = 1000;
/** Characters of what names or authors may be, whatever the rule of names was where they come from. */
const NAME_LENGTH_MAX = 256;
/** Characters of a listing's URL, and of its key. */
const LISTING_LENGTH_MAX = 2048;
// Text of somebody else: a line is a line, and `; ` ends a field of a frame.
const FIELD = /^[^\p{Cc}\p{Cs}\p{Zl}\p{Zp};]+$/u;

export interface ChatTransferOptions {
  readonly serverId: number;
  readonly layout: number;
  readonly batchBytesMax: () => number;
  /** As they are in force. */
  readonly limits: Pick<Limits, "maxMessageLength" | "historyCount" | "historyDays">;
  readonly archive: Archive;
  /** Puts messages in their places; answers how many were new. */
  readonly insert: Archive["insert"];
  /** All bans. */
  readonly bans: () => Promise<readonly Ban[]>;
  /** Takes bans; answers how many were new, or why none is taken. */
  readonly takeBans: (bans: readonly Ban[]) => Promise<number | { readonly problem: string }>;
  readonly keys: {
    all(): Promise<readonly (readonly [listing: string, key: string])[]>;
    set(listing: string, key: string): Promise<void>;
  };
  /** Milliseconds since 1970. */
  readonly nowMs: () => number;
}

const fieldSchema = z.string().max(NAME_LENGTH_MAX).regex(FIELD, "one line without a semicolon is allowed");
const timeSchema = z.number().int().min(0).max(TIMESTAMP_MS_MAX);

const messageSchema = z.strictObject({
  kind: z.literal("message"),
  uuid: z.string().regex(
    /^[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/,
    "a UUIDv7 is allowed",
  ),
  author: fieldSchema,
  username: fieldSchema,
  timestamp: z.string().regex(/^[0-9]{1,16}$/, "milliseconds as digits are allowed"),
  text: z.string().refine(
    (text) => text.isWellFormed() && !text.includes("\0"),
    "a text without NUL is allowed",
  ),
  edited: z.boolean(),
  nonce: z.string().max(NONCE_LENGTH_MAX).regex(FIELD).optional(),
});

const banSchema = z.strictObject({
  kind: z.literal("ban"),
  id: z.uuid(),
  name: fieldSchema.nullable(),
  address: z.string().nullable().transform((text, context) => {
    const block = text === null ? null : readAddressBlock(text);
    if (block !== undefined) return block;
    context.addIssue({ code: "custom", message: "an IP address or network is allowed" });
    return z.NEVER;
  }),
  message: z.string().max(BAN_MESSAGE_LENGTH_MAX * 2).regex(
    /^[^\p{Cc}\p{Cs}\p{Zl}\p{Zp}]+$/u,
    "one line is allowed",
  ),
  createdAt: timeSchema,
  endsAt: timeSchema.nullable(),
}).refine(({ name, address }) => name !== null || address !== null, "a name or an address is needed");

const keySchema = z.strictObject({
  kind: z.literal("listing_key"),
  listing: z.url().max(LISTING_LENGTH_MAX),
  key: z.string().min(1).max(LISTING_LENGTH_MAX),
});

const rowSchema = z.discriminatedUnion("kind", [messageSchema, banSchema, keySchema]);
type Row = z.infer<typeof rowSchema>;

export class ChatTransfer implements Transfer {
  readonly #options: ChatTransferOptions;

  constructor(options: ChatTransferOptions) {
    this.#options = options;
  }

  describe(): Promise<TransferHeader> {
    const { serverId, layout, batchBytesMax } = this.#options;
    return Promise.resolve({ ...headerOf("chat", layout, batchBytesMax()), serverId });
  }

  /** A cursor is the kind of a row and what the last one of a page was called. */
  async page(cursor = "message ", withKeys: boolean): Promise<TransferPage> {
    const [kind, last = ""] = cursor.split(" ");
    if (kind === "message") return await this.#messages(last);
    if (kind === "ban") return await this.#bans(last, withKeys);
    return { rows: withKeys ? await this.#keys() : [], next: undefined };
  }

  async #messages(last: string): Promise<TransferPage> {
    const found = await this.#options.archive.after(last, TRANSFER_ROWS_MAX);
    let units = 0;
    const cut = found.findIndex(({ text }) => (units += text.length) > PAGE_UNITS_MAX);
    const messages = cut < 0 ? found : found.slice(0, cut + 1);
    const isLast = cut < 0 && found.length < TRANSFER_ROWS_MAX;
    const rows = messages.map(({ uuid, author, username, timestamp, text, edited }) => (
      { kind: "message", uuid, author, username, timestamp, text, edited } satisfies Row
    ));
    return { rows, next: isLast ? "ban " : `message ${messages.at(-1)!.uuid}` };
  }

  async #bans(last: string, withKeys: boolean): Promise<TransferPage> {
    const bans = (await this.#options.bans()).filter(({ id }) => id > last).sort((a, b) =>
      a.id < b.id ? -1 : 1
    );
    const rows = bans.slice(0, TRANSFER_ROWS_MAX).map((ban) => ({ kind: "ban", ...shownBan(ban) }));
    if (bans.length > rows.length) return { rows, next: `ban ${rows.at(-1)!.id}` };
    return { rows, next: withKeys ? "listing_key " : undefined };
  }

  async #keys(): Promise<TransferRow[]> {
    return (await this.#options.keys.all()).map(([listing, key]) => (
      { kind: "listing_key", listing, key } satisfies Row
    ));
  }

  async take(given: readonly unknown[]): Promise<Taken> {
    const messages: StoredMessage[] = [];
    const bans: Ban[] = [];
    const keys: (readonly [string, string])[] = [];
    for (const [i, one] of given.entries()) {
      const read = rowSchema.safeParse(one);
      if (!read.success) return { problem: formatFirstIssue(read.error), row: i };
      const row = read.data;
      if (row.kind === "message") {
        const problem = this.#messageProblem(row);
        if (problem !== undefined) return { problem, row: i };
        if (this.#isKept(row)) messages.push(storedMessage(row));
      } else if (row.kind === "ban") bans.push(storedBan(row));
      else keys.push([row.listing, row.key]);
      if ([messages, bans, keys].filter(({ length }) => length > 0).length > 1) {
        return { problem: "a batch is of one kind of rows", row: i };
      }
    }
    return await this.#store(given.length, messages, bans, keys);
  }

  async #store(
    given: number,
    messages: readonly StoredMessage[],
    bans: readonly Ban[],
    keys: readonly (readonly [string, string])[],
  ): Promise<Taken> {
    const { insert, takeBans } = this.#options;
    let taken = 0;
    try {
      if (messages.length > 0) taken += await insert(messages);
    } catch (error) {
      if (error instanceof TooWide && messages.length > 1) return { isTooWide: true };
      throw error;
    }
    if (bans.length > 0) {
      const came = await takeBans(bans);
      if (typeof came !== "number") return { ...came, row: 0 };
      taken += came;
    }
    if (keys.length > 0) taken += await this.#takeKeys(keys);
    return { taken, skipped: given - taken };
  }

  /** A key that is there is the one that a listing knows now. */
  async #takeKeys(keys: readonly (readonly [string, string])[]): Promise<number> {
    const known = new Map(await this.#options.keys.all());
    const fresh = [...new Map(keys)].filter(([listing]) => !known.has(listing));
    for (const [listing, key] of fresh) await this.#options.keys.set(listing, key);
    return fresh.length;
  }

  /** Why a message may not be here at all. */
  #messageProblem({ uuid, text, edited }: Row & { kind: "message" }): string | undefined {
    const { limits: { maxMessageLength }, nowMs } = this.#options;
    if (text === "" && !edited) return "text: only a message that was deleted has none";
    if ([...text].length > maxMessageLength) {
      return `text: at most ${maxMessageLength} characters are allowed, by --max-message-length`;
    }
    return uuid >= firstIdAt(nowMs() - YOUNGEST_MS) ? "uuid: it is of the future" : undefined;
  }

  /** Whether the next sweep would not take it. */
  #isKept({ uuid }: Row & { kind: "message" }): boolean {
    const { limits: { historyCount, historyDays }, nowMs } = this.#options;
    return historyCount > 0 && uuid >= oldestKeptId(nowMs(), historyDays);
  }
}

/** Where it was told, and what its author named it by, are of the server where that was. */
function storedMessage({ kind: _, nonce: _nonce, ...message }: Row & { kind: "message" }): StoredMessage {
  return { ...message, position: undefined, nonce: undefined };
}

function storedBan({ id, name, address, message, createdAt, endsAt }: Row & { kind: "ban" }): Ban {
  return {
    id,
    name: name ?? undefined,
    address: address ?? undefined,
    message,
    createdAtMs: createdAt,
    endsAtMs: endsAt ?? undefined,
  };
}

const LARGEST_LIMITS: Limits = Object.fromEntries(
  Object.entries(LIMITS).map(([name, { max }]) => [name, max]),
) as Limits;

export interface ClosedStore {
  readonly serverId: number;
  readonly archive: Archive;
  readonly bans: BanStore;
  readonly keys: ChatTransferOptions["keys"];
}

export function transferOfClosed({ serverId, archive, bans, keys }: ClosedStore): Transfer {
  return new ChatTransfer({
    serverId,
    layout: LAYOUT.version,
    batchBytesMax: () => adminBodyBytesMax(LARGEST_LIMITS),
    limits: LARGEST_LIMITS,
    archive,
    insert: (messages) => archive.insert(messages),
    bans: () => bans.load(),
    takeBans: (given) => takeIntoStore(bans, given),
    keys,
    nowMs: wallClock,
  });
}

/** As moderation takes bans, where there is nobody to put out. */
async function takeIntoStore(store: BanStore, given: readonly Ban[]): Promise<number | { problem: string }> {
  const bans = new Bans(await store.load());
  const fresh = given.filter((ban) => bans.get(ban.id) === undefined && bans.sameTarget(ban).length === 0);
  if (bans.size + fresh.length > BANS_MAX) return { problem: refuseAdmin("TOO_MANY_BANS", BANS_MAX).text };
  if (fresh.length > 0) await store.change(fresh, []);
  return fresh.length;
}

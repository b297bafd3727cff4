/**
 * An import into a store without messages that no server has open: checks rows and stores them, messages in the order
 * of their ids, docs/admin_api.md §11.4. Existing bans and keys stay.
 *
 * @module
 */
import {
  BAN_MESSAGE_LENGTH_MAX,
  LIMITS,
  NONCE_LENGTH_MAX,
  TIMESTAMP_MS_MAX,
} from "../../src/protocol/limits.ts";
import type { ImportTarget, Taken } from "../../src/kv/transfer.ts";
import type { Journal } from "../store/journal.ts";
import type { BanStore } from "../store/ban_store.ts";
import { type Ban, Bans, BANS_MAX, readAddressBlock } from "../room/bans.ts";
import { refuseAdmin } from "./refusals.ts";
import { validate as isUuid } from "@std/uuid/common";
import { extractTimestamp, validate as isUuidV7 } from "@std/uuid/v7";
import { z } from "zod";
import { formatFirstIssue } from "../../src/schema_issues.ts";
import type { StoredMessage } from "../room/message.ts";

/** Characters of a name or author: more than the rule of names, which may have been another one. */
const NAME_LENGTH_MAX = 256;
/** A store's later ids are greater than its greatest, which needs room for more. */
const ID_MS_MAX = Date.UTC(9999, 11, 31);
/** Characters of a listing's URL, and of its key. */
const LISTING_LENGTH_MAX = 2048;
// Clients show these texts: each is one line, and `; ` would end a field of a frame.
const FIELD = /^[^\p{Cc}\p{Cs}\p{Zl}\p{Zp}\p{Bidi_Control};]+$/u;

const fieldSchema = z.string().max(NAME_LENGTH_MAX).regex(
  FIELD,
  "one line without a semicolon or a bidi mark is allowed",
);
const timeSchema = z.number().int().min(0).max(TIMESTAMP_MS_MAX);

const messageSchema = z.strictObject({
  kind: z.literal("message"),
  // Ids are compared as strings.
  uuid: z.string().refine(
    (id) => isUuidV7(id) && id === id.toLowerCase(),
    "a UUIDv7 in lower case is allowed",
  ),
  author: fieldSchema,
  username: fieldSchema,
  timestamp: z.string().regex(/^[0-9]{1,16}$/, "milliseconds as digits are allowed"),
  text: z.string().refine(
    (text) => text.isWellFormed() && !text.includes("\0"),
    "a text without NUL is allowed",
  ),
  edited: z.boolean(),
  /** Files of version 1 do not have it. */
  received: timeSchema.optional(),
  nonce: z.string().max(NONCE_LENGTH_MAX).regex(FIELD).optional(),
});

const banSchema = z.strictObject({
  kind: z.literal("ban"),
  id: z.string().refine(isUuid, "a UUID is allowed"),
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
  listing: z.url({ protocol: /^https?$/, error: "an http:// or https:// URL is allowed" }).max(
    LISTING_LENGTH_MAX,
  ),
  key: z.string().max(LISTING_LENGTH_MAX).regex(/^[^\p{Cc}\p{Cs}]+$/u, "one line is allowed"),
});

const rowSchema = z.discriminatedUnion("kind", [messageSchema, banSchema, keySchema]);
type MessageRow = z.infer<typeof messageSchema>;
type KeyRow = z.infer<typeof keySchema>;

export interface ChatImportOptions {
  readonly messages: Pick<Journal, "append" | "page">;
  readonly bans: BanStore;
  readonly keys: {
    get(listing: string): Promise<string | undefined>;
    set(listing: string, key: string): Promise<void>;
  };
}

export class ChatImport implements ImportTarget {
  readonly #options: ChatImportOptions;
  /** The id of the last stored message; undefined before the first. */
  #last: string | undefined;
  /** Bans of the store and of this import; undefined before they are loaded. */
  #bans: Bans | undefined;

  constructor(options: ChatImportOptions) {
    this.#options = options;
  }

  async accept(given: readonly unknown[]): Promise<Taken> {
    const messages: MessageRow[] = [];
    const bans: Ban[] = [];
    const keys: KeyRow[] = [];
    for (const [row, one] of given.entries()) {
      const read = rowSchema.safeParse(one);
      if (!read.success) return { problem: formatFirstIssue(read.error), row };
      if (read.data.kind === "message") messages.push(read.data);
      else if (read.data.kind === "ban") bans.push(storedBan(read.data));
      else keys.push(read.data);
    }
    if (messages.length > 0) return await this.#takeMessages(messages);
    const taken = bans.length > 0 ? await this.#takeBans(bans) : await this.#takeKeys(keys);
    return typeof taken === "number" ? { taken, skipped: given.length - taken } : taken;
  }

  async #takeMessages(rows: readonly MessageRow[]): Promise<Taken> {
    const { messages } = this.#options;
    let last = this.#last ?? "";
    if (
      this.#last === undefined &&
      (await messages.page({ limit: 1, before: undefined, receivedFrom: 0 })).length > 0
    ) {
      return { problem: "the store has messages: an import needs a store without messages", row: 0 };
    }
    for (const [row, { uuid, text, edited }] of rows.entries()) {
      const problem = textProblem(text, edited) ??
        (uuid <= last
          ? "uuid: messages must be in the order of their ids"
          : extractTimestamp(uuid) > ID_MS_MAX
          ? "uuid: its time is after the year 9999"
          : undefined);
      if (problem !== undefined) return { problem, row };
      last = uuid;
    }
    await messages.append(rows.map((row) => ({ kind: "said", message: storedMessage(row) })));
    this.#last = last;
    return { taken: rows.length, skipped: 0 };
  }

  /**
   * Skips bans whose name and address are banned already. Returns how many it stored. The server removes those past
   * their end: this command does not believe the clock.
   */
  async #takeBans(given: readonly Ban[]): Promise<number | Taken> {
    const { bans: store } = this.#options;
    const bans = this.#bans ??= new Bans(await store.load());
    const fresh: Ban[] = [];
    for (const ban of given) {
      if (bans.get(ban.id) !== undefined || bans.sameTarget(ban).length > 0) continue;
      bans.add(ban);
      fresh.push(ban);
    }
    if (bans.size > BANS_MAX) {
      for (const ban of fresh) bans.remove(ban);
      return { problem: refuseAdmin("TOO_MANY_BANS", BANS_MAX).text, row: 0 };
    }
    await store.change(fresh, []);
    return fresh.length;
  }

  /** Skips listings that have a key already: that key is the current one. */
  async #takeKeys(rows: readonly KeyRow[]): Promise<number> {
    const { keys } = this.#options;
    let taken = 0;
    for (const { listing, key } of rows) {
      if (await keys.get(listing) !== undefined) continue;
      await keys.set(listing, key);
      taken++;
    }
    return taken;
  }
}

function textProblem(text: string, edited: boolean): string | undefined {
  if (text === "" && !edited) return "text: only a deleted message has no text";
  const { max } = LIMITS.maxMessageLength;
  return [...text].length > max ? `text: at most ${max} characters are allowed` : undefined;
}

/** Position and nonce belong to the server that the message comes from. */
function storedMessage({ kind: _, nonce: _nonce, received, ...message }: MessageRow): StoredMessage {
  return {
    ...message,
    receivedMs: received ?? extractTimestamp(message.uuid),
    position: undefined,
    nonce: undefined,
  };
}

function storedBan({ id, name, address, message, createdAt, endsAt }: z.infer<typeof banSchema>): Ban {
  return {
    id,
    name: name ?? undefined,
    address: address ?? undefined,
    message,
    createdAtMs: createdAt,
    endsAtMs: endsAt ?? undefined,
  };
}

/**
 * Exports the servers of a listing as rows and imports such rows into its store. It works on the shared store: a
 * running listing shows imported servers within a second. A row holds the hash of a server's key, never the key, so
 * servers stay listed under their keys.
 *
 * @module
 */
import { Buffer } from "node:buffer";
import { z } from "zod";
import {
  areTags,
  canonicalLanguage,
  isDescription,
  isServerName,
  SERVER_ID_MAX,
  USERS_MAX,
} from "../../src/announcement/announcement.ts";
import { formatFirstIssue } from "../../src/schema_issues.ts";
import {
  type ExportSource,
  headerOf,
  type ImportTarget,
  PAGE_ROWS_MAX,
  type Taken,
  type TransferHeader,
  type TransferPage,
} from "../../src/kv/transfer.ts";
import type { ServerRecord, ServerStore } from "./store.ts";

const ADDRESS_LENGTH_MAX = 512;
const HASH_BYTES = 32;

/** The latest time that has a date, which the pages write. */
const TIME_MS_MAX = 8.64e15;

const countSchema = z.number().int().min(0).max(Number.MAX_SAFE_INTEGER);
const usersSchema = z.number().int().min(0).max(USERS_MAX);
const timeSchema = z.number().int().min(0).max(TIME_MS_MAX);
const hashSchema = z.string().transform((text, context): Uint8Array => {
  const bytes = new Uint8Array(Buffer.from(text, "base64url"));
  if (bytes.length === HASH_BYTES) return bytes;
  context.addIssue({ code: "custom", message: `${HASH_BYTES} bytes in base64url are allowed` });
  return z.NEVER;
});

const rowSchema = z.strictObject({
  kind: z.literal("server"),
  id: z.number().int().min(0).max(SERVER_ID_MAX),
  serverName: z.string().refine(isServerName, "a server's name is allowed"),
  address: z.string().min(1).max(ADDRESS_LENGTH_MAX),
  connectedUsers: usersSchema,
  maxUsers: usersSchema,
  description: z.string().refine(isDescription, "a server's description is allowed").optional(),
  tags: z.array(z.string()).refine(areTags, "a server's tags are allowed").optional(),
  language: z.string().refine(
    (text) => canonicalLanguage(text) === text,
    "a canonical language tag is allowed",
  )
    .optional(),
  keyHash: hashSchema,
  proofHash: hashSchema.optional(),
  origin: z.string().min(1).max(ADDRESS_LENGTH_MAX),
  onlineSince: timeSchema,
  sinceMs: timeSchema.optional(),
  peakUsers: usersSchema.optional(),
  peakAtMs: timeSchema.optional(),
  roundTripMs: z.number().min(0),
  checks: countSchema.min(1),
  answered: countSchema,
  misses: countSchema,
  checkedAtMs: timeSchema,
  keyUsedAtMs: timeSchema,
  keptUntilMs: timeSchema.optional(),
}).refine(({ checks, answered }) => answered <= checks, "answered: at most as many as checks are allowed");

export class ListingTransfer implements ExportSource, ImportTarget {
  readonly #store: ServerStore;
  readonly #layout: number;
  /** The records at the time of the first page. */
  #records: ServerRecord[] | undefined;

  constructor(store: ServerStore, layout: number) {
    this.#store = store;
    this.#layout = layout;
  }

  describe(): Promise<TransferHeader> {
    return Promise.resolve(headerOf("listing", this.#layout));
  }

  /** A cursor is the id of the page's last server. */
  async page(cursor: string | undefined): Promise<TransferPage> {
    const last = cursor === undefined ? -1 : Number(cursor);
    // All at once, as a listing holds all records in memory anyway.
    this.#records ??= (await this.#store.changesOfOthers() ?? []).sort((a, b) => a.id - b.id);
    const later = this.#records.filter(({ id }) => id > last);
    const text = (hash: Uint8Array) => Buffer.from(hash).toString("base64url");
    const rows = later.slice(0, PAGE_ROWS_MAX).map(({ keyHash, proofHash, ...record }) => ({
      kind: "server",
      ...record,
      keyHash: text(keyHash),
      ...(proofHash && { proofHash: text(proofHash) }),
    }));
    return { rows, next: later.length > rows.length ? String(rows.at(-1)!.id) : undefined };
  }

  async accept(given: readonly unknown[]): Promise<Taken> {
    const records: ServerRecord[] = [];
    for (const [i, one] of given.entries()) {
      const read = rowSchema.safeParse(one);
      if (!read.success) return { problem: formatFirstIssue(read.error), row: i };
      const { kind: _, ...record } = read.data;
      records.push(record);
    }
    // The version check refuses an existing id, which stays unchanged.
    const taken = await Promise.all(records.map((record) => this.#store.write(record.id, undefined, record)));
    const count = taken.filter((isTaken) => isTaken).length;
    return { taken: count, skipped: given.length - count };
  }
}

/**
 * The format and the ports of export and import: rows as JSON, read by page and written by batch, so that memory is
 * bounded at both ends. Each role defines its own rows. See docs/backup.md.
 *
 * @module
 */

/** Increases with each change of the rows that an older program cannot import. */
export const TRANSFER_VERSION = 2;

/** The first line of an export. */
export interface TransferHeader {
  readonly chatter: "export";
  readonly version: number;
  readonly role: "chat" | "listing";
  /** The layout version of the exported store. */
  readonly layout: number;
  /** Present for a chat server. */
  readonly serverId?: number;
}

export function headerOf(role: TransferHeader["role"], layout: number): TransferHeader {
  return { chatter: "export", version: TRANSFER_VERSION, role, layout };
}

export interface TransferRow {
  readonly kind: string;
}

export interface TransferPage {
  readonly rows: readonly TransferRow[];
  /** The cursor of the next page; undefined on the last one. */
  readonly next: string | undefined;
}

/** The source of an export: a running server or a store. All methods reject if the store fails. */
export interface ExportSource {
  describe(): Promise<TransferHeader>;
  /** `withKeys` includes the keys of a chat server's entries on listings. */
  page(cursor: string | undefined, withKeys: boolean): Promise<TransferPage>;
}

/** A batch is imported entirely or not at all. Skipped rows exist already. */
export type Taken =
  | { readonly taken: number; readonly skipped: number }
  /** `row` is the index in the batch, from 0. */
  | { readonly problem: string; readonly row: number };

export interface ImportTarget {
  /** Imports rows of one kind, at most BATCH_ROWS_MAX with BATCH_UNITS_MAX. Rejects if the store fails. */
  accept(rows: readonly unknown[]): Promise<Taken>;
}

/** A store opened for an export or import command. */
export interface TransferStore extends ExportSource, ImportTarget, AsyncDisposable {}

/** Rows per page. */
export const PAGE_ROWS_MAX = 500;
/** UTF-16 units of a page's texts, without its last row. */
export const PAGE_UNITS_MAX = 262_144;
/** Rows per batch, which is one commit. */
export const BATCH_ROWS_MAX = 500;
/** UTF-16 units of a batch's lines, unless it has a single row. */
export const BATCH_UNITS_MAX = 163_840;

/**
 * How what a server keeps goes out of its store and into another: rows as JSON, a page at a time out and a batch at a
 * time in, so that neither end holds more than that; and the file that they make, ARCHITECTURE.md "Export and import".
 *
 * What a row of each role is, and which of them are taken, is the roles'.
 *
 * @module
 */

/** Counts up with each change of the rows that an older program could not take. */
export const TRANSFER_VERSION = 1;

/** What the rows are of. */
export interface TransferHeader {
  readonly chatter: "export";
  readonly version: number;
  readonly role: "chat" | "listing";
  /** The version of the layout of the store that they come from. */
  readonly layout: number;
  /** Of a chat server. */
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
  /** Where the next page begins; undefined where there is none. */
  readonly next: string | undefined;
}

/** Where an export comes from: a server that runs, or a store. Each of it rejects where the store fails. */
export interface ExportSource {
  describe(): Promise<TransferHeader>;
  /** `withKeys`: also the keys with which a chat server changes its entries on listings. */
  page(cursor: string | undefined, withKeys: boolean): Promise<TransferPage>;
}

/** A batch is taken whole or not at all. What is skipped is there already, or of no use any more. */
export type Taken =
  | { readonly taken: number; readonly skipped: number }
  /** `row` is which of the batch, from 0. */
  | { readonly problem: string; readonly row: number };

/** Where an import goes: a store. */
export interface ImportTarget {
  /** Takes rows of one kind, at most BATCH_ROWS_MAX with BATCH_UNITS_MAX. Rejects where the store fails. */
  take(rows: readonly unknown[]): Promise<Taken>;
}

/** A store that was opened for a command. */
export interface TransferStore extends ExportSource, ImportTarget, AsyncDisposable {}

/** Rows that a page has at the most. */
export const PAGE_ROWS_MAX = 500;
/** UTF-16 units of the texts of a page, the last row's aside. */
export const PAGE_UNITS_MAX = 262_144;
/** Rows that a batch has at the most: each batch is one commit. */
export const BATCH_ROWS_MAX = 500;
/** UTF-16 units of the lines of a batch, unless it is of one row. */
export const BATCH_UNITS_MAX = 196_608;

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
  /** Bytes of a batch as JSON that are taken at once. */
  readonly batchBytesMax: number;
}

export function headerOf(
  role: TransferHeader["role"],
  layout: number,
  batchBytesMax: number,
): TransferHeader {
  return { chatter: "export", version: TRANSFER_VERSION, role, layout, batchBytesMax };
}

export interface TransferRow {
  readonly kind: string;
}

export interface TransferPage {
  readonly rows: readonly TransferRow[];
  /** Where the next page begins; undefined where there is none. */
  readonly next: string | undefined;
}

/** A batch is taken whole or not at all. Rows that are there already are skipped, and so are those that are too old. */
export type Taken =
  | { readonly taken: number; readonly skipped: number }
  /** `row` is which of the batch, from 0. */
  | { readonly problem: string; readonly row: number }
  /** Its rows lie so far apart that no one commit can take them: fewer at once can be. */
  | { readonly isTooWide: true };

/** One end: a server that runs, or its store. Each of it rejects where the store fails. */
export interface Transfer {
  describe(): Promise<TransferHeader>;
  /** `withKeys`: also the keys with which a chat server changes its entries on listings. */
  page(cursor: string | undefined, withKeys: boolean): Promise<TransferPage>;
  take(rows: readonly unknown[]): Promise<Taken>;
}

/** Rows that a page or a batch has at the most. */
export const TRANSFER_ROWS_MAX = 500;
/** UTF-16 units of the texts of a page, the last row's aside. */
export const PAGE_UNITS_MAX = 262_144;

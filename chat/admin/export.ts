/**
 * An export of a chat server as pages of rows: messages as they are now, bans, and on request the keys of listings,
 * docs/admin_api.md §11.4. It has no sessions: their tokens are valid on one server only.
 *
 * @module
 */
import {
  type ExportSource,
  headerOf,
  PAGE_ROWS_MAX,
  PAGE_UNITS_MAX,
  type TransferHeader,
  type TransferPage,
  type TransferRow,
} from "../../src/kv/transfer.ts";
import { type Ban, shownBan } from "../room/bans.ts";
import type { Journal } from "../store/journal.ts";
import { LAYOUT } from "../store/layout.ts";

export interface ChatExportOptions {
  readonly serverId: number;
  readonly messages: Pick<Journal, "after">;
  readonly bans: () => Promise<readonly Ban[]>;
  readonly keys: { all(): Promise<readonly (readonly [listing: string, key: string])[]> };
}

export class ChatExport implements ExportSource {
  readonly #options: ChatExportOptions;

  constructor(options: ChatExportOptions) {
    this.#options = options;
  }

  describe(): Promise<TransferHeader> {
    return Promise.resolve({ ...headerOf("chat", LAYOUT.version), serverId: this.#options.serverId });
  }

  /** A cursor is the kind of a row and the id of the last one sent. */
  async page(cursor = "message ", withKeys: boolean): Promise<TransferPage> {
    const [kind, last = ""] = cursor.split(" ");
    if (kind === "message") return await this.#messages(last);
    if (kind === "ban") return await this.#bans(last, withKeys);
    return { rows: withKeys ? await this.#keys() : [], next: undefined };
  }

  async #messages(last: string): Promise<TransferPage> {
    const found = await this.#options.messages.after(last, PAGE_ROWS_MAX);
    let units = 0;
    const cut = found.findIndex(({ text }) => (units += text.length) > PAGE_UNITS_MAX);
    const messages = cut < 0 ? found : found.slice(0, cut + 1);
    const isLast = cut < 0 && found.length < PAGE_ROWS_MAX;
    const rows = messages.map(({ position: _, nonce: _nonce, receivedMs: received, ...message }) => ({
      kind: "message",
      ...message,
      received,
    }));
    return { rows, next: isLast ? "ban " : `message ${messages.at(-1)!.uuid}` };
  }

  async #bans(last: string, withKeys: boolean): Promise<TransferPage> {
    const bans = (await this.#options.bans()).filter(({ id }) => id > last).sort((a, b) =>
      a.id < b.id ? -1 : 1
    );
    const rows = bans.slice(0, PAGE_ROWS_MAX).map((ban) => ({ kind: "ban", ...shownBan(ban) }));
    if (bans.length > rows.length) return { rows, next: `ban ${rows.at(-1)!.id}` };
    return { rows, next: withKeys ? "listing_key " : undefined };
  }

  async #keys(): Promise<TransferRow[]> {
    return (await this.#options.keys.all()).map(([listing, key]) => ({ kind: "listing_key", listing, key }));
  }
}

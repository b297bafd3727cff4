/**
 * The port to all messages that are kept, for those who take them out or put some in: in the order of their ids,
 * wherever in it they belong. Its adapters lie beside it.
 *
 * @module
 */
import type { StoredMessage } from "./room/message.ts";

export interface Archive {
  /** The oldest messages with greater ids than `uuid`, the oldest first. */
  after(uuid: string, limit: number): Promise<StoredMessage[]>;
  /**
   * Puts messages in their places, those that are not there yet; answers how many those were. All or nothing. Nothing
   * may be appended meanwhile. `TooWide` where they lie too far apart. Rejects where the store fails.
   */
  insert(messages: readonly StoredMessage[]): Promise<number>;
}

/** More is rewritten than one commit takes. */
export class TooWide extends Error {
  override name = "TooWide";
}

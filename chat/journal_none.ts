/**
 * The journal of a server that keeps no history (`--history-count 0`): takes everything and remembers nothing.
 * What was said can then be changed by nobody, and is gone from the server once it was told.
 *
 * @module
 */
import type { Journal } from "./store/journal.ts";
import type { StoredMessage } from "./room/message.ts";

export class NoJournal implements Journal {
  append(): undefined {
    return undefined;
  }

  find(): Promise<StoredMessage | undefined> {
    return Promise.resolve(undefined);
  }

  page(): Promise<StoredMessage[]> {
    return Promise.resolve([]);
  }
}

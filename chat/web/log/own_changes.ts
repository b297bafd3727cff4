/**
 * Changes of the user's own messages: opens one in place, sends an edit or a deletion, and says below the message what
 * becomes of it.
 *
 * @module
 */
/// <reference lib="dom" />
import type { Wish } from "../../../src/client/session/session_events.ts";
import { answerIn } from "../../../src/text/reply.ts";
import { editInPlace } from "./edit_in_place.ts";
import type { LogReader } from "./log_reader.ts";
import type { ChangeFate } from "./message_log.ts";

type Change = Extract<Wish, { kind: "edit" | "delete" }>;

interface Surroundings {
  readonly wish: (change: Change) => void;
  readonly isConnected: () => boolean;
  /** Called when a message is open for a change. */
  readonly onOpen: () => void;
  /** Called when none is open any more. */
  readonly onEnd: () => void;
}

export class OwnChanges {
  readonly #reader: LogReader;
  readonly #surroundings: Surroundings;

  constructor(reader: LogReader, surroundings: Surroundings) {
    this.#reader = reader;
    this.#surroundings = surroundings;
  }

  /** Opens a message in place. */
  open(uuid: string): void {
    const { list } = this.#reader;
    const entry = this.#reader.find(uuid);
    if (entry === undefined) return;
    if (list.rowOf(entry) === undefined) this.#reader.jumpTo(uuid);
    const row = list.rowOf(entry);
    if (row === undefined) return;
    this.#say(uuid, undefined);
    editInPlace(row, entry.message.text, {
      save: (text) => this.send({ kind: "edit", uuid, text }),
      onEnd: this.#surroundings.onEnd,
    });
    this.#surroundings.onOpen();
  }

  /** Gives the last own message another text, or opens it without one. False if there is none. */
  editLast(text: string | undefined): boolean {
    const uuid = this.#reader.live.lastOwn()?.message.uuid;
    if (uuid === undefined) return false;
    if (text === undefined) this.open(uuid);
    else this.send({ kind: "edit", uuid, text });
    return true;
  }

  /** Deletes the own message that is `back` before the last one. False if there is none. */
  removeLast(back: number): boolean {
    const uuid = this.#reader.live.lastOwn(back)?.message.uuid;
    if (uuid !== undefined) this.send({ kind: "delete", uuid });
    return uuid !== undefined;
  }

  /** Sends a change; without a connection, says below the message that it waits. */
  send(change: Change): void {
    if (!this.#surroundings.isConnected()) {
      const [what, becomes] = change.kind === "edit"
        ? ["Changed", { becomes: change.text }]
        : ["Deleted", {}];
      this.#say(change.uuid, { text: `${what} when the connection is back`, isWaiting: true, ...becomes });
    }
    this.#surroundings.wish(change);
  }

  done({ uuid }: Change): void {
    this.#say(uuid, undefined);
  }

  failed(change: Change, why: string): void {
    const what = change.kind === "edit" ? `Not changed to “${answerIn(change.text)}”` : "Not deleted";
    this.#say(change.uuid, { text: `${what}: ${why}`, isWaiting: false });
  }

  /** Shows a line below a message. */
  #say(uuid: string, change: ChangeFate | undefined): void {
    const entry = this.#reader.find(uuid);
    if (entry === undefined || entry.change === change) return;
    entry.change = change;
    this.#reader.list.changed(entry);
  }
}

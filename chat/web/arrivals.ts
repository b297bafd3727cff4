/**
 * What follows when messages of other users arrive: they are counted, marked as new from where the user stopped reading,
 * announced, and call the user back. It shows no messages; the list does.
 *
 * @module
 */
/// <reference lib="dom" />
import type { Message } from "../../src/client/session/session_events.ts";
import type { LogReader } from "./log/log_reader.ts";
import { NewMark } from "./log/new_mark.ts";
import { Unread } from "./log/unread.ts";
import { Notifications } from "./notifications/notifications.ts";
import { NotificationSettings } from "./notifications/notification_settings.ts";
import { byId } from "./page/page_elements.ts";
import type { KnownNames } from "./people/known_names.ts";

/** Where the user stopped reading, as the visit keeps it: the id of the newest message that was seen. */
interface Place {
  seen: string;
}

export class Arrivals {
  readonly #place: Place;
  readonly #names: KnownNames;
  readonly #reader: LogReader;
  readonly #mark: NewMark;
  readonly #unread: Unread;
  readonly #notifications: Notifications;
  /** What was missed arrives now, in view or not. */
  isReturning = false;

  /** `jumpTo` shows the message of an id. */
  constructor(place: Place, names: KnownNames, reader: LogReader, jumpTo: (uuid: string) => void) {
    this.#place = place;
    this.#names = names;
    this.#reader = reader;
    const { list, live } = reader;
    this.#unread = new Unread(() => list.isAtEnd, () => reader.toNewest(), () => {
      // Until the line above what is new is gone, the place is above it.
      if (!this.#mark.isThere) this.#see(live.newest?.uuid);
    });
    this.#mark = new NewMark(list, (after) => jumpTo(reader.firstAfter(after) ?? after), () => {
      this.#see(list.lastInView);
      this.#unread.look();
    });
    this.#notifications = new Notifications(() => byId("room-name", HTMLElement).textContent ?? "", jumpTo);
    new NotificationSettings(this.#notifications);
  }

  /** Call with the newest messages, before they are shown: those after the last one that was seen are new. */
  begin(messages: readonly Message[], isOldest: boolean): void {
    const { seen } = this.#place;
    const unseen = messages.filter(({ uuid, isOwn, text }) => uuid > seen && !isOwn && text !== "");
    const isMore = !isOldest && (messages[0]?.uuid ?? "") > seen;
    this.#mark.begin(seen, unseen.length, isMore);
  }

  /** Call with each new message that is not deleted yet. */
  came(message: Message): void {
    if (message.isOwn) return;
    const isMention = this.#names.isCalled(message.text);
    const { seen } = this.#place;
    if (this.#unread.came(message, isMention) || this.isReturning) this.#mark.add(seen);
    this.#notifications.came(message, isMention);
  }

  /** Call when a message was changed or deleted. */
  changed(uuid: string): void {
    this.#unread.changed(uuid);
    this.#notifications.changed(uuid);
  }

  /** Call when the view moved. */
  look(): void {
    // It reads where the line is: after a change of the button that would be one more layout.
    this.#mark.look();
    this.#unread.look();
  }

  /** Call when the room is hidden. */
  close(): void {
    this.#unread.forget();
    this.#notifications.close();
  }

  /** The user answers: nothing is new any more. */
  answered(): void {
    this.#mark.clear();
  }

  #see(uuid: string | undefined): void {
    if (uuid !== undefined && uuid > this.#place.seen) this.#place.seen = uuid;
  }
}

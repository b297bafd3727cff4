/**
 * Counts messages that arrive out of view, in the tab and on a button, and announces each new message to screen
 * readers. It does not remember which ones were read; new_mark.ts shows where they begin.
 *
 * @module
 */
/// <reference lib="dom" />
import type { Message } from "../../../src/client/session/session_events.ts";
import { isAction } from "../../../src/text/message_text.ts";
import { readableText } from "../../../src/text/readable_text.ts";
import { TabMark } from "../notifications/tab_mark.ts";
import { byId, hide, write } from "../page/page_elements.ts";

/** Messages in the live region; older ones are removed, because a screen reader cannot follow more. */
const ANNOUNCED_MAX = 20;

/** Milliseconds of messages that are announced together. */
const TELL_MS = 200;

export class Unread {
  #count = 0;
  /** Those of them that mention the user. */
  #mentions = 0;
  #heard: { uuid: string; username: string; text: string }[] = [];
  #telling: ReturnType<typeof setTimeout> | undefined;
  readonly #tab = new TabMark();
  readonly #button = byId("newer", HTMLButtonElement);
  readonly #announcer = byId("announcer", HTMLElement);
  readonly #isLooked: () => boolean;
  readonly #onSeen: () => void;

  /** `onSeen` is called when the newest message is in view. */
  constructor(isLooked: () => boolean, toEnd: () => void, onSeen: () => void) {
    this.#isLooked = isLooked;
    this.#onSeen = onSeen;
    this.#button.addEventListener("click", toEnd);
    document.addEventListener("visibilitychange", () => this.look());
    addEventListener("focus", () => this.look());
  }

  /**
   * Call with each new message of another user that is not deleted yet. Returns whether it arrives out of view.
   */
  came({ uuid, username, text }: Message, isMention: boolean): boolean {
    const isUnseen = !this.#isSeen();
    if (isUnseen) this.#count++;
    if (isUnseen && isMention) this.#mentions++;
    this.#heard.push({ uuid, username, text });
    this.#telling ??= setTimeout(() => this.#tell(), TELL_MS);
    return isUnseen;
  }

  /** Call when a message was changed or deleted: its former text is announced and kept no more. */
  changed(uuid: string): void {
    this.#heard = this.#heard.filter((heard) => heard.uuid !== uuid);
    for (const line of this.#announcer.children) {
      if (line instanceof HTMLElement && line.dataset["uuid"] === uuid) line.remove();
    }
  }

  #tell(): void {
    this.#telling = undefined;
    const lines = this.#heard.splice(0).slice(-ANNOUNCED_MAX).map(({ uuid, username, text }) => {
      const line = document.createElement("p");
      line.dataset["uuid"] = uuid;
      const name = document.createElement("bdi");
      name.textContent = username;
      line.append(name, `${isAction(text) ? "" : ":"} ${readableText(text)}`);
      return line;
    });
    this.#announcer.append(...lines);
    while (this.#announcer.childElementCount > ANNOUNCED_MAX) this.#announcer.firstElementChild?.remove();
    this.look();
  }

  look(): void {
    if (this.#isSeen()) {
      this.#show(0);
      this.#onSeen();
    } else this.#show(this.#count);
  }

  /** Counts from 0 again. */
  forget(): void {
    this.#show(0);
  }

  #isSeen(): boolean {
    return !document.hidden && this.#isLooked();
  }

  #show(count: number): void {
    this.#count = count;
    if (count === 0) this.#mentions = 0;
    this.#tab.show({ count, mentions: this.#mentions });
    hide(this.#button, this.#isLooked());
    this.#button.classList.toggle("for-me", this.#mentions > 0);
    const messages = count === 1 ? "1 new message" : `${count} new messages`;
    const mentions = this.#mentions === 0 ? "" : `, ${this.#mentions} for you`;
    write(this.#button, count === 0 ? "To the newest" : messages + mentions);
  }
}

/**
 * What the browser's tab shows of messages that were not seen: their count in the title and on the icon, and another
 * mark where one of them is for the user. The icons are files, because the page may load from its own server only.
 *
 * @module
 */
/// <reference lib="dom" />
import { byId } from "../page/page_elements.ts";

/** The greatest count that has an icon of its own. */
const COUNT_MAX = 9;

export interface Unseen {
  readonly count: number;
  /** Those that mention the user. */
  readonly mentions: number;
}

/** What is written before the title. */
export function titleMark({ count, mentions }: Unseen): string {
  if (count === 0) return "";
  return mentions === 0 ? `(${count}) ` : `@ (${count}) `;
}

/** The icon, from the page's own folder. */
export function iconPath({ count, mentions }: Unseen): string {
  if (count === 0) return "chat/web/icon.svg";
  const what = mentions > 0 ? "mention" : count > COUNT_MAX ? "many" : String(count);
  return `chat/web/notifications/icon_${what}.svg`;
}

export class TabMark {
  readonly #title = document.title;
  readonly #icon = byId("icon", HTMLLinkElement);

  show(unseen: Unseen): void {
    const title = titleMark(unseen) + this.#title;
    if (document.title !== title) document.title = title;
    const path = iconPath(unseen);
    if (this.#icon.getAttribute("href") !== path) this.#icon.setAttribute("href", path);
  }
}

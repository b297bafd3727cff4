/**
 * The drafts below the conversation that are not yet among the messages, with their state. It sends nothing; `settle`
 * does.
 *
 * @module
 */
/// <reference lib="dom" />
import type { Draft } from "../../../src/client/session/session_events.ts";
import { isAction } from "../../../src/text/message_text.ts";
import { fromTemplate, within } from "../page/page_elements.ts";
import { type NamesInText, richText } from "./rich_text.ts";

export class PendingList {
  readonly #list: HTMLElement;
  readonly #names: NamesInText;
  readonly #decide: (nonce: string, isSent: boolean) => void;
  readonly #keepPlace: (change: () => void) => void;
  #waitsFor = "";
  #isOffline = false;
  readonly #rows = new Map<string, HTMLLIElement>();
  /** Nonces of acknowledged drafts by the id of the message, until it arrives. */
  readonly #awaited = new Map<string, string>();

  constructor(
    list: HTMLElement,
    names: NamesInText,
    settle: (nonce: string, isSent: boolean) => void,
    keepPlace: (change: () => void) => void,
  ) {
    this.#list = list;
    this.#names = names;
    this.#decide = settle;
    this.#keepPlace = keepPlace;
  }

  queued(draft: Draft): void {
    this.#show(draft, this.#waitsFor, "waiting");
  }

  /** The server stored it; `isThere` means that its message is already shown. */
  acknowledged(draft: Draft, uuid: string | undefined, isThere: boolean): void {
    if (isThere || uuid === undefined) return this.#remove(draft.nonce);
    this.#show(draft, "", "sent");
    this.#awaited.set(uuid, draft.nonce);
  }

  arrived(uuid: string): void {
    const nonce = this.#awaited.get(uuid);
    this.#awaited.delete(uuid);
    if (nonce !== undefined) this.#remove(nonce);
  }

  failed(draft: Draft, why: string): void {
    this.#show(draft, why, "failed");
  }

  /** Sends all failed drafts again, or drops them. False if there are none. */
  settleFailed(isSent: boolean): boolean {
    const choice = isSent ? ".again" : ".discard";
    const failed = [...this.#rows.values()].filter((row) => row.classList.contains("failed"));
    for (const row of failed) within(row, choice, HTMLButtonElement).click();
    return failed.length > 0;
  }

  /** Says of the drafts that wait what for. */
  waitFor(what: string, isOffline: boolean): void {
    this.#waitsFor = what;
    this.#isOffline = isOffline;
    for (const row of this.#rows.values()) {
      if (!row.classList.contains("waiting")) continue;
      row.classList.toggle("offline", isOffline);
      within(row, ".fate-text", HTMLElement).textContent = what;
    }
  }

  #show(draft: Draft, fate: string, state: "waiting" | "sent" | "failed"): void {
    this.#keepPlace(() => {
      const row = this.#rows.get(draft.nonce) ?? this.#make(draft);
      row.className = `message own ${state}`;
      row.classList.toggle("offline", state === "waiting" && this.#isOffline);
      within(row, ".fate-text", HTMLElement).textContent = fate;
      within(row, ".choices", HTMLElement).hidden = state !== "failed";
    });
  }

  #make({ nonce, text }: Draft): HTMLLIElement {
    const row = fromTemplate("pending-row", HTMLLIElement);
    const body = within(row, ".body", HTMLElement);
    // As it will look, save that an action has no author here.
    body.replaceChildren(...isAction(text) ? [text] : richText(text, this.#names));
    body.after(fromTemplate("fate", HTMLParagraphElement));
    within(row, ".again", HTMLButtonElement).addEventListener("click", () => this.#decide(nonce, true));
    within(row, ".discard", HTMLButtonElement).addEventListener("click", () => {
      this.#remove(nonce);
      this.#decide(nonce, false);
    });
    this.#rows.set(nonce, row);
    this.#list.append(row);
    return row;
  }

  #remove(nonce: string): void {
    this.#keepPlace(() => this.#rows.get(nonce)?.remove());
    this.#rows.delete(nonce);
  }
}

/**
 * What one has sent and what is not yet acknowledged, below the conversation, with what became of it.
 *
 * @module
 */
/// <reference lib="dom" />
import type { Draft } from "../../src/client/session/session_events.ts";
import { fromTemplate, within } from "./page_elements.ts";

export class PendingList {
  readonly #list: HTMLElement;
  readonly #decide: (nonce: string, isSent: boolean) => void;
  readonly #rows = new Map<string, HTMLLIElement>();
  /** The id of the message to the nonce, where it is acknowledged and not yet there. */
  readonly #awaited = new Map<string, string>();

  /** `settle` is called when the person decides on a text that did not go through. */
  constructor(list: HTMLElement, settle: (nonce: string, isSent: boolean) => void) {
    this.#list = list;
    this.#decide = settle;
  }

  get size(): number {
    return this.#rows.size;
  }

  /** It waits. */
  queued(draft: Draft, isConnected: boolean): void {
    this.#show(draft, isConnected ? "Sending…" : "Will be sent when the connection is back", "waiting");
  }

  /** It is stored; its message is to come, or is there. */
  acknowledged(draft: Draft, uuid: string | undefined, isThere: boolean): void {
    if (isThere) return this.#remove(draft.nonce);
    this.#show(draft, "", "sent");
    if (uuid !== undefined) this.#awaited.set(uuid, draft.nonce);
  }

  /** A message is there. */
  arrived(uuid: string): void {
    const nonce = this.#awaited.get(uuid);
    this.#awaited.delete(uuid);
    if (nonce !== undefined) this.#remove(nonce);
  }

  /** It did not go through, or nobody knows. */
  failed(draft: Draft, why: string): void {
    this.#show(draft, why, "failed");
  }

  /** All that still wait are said to wait for that. */
  connection(isConnected: boolean): void {
    for (const row of this.#rows.values()) {
      if (!row.classList.contains("waiting")) continue;
      within(row, ".fate-text", HTMLElement).textContent = isConnected
        ? "Sending…"
        : "Will be sent when the connection is back";
    }
  }

  #show(draft: Draft, fate: string, state: "waiting" | "sent" | "failed"): void {
    const row = this.#rows.get(draft.nonce) ?? this.#make(draft);
    row.className = `message own ${state}`;
    within(row, ".fate-text", HTMLElement).textContent = fate;
    within(row, ".choices", HTMLElement).hidden = state !== "failed";
  }

  #make({ nonce, text }: Draft): HTMLLIElement {
    const row = fromTemplate("pending-row", HTMLLIElement);
    within(row, ".body", HTMLElement).textContent = text;
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
    this.#rows.get(nonce)?.remove();
    this.#rows.delete(nonce);
  }
}

/**
 * What one has sent and what is not yet acknowledged, below the conversation, with what became of it.
 *
 * @module
 */
// @ts-check
/// <reference lib="dom" />
import { fromTemplate, within } from "./page_elements.js";

/** @typedef {import("../../src/client/session_events.js").Draft} Draft */

export class PendingList {
  #list;
  #settle;
  /** @type {Map<string, HTMLLIElement>} */
  #rows = new Map();
  /** @type {Map<string, string>} the id of the message to the nonce, where it is acknowledged and not yet there */
  #awaited = new Map();

  /**
   * @param {HTMLElement} list
   * @param {(nonce: string, isSent: boolean) => void} settle the person decides on a text that did not go through
   */
  constructor(list, settle) {
    this.#list = list;
    this.#settle = settle;
  }

  get size() {
    return this.#rows.size;
  }

  /** It waits. @param {Draft} draft @param {boolean} isConnected */
  queued(draft, isConnected) {
    this.#show(draft, isConnected ? "Sending…" : "Will be sent when the connection is back", "waiting");
  }

  /** It is stored; its message is to come, or is there. @param {Draft} draft @param {string | undefined} uuid @param {boolean} isThere */
  acknowledged(draft, uuid, isThere) {
    if (isThere) return this.#remove(draft.nonce);
    this.#show(draft, "", "sent");
    if (uuid !== undefined) this.#awaited.set(uuid, draft.nonce);
  }

  /** A message is there. @param {string} uuid */
  arrived(uuid) {
    const nonce = this.#awaited.get(uuid);
    this.#awaited.delete(uuid);
    if (nonce !== undefined) this.#remove(nonce);
  }

  /** It did not go through, or nobody knows. @param {Draft} draft @param {string} why */
  failed(draft, why) {
    this.#show(draft, why, "failed");
  }

  /** All that still wait are said to wait for that. @param {boolean} isConnected */
  connection(isConnected) {
    for (const row of this.#rows.values()) {
      if (!row.classList.contains("waiting")) continue;
      within(row, ".fate-text", HTMLElement).textContent = isConnected
        ? "Sending…"
        : "Will be sent when the connection is back";
    }
  }

  /** @param {Draft} draft @param {string} fate @param {"waiting" | "sent" | "failed"} state */
  #show(draft, fate, state) {
    const row = this.#rows.get(draft.nonce) ?? this.#make(draft);
    row.className = `message own ${state}`;
    within(row, ".fate-text", HTMLElement).textContent = fate;
    within(row, ".choices", HTMLElement).hidden = state !== "failed";
  }

  /** @param {Draft} draft */
  #make({ nonce, text }) {
    const row = fromTemplate("pending-row", HTMLLIElement);
    within(row, ".body", HTMLElement).textContent = text;
    within(row, ".again", HTMLButtonElement).addEventListener("click", () => this.#settle(nonce, true));
    within(row, ".discard", HTMLButtonElement).addEventListener("click", () => {
      this.#remove(nonce);
      this.#settle(nonce, false);
    });
    this.#rows.set(nonce, row);
    this.#list.append(row);
    return row;
  }

  /** @param {string} nonce */
  #remove(nonce) {
    this.#rows.get(nonce)?.remove();
    this.#rows.delete(nonce);
  }
}

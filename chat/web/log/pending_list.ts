/**
 * The drafts below the conversation that are not yet among the messages, as they will look there, with their state. It
 * sends nothing; `settle` does.
 *
 * @module
 */
/// <reference lib="dom" />
import type { Draft } from "../../../src/client/session/session_events.ts";
import { isAction } from "../../../src/text/message_text.ts";
import type { Reply } from "../../../src/text/message_nodes.ts";
import { drawnSoon } from "../../../src/web/draw_soon.ts";
import { fromTemplate, within } from "../page/page_elements.ts";
import type { MessageEntry, MessageLog } from "./message_log.ts";
import { placeOf } from "./message_place.ts";
import { fillSaid, type RowContext } from "./message_row.ts";
import { readReply } from "./rich_text.ts";

interface Surroundings {
  readonly list: HTMLElement;
  /** The newest messages: the drafts will follow them. */
  readonly log: MessageLog;
  readonly context: RowContext;
  /** The user's name. */
  readonly username: () => string;
  /** Sends a failed draft again, or drops it. */
  readonly settle: (nonce: string, isSent: boolean) => void;
  /** Shows the message that a draft quotes. */
  readonly showReplied: (reply: Reply) => void;
  readonly keepPlace: (change: () => void) => void;
}

interface Row {
  readonly draft: Draft;
  readonly item: HTMLLIElement;
}

/** Milliseconds after which a draft says that it is being sent. */
const SLOW_MS = 2000;
const STATES = ["waiting", "sent", "failed"] as const;

export class PendingList {
  readonly #surroundings: Surroundings;
  #waitsFor = "";
  #isOffline = false;
  /** The name that the rows show. */
  #username = "";
  readonly #rows = new Map<string, Row>();
  /** Nonces of acknowledged drafts by the id of the message, until it arrives. */
  readonly #awaited = new Map<string, string>();

  constructor(surroundings: Surroundings) {
    this.#surroundings = surroundings;
  }

  get isEmpty(): boolean {
    return this.#rows.size === 0;
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
    const failed = [...this.#rows.values()].filter(({ item }) => item.classList.contains("failed"));
    for (const { item } of failed) within(item, choice, HTMLButtonElement).click();
    return failed.length > 0;
  }

  /** Says of the drafts that wait what for. */
  waitFor(what: string, isOffline: boolean): void {
    this.#waitsFor = what;
    this.#isOffline = isOffline;
    this.#surroundings.keepPlace(() => {
      for (const { item } of this.#rows.values()) {
        if (!item.classList.contains("waiting")) continue;
        item.classList.toggle("offline", isOffline);
        within(item, ".fate-text", HTMLElement).textContent = what;
      }
    });
  }

  /** Gives the drafts the name that they will have above them. Call when the messages before them changed. */
  place(): void {
    if (this.#rows.size > 0) this.#surroundings.keepPlace(() => this.#placeRows());
  }

  readonly #placeSoon = drawnSoon(() => this.place());

  #placeRows(): void {
    const { log, context, username } = this.#surroundings;
    const isRenamed = this.#username !== username();
    this.#username = username();
    let before: Draft | undefined;
    for (const { draft, item } of this.#rows.values()) {
      if (isRenamed) this.#fill(item, draft);
      const goesOn = before === undefined
        ? placeOf(this.#entryOf(draft), log, undefined, context.isServer).goesOn
        : !isAction(before.text) && !isAction(draft.text);
      item.classList.toggle("first", !goesOn);
      before = draft;
    }
  }

  #show(draft: Draft, fate: string, state: typeof STATES[number]): void {
    this.#surroundings.keepPlace(() => {
      const item = this.#rows.get(draft.nonce)?.item ?? this.#make(draft);
      for (const each of STATES) item.classList.toggle(each, each === state);
      item.classList.toggle("offline", state === "waiting" && this.#isOffline);
      within(item, ".fate-text", HTMLElement).textContent = fate;
      within(item, ".choices", HTMLElement).hidden = state !== "failed";
    });
    this.#placeSoon();
  }

  /** Has it say what it waits for. */
  #isSlow(item: HTMLLIElement): void {
    if (item.isConnected) this.#surroundings.keepPlace(() => item.classList.add("slow"));
  }

  #make(draft: Draft): HTMLLIElement {
    const { list, settle } = this.#surroundings;
    const { nonce } = draft;
    const item = fromTemplate("message-row", HTMLLIElement);
    // No key leads to it: the buttons of a message are not for it.
    item.removeAttribute("tabindex");
    this.#fill(item, draft);
    const choices = fromTemplate("draft-choices", HTMLDivElement);
    within(choices, ".again", HTMLButtonElement).addEventListener("click", () => settle(nonce, true));
    within(choices, ".discard", HTMLButtonElement).addEventListener("click", () => {
      this.#remove(nonce);
      settle(nonce, false);
    });
    within(item, ".content", HTMLElement).append(fromTemplate("fate", HTMLParagraphElement), choices);
    this.#rows.set(nonce, { draft, item });
    list.append(item);
    setTimeout(() => this.#isSlow(item), SLOW_MS);
    return item;
  }

  #fill(item: HTMLLIElement, draft: Draft): void {
    const { context, log, showReplied } = this.#surroundings;
    fillSaid(item, this.#entryOf(draft).message, log.end, context);
    const reply = readReply(draft.text);
    const button = item.querySelector(".reply-to");
    if (reply !== undefined) button?.addEventListener("click", () => showReplied(reply));
  }

  /** The draft as if it came now, after all messages. */
  #entryOf({ text, timestamp }: Draft): MessageEntry {
    const { log, username } = this.#surroundings;
    const time = { timestamp, receivedMs: timestamp };
    const message = { uuid: "", username: username(), ...time, text, edited: false, isOwn: true };
    return { kind: "message", number: log.end, message, change: undefined };
  }

  #remove(nonce: string): void {
    this.#surroundings.keepPlace(() => this.#rows.get(nonce)?.item.remove());
    this.#rows.delete(nonce);
    this.#placeSoon();
  }
}

/**
 * A chat session in a browser tab: what was not sent, and the session itself, survive a reload and a closed tab in the
 * browser's storage. It reconnects when the network returns or the tab becomes visible.
 *
 * @module
 */
/// <reference lib="dom" />
import { SessionDriver } from "../../../src/client/session_driver.ts";
import type { SessionEvent } from "../../../src/client/session/session_events.ts";
import type { VisitStorage } from "./visit_storage.ts";

const SAVE_MS = 1000;

export class TabSession extends SessionDriver {
  /** The id of the newest message that the user has seen. */
  seen: string;
  readonly #storage: VisitStorage;
  #saving: ReturnType<typeof setTimeout> | undefined;
  #isInside: boolean;
  #text: string;
  #isGuarded = false;

  /** `url` is the server's, as `wss://host/`. */
  constructor(url: string, storage: VisitStorage, onEvent: (event: SessionEvent) => void) {
    super({
      url,
      saved: storage.visit?.session,
      onEvent: (event) => {
        onEvent(event);
        this.#changed();
      },
    });
    const { isInside = false, text = "" } = storage.visit ?? {};
    this.#storage = storage;
    this.#isInside = isInside;
    this.#text = text;
    this.seen = storage.seen;
    for (const change of ["online", "offline"]) addEventListener(change, () => this.hint());
    document.addEventListener("visibilitychange", () => {
      if (document.hidden) this.#save();
      else this.hint();
    });
    addEventListener("pagehide", () => this.#save());
    // A page that the browser kept asleep: its visit may continue in another tab.
    addEventListener("pageshow", ({ persisted }) => {
      if (persisted) location.reload();
    });
    this.guard();
  }

  /** Whether the user is in the room. A tab that is opened again goes back there. */
  set isInside(isInside: boolean) {
    this.#isInside = isInside;
    this.#save();
  }

  /** The text in the field. */
  get text(): string {
    return this.#text;
  }

  set text(text: string) {
    this.#text = text;
    // What was deleted does not stay in the storage.
    if (text === "") this.#save();
    else this.#changed();
  }

  override settleDraft(nonce: string, isSent: boolean): void {
    super.settleDraft(nonce, isSent);
    this.#save();
    this.guard();
  }

  #changed(): void {
    this.guard();
    // Soon, for a tab that ends without an event, as in a crash.
    this.#saving ??= setTimeout(() => this.#save(), SAVE_MS);
  }

  #save(): void {
    clearTimeout(this.#saving);
    this.#saving = undefined;
    const { tab } = this.#storage;
    this.#storage.write({
      tab,
      savedAtMs: Date.now(),
      isInside: this.#isInside,
      text: this.#text,
      seen: this.seen,
      session: this.save(),
    });
  }

  /**
   * While a text or a change is unsent, or a message is open for a change, the browser asks before it closes the page.
   */
  guard(): void {
    const isNeeded = this.unsent > 0 || this.unansweredChanges > 0 ||
      document.querySelector(".editing") !== null;
    if (isNeeded === this.#isGuarded) return;
    this.#isGuarded = isNeeded;
    if (isNeeded) addEventListener("beforeunload", askBeforeClose);
    else removeEventListener("beforeunload", askBeforeClose);
  }
}

function askBeforeClose(event: BeforeUnloadEvent): void {
  event.preventDefault();
}

/**
 * A chat session in a browser tab: it survives a reload in the tab's storage, and reconnects when the network returns
 * or the tab becomes visible.
 *
 * @module
 */
/// <reference lib="dom" />
import { SessionDriver } from "../../src/client/session_driver.ts";
import { parseSavedSession } from "../../src/client/session/saved_session.ts";
import type { SessionEvent } from "../../src/client/session/session_events.ts";

const SAVE_MS = 1000;
const STORAGE_KEY = "chatter.session";

export class TabSession extends SessionDriver {
  /** The name of the session before a reload; undefined if there was none. */
  readonly savedName: string | undefined;
  #saving: ReturnType<typeof setTimeout> | undefined;
  #isSaving = false;

  /** `url` is the server's, as `wss://host/`. */
  constructor(url: string, onEvent: (event: SessionEvent) => void) {
    const saved = parseSavedSession(readStorage());
    super({
      url,
      saved,
      steadyMs: () => performance.now(),
      wallMs: () => Date.now(),
      onEvent: (event) => {
        onEvent(event);
        // For a tab that ends without an event, as in a crash.
        this.#saving ??= setTimeout(() => this.#save(), SAVE_MS);
      },
    });
    this.savedName = saved?.username;
    for (const change of ["online", "offline"]) addEventListener(change, () => this.hint());
    document.addEventListener("visibilitychange", () => {
      if (document.hidden) this.#save();
      else this.hint();
    });
    addEventListener("pagehide", () => this.#save());
  }

  /** Turns saving on, or off and forgets what is saved. */
  keep(isSaving: boolean): void {
    this.#isSaving = isSaving;
    if (isSaving) this.#save();
    else writeStorage(undefined);
  }

  #save(): void {
    clearTimeout(this.#saving);
    this.#saving = undefined;
    if (this.#isSaving) writeStorage(JSON.stringify(this.save()));
  }
}

function readStorage(): string | null | undefined {
  try {
    return sessionStorage.getItem(STORAGE_KEY);
  } catch {
    // Without storage a reload is a new visit.
    return undefined;
  }
}

function writeStorage(text: string | undefined): void {
  try {
    if (text === undefined) sessionStorage.removeItem(STORAGE_KEY);
    else sessionStorage.setItem(STORAGE_KEY, text);
  } catch {
    // No storage, or it is full: an older save is still useful.
  }
}

/**
 * A chat session in a tab: its memory across a reload, and what the tab notices of the network.
 *
 * @module
 */
/// <reference lib="dom" />
import { SessionDriver } from "../../src/client/session_driver.ts";
import { parseSavedSession } from "../../src/client/session/saved_session.ts";
import type { SessionEvent } from "../../src/client/session/session_events.ts";

/** Milliseconds after which what a reload goes on from is saved. */
const SAVE_MS = 1000;
const STORAGE_KEY = "chatter.session";

export class TabSession extends SessionDriver {
  /** The name under which this tab was connected before it was loaded anew; undefined where it was not. */
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
        // For a tab that ends without a word, as in a crash.
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

  /** From now on a reload goes on from here, or does not. */
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
    // Where a browser keeps nothing for anybody, a reload is a new visit.
    return undefined;
  }
}

function writeStorage(text: string | undefined): void {
  try {
    if (text === undefined) sessionStorage.removeItem(STORAGE_KEY);
    else sessionStorage.setItem(STORAGE_KEY, text);
  } catch {
    // As above; or it is full, and the place of before is good too.
  }
}

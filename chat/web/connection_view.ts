/**
 * Shows the state of the connection: a dot and a word in the header, a line above the field if the user can act, and a
 * card instead of the field once the session is over. It does not reconnect; the session does.
 *
 * @module
 */
/// <reference lib="dom" />
import { byId, write } from "./page/page_elements.ts";

/** Milliseconds of a loss without a line, because most losses end sooner. */
const PATIENT_MS = 1500;
/** Milliseconds to the next try that are not counted: the line would change, and be read out, with each try. */
const SOON_MS = 8000;

/** The button of the line above the field. */
export interface BannerAction {
  readonly label: string;
  readonly act: () => void;
}

export class ConnectionView {
  readonly #room = byId("room", HTMLElement);
  readonly #place = byId("connection", HTMLElement);
  readonly #text = byId("connection-text", HTMLElement);
  readonly #banner = byId("banner", HTMLElement);
  readonly #bannerText = byId("banner-text", HTMLElement);
  readonly #button = byId("banner-button", HTMLButtonElement);
  readonly #over = byId("over", HTMLElement);
  readonly #overText = byId("over-text", HTMLElement);
  readonly #overButton = byId("over-button", HTMLButtonElement);
  #onButton = () => {};
  #line = "";
  #action: BannerAction | undefined;
  #latencyMs = 0;
  #timer: ReturnType<typeof setTimeout> | undefined;

  constructor() {
    for (const button of [this.#button, this.#overButton]) {
      button.addEventListener("click", () => this.#onButton());
    }
  }

  live(): void {
    this.#state("live", "Connected");
    this.#latency();
    this.#hide();
  }

  latency(ms: number): void {
    this.#latencyMs = ms;
    if (this.#place.dataset["state"] === "live") this.#latency();
  }

  connecting(): void {
    this.#state("connecting", "Connecting…");
  }

  waiting(text: string, inMs: number, action: BannerAction): void {
    this.#state("lost", "Not connected");
    // A server on this machine or this network may be there all the same.
    const network = navigator.onLine ? "" : " This device has no network.";
    const when = inMs < SOON_MS ? "every few seconds" : `in ${Math.round(inMs / 1000)} s`;
    this.#line = `${text}.${network} Trying again ${when}.`;
    this.#action = action;
    if (!this.#banner.hidden) this.#show();
    else this.#timer ??= setTimeout(() => this.#show(), PATIENT_MS);
  }

  /** The session does not retry by itself; the action joins. */
  over(why: string, action: BannerAction & { readonly isFocused: boolean }): void {
    this.#state("over", "Not connected");
    this.#hide();
    this.#overText.textContent = why;
    this.#overButton.textContent = action.label;
    this.#onButton = action.act;
    this.#over.hidden = false;
    if (action.isFocused) this.#overButton.focus();
  }

  #state(state: string, text: string): void {
    this.#place.dataset["state"] = state;
    this.#room.classList.toggle("not-connected", state === "lost" || state === "over");
    if (this.#text.textContent !== text) this.#text.textContent = text;
    if (state !== "live") delete this.#place.dataset["latency"];
    if (state !== "over") this.#over.hidden = true;
  }

  /** Shown by style, so that a screen reader does not read each new figure. */
  #latency(): void {
    if (this.#latencyMs > 0) {
      this.#place.dataset["latency"] = `${Math.max(1, Math.round(this.#latencyMs))} ms`;
    }
  }

  #show(): void {
    if (this.#action === undefined) return;
    write(this.#bannerText, this.#line);
    this.#button.textContent = this.#action.label;
    this.#onButton = this.#action.act;
    this.#banner.hidden = false;
  }

  #hide(): void {
    clearTimeout(this.#timer);
    this.#timer = undefined;
    this.#banner.hidden = true;
  }
}

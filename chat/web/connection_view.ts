/**
 * Shows the state of the connection: a word in the header, and a line above the field if the user can act. It does
 * not reconnect; the session does.
 *
 * @module
 */
/// <reference lib="dom" />
import { byId } from "./page_elements.ts";

/** Milliseconds of a loss without a line, because most losses end sooner. */
const PATIENT_MS = 1500;

export class ConnectionView {
  readonly #place = byId("connection", HTMLElement);
  readonly #text = byId("connection-text", HTMLElement);
  readonly #banner = byId("banner", HTMLElement);
  readonly #bannerText = byId("banner-text", HTMLElement);
  readonly #button = byId("banner-button", HTMLButtonElement);
  #onButton = () => {};
  #latencyMs = 0;
  #timer: ReturnType<typeof setTimeout> | undefined;

  constructor() {
    this.#button.addEventListener("click", () => this.#onButton());
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

  waiting(text: string, inMs: number, tryNow: () => void): void {
    this.#state("lost", navigator.onLine ? "Not connected" : "You are offline");
    const seconds = Math.max(1, Math.round(inMs / 1000));
    const line = `${text}. Trying again${
      inMs < 1000 ? "" : ` in ${seconds} s`
    }; what you write is sent after that.`;
    clearTimeout(this.#timer);
    const isShown = !this.#banner.hidden;
    this.#timer = setTimeout(() => this.#show(line, "Try now", tryNow), isShown ? 0 : PATIENT_MS);
  }

  /** The session does not retry by itself; `again` joins. */
  over(why: string, again: () => void): void {
    this.#state("over", "Not connected");
    this.#show(why, "Join again", again);
    this.#button.focus();
  }

  #state(state: string, text: string): void {
    this.#place.dataset["state"] = state;
    if (this.#text.textContent !== text) this.#text.textContent = text;
    if (state !== "live") delete this.#place.dataset["latency"];
  }

  /** Shown by style, so that a screen reader does not read each new figure. */
  #latency(): void {
    if (this.#latencyMs > 0) {
      this.#place.dataset["latency"] = `${Math.max(1, Math.round(this.#latencyMs))} ms`;
    }
  }

  #show(text: string, button: string, onButton: () => void): void {
    clearTimeout(this.#timer);
    this.#bannerText.textContent = text;
    this.#button.textContent = button;
    this.#onButton = onButton;
    this.#banner.hidden = false;
  }

  #hide(): void {
    clearTimeout(this.#timer);
    this.#banner.hidden = true;
  }
}

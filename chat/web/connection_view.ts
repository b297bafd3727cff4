/**
 * How it stands with the connection: a word in the header, and where something is to be done a line above the field.
 *
 * @module
 */
// @ts-check
/// <reference lib="dom" />
import { byId } from "./page_elements.js";

/** Milliseconds for which a loss is not worth a line: most are over by then. */
const PATIENT_MS = 1500;

export class ConnectionView {
  #place = byId("connection", HTMLElement);
  #text = byId("connection-text", HTMLElement);
  #banner = byId("banner", HTMLElement);
  #bannerText = byId("banner-text", HTMLElement);
  #button = byId("banner-button", HTMLButtonElement);
  #onButton = () => {};
  #latencyMs = 0;
  /** @type {ReturnType<typeof setTimeout> | undefined} */
  #timer;

  constructor() {
    this.#button.addEventListener("click", () => this.#onButton());
  }

  live() {
    this.#state("live", "Connected");
    this.#latency();
    this.#hide();
  }

  /** @param {number} ms */
  latency(ms) {
    this.#latencyMs = ms;
    if (this.#place.dataset["state"] === "live") this.#latency();
  }

  connecting() {
    this.#state("connecting", "Connecting…");
  }

  /**
   * A try is waited for.
   *
   * @param {string} text what happened
   * @param {number} inMs until the next try
   * @param {() => void} tryNow
   */
  waiting(text, inMs, tryNow) {
    this.#state("lost", navigator.onLine ? "Connection lost" : "You are offline");
    const seconds = Math.max(1, Math.round(inMs / 1000));
    const line = `${text}. Trying again${
      inMs < 1000 ? "" : ` in ${seconds} s`
    }; what you write waits until then.`;
    clearTimeout(this.#timer);
    const isShown = !this.#banner.hidden;
    this.#timer = setTimeout(() => this.#show(line, "Try now", tryNow), isShown ? 0 : PATIENT_MS);
  }

  /** It is over, and stays so until somebody wants it. @param {string} why @param {() => void} again */
  over(why, again) {
    this.#state("over", "Not connected");
    this.#show(why, "Join again", again);
    this.#button.focus();
  }

  /** @param {string} state @param {string} text */
  #state(state, text) {
    this.#place.dataset["state"] = state;
    if (this.#text.textContent !== text) this.#text.textContent = text;
    if (state !== "live") delete this.#place.dataset["latency"];
  }

  /** Beside the state, and by style: a reader is not told of each new figure. */
  #latency() {
    if (this.#latencyMs > 0) {
      this.#place.dataset["latency"] = `${Math.max(1, Math.round(this.#latencyMs))} ms`;
    }
  }

  /** @param {string} text @param {string} button @param {() => void} onButton */
  #show(text, button, onButton) {
    clearTimeout(this.#timer);
    this.#bannerText.textContent = text;
    this.#button.textContent = button;
    this.#onButton = onButton;
    this.#banner.hidden = false;
  }

  #hide() {
    clearTimeout(this.#timer);
    this.#banner.hidden = true;
  }
}

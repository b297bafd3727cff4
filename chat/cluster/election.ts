/**
 * When a node tries to lead: after a silence of the leader, of random length so that two nodes seldom try at once. The
 * log decides who leads; this is about time only. Pure.
 *
 * @module
 */

/** The silence varies by this share. */
const SPREAD = 0.25;

export class Election {
  readonly #takeoverMs: () => number;
  readonly #random: () => number;
  #untilMs: number;

  /** `takeoverMs`: `--cluster-takeover`. `random` returns a number from 0 to 1. */
  constructor(nowMs: number, takeoverMs: () => number, random: () => number) {
    this.#takeoverMs = takeoverMs;
    this.#random = random;
    this.#untilMs = nowMs;
    this.heard(nowMs);
  }

  /** Call at a beat or a record of the leader, and after each attempt. */
  heard(nowMs: number): void {
    this.#untilMs = nowMs + this.#takeoverMs() * (1 - SPREAD + 2 * SPREAD * this.#random());
  }

  isSilent(nowMs: number): boolean {
    return nowMs >= this.#untilMs;
  }
}

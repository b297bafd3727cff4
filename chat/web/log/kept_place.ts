/**
 * Keeps a row where it is in the view while rows around it come, go and grow. The list chooses the row.
 *
 * @module
 */
/// <reference lib="dom" />

export class KeptPlace {
  readonly #scroller: HTMLElement;
  /** Pixels by which the last one missed, less than one, because the browser scrolls by whole pixels. */
  #missedPx = 0;

  constructor(scroller: HTMLElement) {
    this.#scroller = scroller;
  }

  keep(row: HTMLElement | undefined, change: () => void): void {
    const wanted = (row?.getBoundingClientRect().top ?? 0) - this.#missedPx;
    change();
    if (!row?.isConnected) return;
    this.#scroller.scrollTop += row.getBoundingClientRect().top - wanted;
    const missed = row.getBoundingClientRect().top - wanted;
    this.#missedPx = Math.abs(missed) < 1 ? missed : 0;
  }
}

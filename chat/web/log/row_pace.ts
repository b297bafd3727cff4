/**
 * How many rows a frame makes: fewer where frames take long, since the browser's part of a row (style, layout, paint)
 * takes longer than the making of it, and differs from machine to machine. Pure.
 *
 * @module
 */
/** Rows that a frame makes at most. */
export const ROWS_A_FRAME = 12;
/** Rows of the first frame, while nothing is known of the machine, and the least of a view that is made again. */
const FIRST_ROWS = 6;
/** Milliseconds from a frame that made rows to the next, from which on the next makes half as many: two were missed. */
const LONG_MS = 40;
/** Messages that wait for each row of a frame: where more arrive than the pace allows, they do not wait for long. */
const WAITING_A_ROW = 8;

export class RowPace {
  #rows = FIRST_ROWS;
  #madeAtMs: number | undefined;

  /** Call in a frame that makes rows and asks for the next. */
  made(nowMs: number): void {
    this.#madeAtMs = nowMs;
  }

  /** Call in each frame, before `rows`. */
  next(nowMs: number): void {
    if (this.#madeAtMs === undefined) return;
    const isLong = nowMs - this.#madeAtMs >= LONG_MS;
    this.#rows = isLong ? Math.max(1, this.#rows >> 1) : Math.min(ROWS_A_FRAME, this.#rows + 1);
    this.#madeAtMs = undefined;
  }

  /** Rows of a view that is made again: a few fill most of it. */
  get atOnce(): number {
    return Math.max(FIRST_ROWS, this.#rows);
  }

  /** Rows of this frame, while so many messages of the end wait for theirs. */
  rows(waiting = 0): number {
    return Math.min(ROWS_A_FRAME, Math.max(this.#rows, Math.ceil(waiting / WAITING_A_ROW)));
  }
}

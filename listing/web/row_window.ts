/**
 * Which rows of a long table a browser needs: those in view and some beyond each edge. Rows out of it are padding.
 * Pure.
 *
 * @module
 */

/** Rows in one step of the window: a scroll by less changes nothing. */
export const STEP = 10;
/** Steps beyond each edge of the view, so that a quick scroll and the Tab key find rows. */
const MARGIN_STEPS = 1;

export interface View {
  /** Pixels from the first row's top to the top edge of the view; negative if the table begins below the edge. */
  readonly top: number;
  readonly height: number;
  readonly rowHeight: number;
}

/** The rows from index `from` to `to`, exclusive, of `count`. */
export function rowWindow(count: number, { top, height, rowHeight }: View): { from: number; to: number } {
  const step = STEP * rowHeight;
  const from = STEP * (Math.floor(top / step) - MARGIN_STEPS);
  const to = STEP * (Math.ceil((top + height) / step) + MARGIN_STEPS);
  const last = Math.min(count, Math.max(to, 0));
  return { from: Math.max(0, Math.min(from, last - STEP)), to: last };
}

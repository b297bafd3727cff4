/**
 * Medians and ranges of a few rounds, and figures as text. Pure. Three rounds allow no confidence interval, so the
 * median and both extremes are shown.
 *
 * @module
 */

export interface Spread {
  readonly median: number;
  readonly min: number;
  readonly max: number;
  readonly count: number;
}

/** Undefined without figures. */
export function spreadOf(figures: readonly number[]): Spread | undefined {
  const sorted = [...figures].sort((a, b) => a - b);
  const upper = sorted[sorted.length >> 1];
  const lower = sorted[(sorted.length - 1) >> 1];
  if (upper === undefined || lower === undefined) return undefined;
  return { median: (upper + lower) / 2, min: sorted[0]!, max: sorted.at(-1)!, count: sorted.length };
}

/** Three significant digits: 1.35 M, 482 k, 27.1, 0.634. */
export function figureText(figure: number): string {
  const size = Math.abs(figure);
  if (size >= 999_500) return `${shortened(figure / 1e6)} M`;
  if (size >= 9995) return `${shortened(figure / 1e3)} k`;
  return shortened(figure);
}

function shortened(figure: number): string {
  const size = Math.abs(figure);
  if (size >= 99.95) return figure.toFixed(0);
  if (size >= 9.995) return figure.toFixed(1);
  return size >= 0.9995 || size === 0 ? figure.toFixed(2) : figure.toPrecision(3);
}

/** The median, and both extremes if there are several figures. */
export function spreadText({ median, min, max, count }: Spread): string {
  return count === 1
    ? figureText(median)
    : `${figureText(median)} (${figureText(min)} to ${figureText(max)})`;
}

/**
 * True if memory stopped growing: the median of the last third exceeds that of the middle third by at most `shareMax`
 * of it or `kibMax`, whichever is more. The first third is ignored, because limits fill up then.
 */
export function isFlat(
  samplesKib: readonly number[],
  { shareMax, kibMax }: { readonly shareMax: number; readonly kibMax: number },
): { readonly middleKib: number; readonly lastKib: number; readonly isFlat: boolean } {
  const third = Math.floor(samplesKib.length / 3);
  const middleKib = spreadOf(samplesKib.slice(third, 2 * third))?.median;
  const lastKib = spreadOf(samplesKib.slice(2 * third))?.median;
  if (middleKib === undefined || lastKib === undefined) return { middleKib: 0, lastKib: 0, isFlat: false };
  return { middleKib, lastKib, isFlat: lastKib - middleKib <= Math.max(kibMax, shareMax * middleKib) };
}

/**
 * What can be typed, in two columns that keep apart at any width. Pure.
 *
 * @module
 */
import { cellsOf, wrapWords } from "./cells.ts";
import type { Lines } from "./prompt_screen.ts";

/** Cells of what is typed, with the space after it. */
const USAGE_CELLS = 18;
/** Cells that the second column has at least; with fewer it is below the first. */
const DESCRIPTION_CELLS_MIN = 20;
const INDENT = 2;

export interface HelpRow {
  readonly usage: string;
  readonly description: string;
}

export function helpLines(rows: readonly HelpRow[], dim: (text: string) => string): Lines[] {
  return rows.map(({ usage, description }) => (width) => {
    if (width < USAGE_CELLS + DESCRIPTION_CELLS_MIN) {
      const indent = Math.min(INDENT, width - 1);
      return [
        ...wrapWords(usage, width, width),
        ...wrapWords(description, width - indent, width - indent).map((row) => dim(" ".repeat(indent) + row)),
      ];
    }
    const isLong = cellsOf(usage) >= USAGE_CELLS;
    const column = width - USAGE_CELLS;
    const indent = " ".repeat(USAGE_CELLS);
    const [first = "", ...others] = wrapWords(description, column, column);
    const start = isLong
      ? [...wrapWords(usage, width, width), indent + dim(first)]
      : [usage.padEnd(USAGE_CELLS) + dim(first)];
    return [...start, ...others.map((row) => indent + dim(row))];
  });
}

/**
 * Measures, cuts and wraps text in terminal cells, by grapheme clusters. Pure; for plain text only, without escape
 * sequences.
 *
 * @module
 */
import stringWidth from "string-width";

const segmenter = new Intl.Segmenter(undefined, { granularity: "grapheme" });

/** The grapheme clusters of a text: an emoji of several code points is one. */
export function graphemes(text: string): string[] {
  // Fast path: no two code points of printable ASCII form one cluster.
  if (/^[ -~]*$/.test(text)) return [...text];
  return Array.from(segmenter.segment(text), ({ segment }) => segment);
}

export function cellsOf(text: string): number {
  return /^[ -~]*$/.test(text) ? text.length : stringWidth(text);
}

export function cut(text: string, width: number): string {
  if (cellsOf(text) <= width) return text;
  let shown = "";
  let cells = 0;
  for (const character of graphemes(text)) {
    cells += cellsOf(character);
    if (cells > width - 1) break;
    shown += character;
  }
  return width < 1 ? "" : shown + "…";
}

/** A row of a wrapped text, and where it begins there, in UTF-16 units. */
export interface WrappedRow {
  readonly text: string;
  readonly at: number;
}

export function wrapWords(text: string, first: number, width: number): string[] {
  return wrapRows(text, first, width).map(({ text }) => text);
}

/**
 * Wraps a text at spaces if possible, and always at line breaks. The first row has `first` cells, the others `width`;
 * a character wider than a row has its own row.
 */
export function wrapRows(text: string, first: number, width: number): WrappedRow[] {
  const rows: WrappedRow[] = [];
  let at = 0;
  for (const line of text.split("\n")) {
    let row = "";
    let cells = 0;
    const space = () => rows.length === 0 ? first : width;
    const push = () => {
      rows.push({ text: row.trimEnd(), at });
      at += row.length;
      row = "";
      cells = 0;
    };
    // A word with the spaces after it, which may exceed the width.
    for (const [word] of line.matchAll(/[^ ]* */g)) {
      const visible = cellsOf(word.trimEnd());
      if (cells > 0 && cells + visible > space()) push();
      if (visible <= space()) {
        row += word;
        cells += cellsOf(word);
        continue;
      }
      for (const character of graphemes(word)) {
        const more = cellsOf(character);
        if (cells > 0 && cells + more > space()) push();
        row += character;
        cells += more;
      }
    }
    push();
    // The line break.
    at++;
  }
  return rows;
}

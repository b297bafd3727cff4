/**
 * Texts as a terminal's cells: in characters as people count them, how wide each is, and in rows of a width.
 *
 * Pure. Texts with escape sequences are not for here: what is measured is plain.
 *
 * @module
 */
import stringWidth from "string-width";

const segmenter = new Intl.Segmenter(undefined, { granularity: "grapheme" });

/** The characters of a text as people count them: an emoji of several code points is one. */
export function graphemes(text: string): string[] {
  // Most of what is typed: no two code points of printable ASCII are one character.
  if (/^[ -~]*$/.test(text)) return [...text];
  return Array.from(segmenter.segment(text), ({ segment }) => segment);
}

/** How many cells a text takes. */
export function cellsOf(text: string): number {
  return /^[ -~]*$/.test(text) ? text.length : stringWidth(text);
}

/** The start of a text, as much as fits into `width` cells; what does not fit ends in an ellipsis. */
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

/**
 * A text in rows: broken at blanks where that is possible, at line breaks in any case. The first row has `first` cells,
 * the others `width`. A character that is wider than a row has one of its own.
 */
export function wrapWords(text: string, first: number, width: number): string[] {
  const rows: string[] = [];
  for (const line of text.split("\n")) {
    let row = "";
    let cells = 0;
    const space = () => rows.length === 0 ? first : width;
    const push = () => {
      rows.push(row.trimEnd());
      row = "";
      cells = 0;
    };
    // A word with the blanks after it, which may hang over the edge.
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
  }
  return rows;
}

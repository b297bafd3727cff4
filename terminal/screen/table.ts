/**
 * Rows of texts as lines whose columns stand under each other on a terminal, whatever the script.
 *
 * Pure. What came from somebody else cannot break out of its cell or steer the terminal.
 *
 * @module
 */
import stringWidth from "string-width";

/** Blanks between two columns. */
const GAP = 2;

/** The rows under their titles, each a line; lines have no blanks at their end. */
export function table(titles: readonly string[], rows: readonly (readonly string[])[]): string {
  const cells = [titles, ...rows.map((row) => row.map(printable))];
  const widths = titles.map((_, column) => Math.max(...cells.map((row) => stringWidth(row[column] ?? ""))));
  return cells.map((row) =>
    row.map((cell, column) => cell + " ".repeat((widths[column] ?? 0) - stringWidth(cell) + GAP)).join("")
      .trimEnd() + "\n"
  ).join("");
}

/** `text` with what a terminal would obey, or would not show where it stands, written out as `\u{…}`. */
export function printable(text: string): string {
  return text.replace(
    /[\p{Cc}\p{Cs}\p{Co}\p{Zl}\p{Zp}\p{Bidi_Control}]/gu,
    (character) => `\\u{${character.codePointAt(0)?.toString(16)}}`,
  );
}

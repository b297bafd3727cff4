/**
 * Formats rows as aligned columns in any script. Pure; no cell can leave its column or steer the terminal.
 *
 * @module
 */
import stringWidth from "string-width";

const GAP = 2;

/** The rows under their titles, a line each, without trailing spaces. */
export function table(titles: readonly string[], rows: readonly (readonly string[])[]): string {
  const cells = [titles, ...rows.map((row) => row.map(printable))];
  const widths = titles.map((_, column) =>
    cells.reduce((widest, row) => Math.max(widest, stringWidth(row[column] ?? "")), 0)
  );
  return cells.map((row) =>
    row.map((cell, column) => cell + " ".repeat((widths[column] ?? 0) - stringWidth(cell) + GAP)).join("")
      .trimEnd() + "\n"
  ).join("");
}

/** `text` with control, invisible and bidirectional characters written as `\u{…}`. */
export function printable(text: string): string {
  return text.replace(
    /[\p{Cc}\p{Cs}\p{Co}\p{Zl}\p{Zp}\p{Bidi_Control}]/gu,
    (character) => `\\u{${character.codePointAt(0)?.toString(16)}}`,
  );
}

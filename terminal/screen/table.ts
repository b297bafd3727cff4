/**
 * Formats rows as aligned columns in any script. Pure; no cell can leave its column or steer the terminal.
 *
 * @module
 */
import stringWidth from "string-width";
import { cut } from "./cells.ts";

const GAP = 2;
/** Cells of a peer's cell: more than an address or a ban's message has. One long cell makes every row as long. */
export const PEER_CELLS_MAX = 300;

/** The rows of a peer, whose cells may have any length. */
export function tableOfPeer(titles: readonly string[], rows: readonly (readonly string[])[]): string {
  return table(titles, rows.map((row) => row.map(peerCell)));
}

/** A peer's text as one cell of at most PEER_CELLS_MAX. */
export function peerCell(text: string): string {
  // First by units, of which a cell may have several.
  return cut(printable(text.slice(0, 4 * PEER_CELLS_MAX)), PEER_CELLS_MAX);
}

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

/** `printable` for each line. */
export function printableLines(text: string): string {
  return text.split("\n").map(printable).join("\n");
}

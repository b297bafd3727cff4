/**
 * The bottom of a terminal: some rows that tell how things stand, the line that is being typed, and above them what
 * comes in, which never tears the line.
 *
 * Pure: every method answers with what is to be written. It knows what stands on the screen only from what it wrote
 * itself. Each row of the bottom is written without the terminal's own wrapping, and the cursor is put in its place by
 * writing what stands before it: so a terminal that takes a character for wider or narrower than we do may show one
 * row badly, and all rows stay where they are.
 *
 * @module
 */
import { cellsOf, cut, graphemes } from "./cells.ts";
import { printable } from "./table.ts";

/** What came in, as rows of at most `width` cells, ready to be written. */
export type Lines = (width: number) => readonly string[];

export interface Size {
  readonly columns: number;
  readonly rows: number;
}

export interface Prompt {
  /** Plain texts that are shown above the line, a row each; what is too long is cut. */
  readonly above: readonly string[];
  /** Plain, before the line. */
  readonly label: string;
  readonly text: string;
  /** Where in the text the cursor is, in UTF-16 units. */
  readonly cursor: number;
}

/** How the parts of the prompt look; each adds no cells. */
export interface PromptLook {
  readonly above: (text: string) => string;
  readonly label: (text: string) => string;
}

/** Of what came in, how much can be shown anew after a change of the window's size: more than a screen has rows. */
export const KEPT_MAX = 300;

interface Drawn {
  /** The cells of each row. */
  readonly cells: readonly number[];
  readonly cursorRow: number;
  /** What was written for it. */
  readonly output: string;
}

interface Row {
  readonly text: string;
  readonly cells: number;
}

const CLEAR_BELOW = "\x1b[J";
const CLEAR_SCREEN = "\x1b[H\x1b[J";
const WRAP_OFF = "\x1b[?7l";
const WRAP_ON = "\x1b[?7h";
const HIDE_CURSOR = "\x1b[?25l";
const SHOW_CURSOR = "\x1b[?25h";
const PLAIN: PromptLook = { above: (text) => text, label: (text) => text };

export class PromptScreen {
  #size: Size;
  readonly #look: PromptLook;
  #drawn: Drawn | undefined;
  /** Whether rows that are not to be seen again may lie above the screen. */
  #hasPushedOut = false;
  readonly #kept: Lines[] = [];

  constructor(size: Size, look: PromptLook = PLAIN) {
    this.#size = size;
    this.#look = look;
  }

  /** Draws the prompt, anew where it has changed. */
  show(prompt: Prompt): string {
    const drawn = draw(prompt, this.#size, this.#look);
    if (drawn.output === this.#drawn?.output) return "";
    const output = this.#erased() + drawn.output;
    this.#drawn = drawn;
    return calmly(output);
  }

  /** Puts lines above the prompt. */
  print(lines: readonly Lines[], prompt: Prompt): string {
    if (lines.length === 0) return this.show(prompt);
    for (const line of lines) this.#kept.push(line);
    this.#kept.splice(0, this.#kept.length - KEPT_MAX);
    const above = lines.flatMap((line) => line(this.#size.columns)).map((row) => row + "\r\n").join("");
    const drawn = draw(prompt, this.#size, this.#look);
    const output = this.#erased() + above + drawn.output;
    this.#drawn = drawn;
    return calmly(output);
  }

  /**
   * The window has another size. Most terminals have broken rows that are too long now, each in its own way: then
   * nobody knows where anything stands, and the screen is written anew. Else all rows are where they were. What of the
   * prompt a window that was too low has pushed out at its top may come back with a higher one.
   */
  resize(size: Size, prompt: Prompt): string {
    const { cells, cursorRow = 0 } = this.#drawn ?? { cells: [] };
    const comesBack = this.#hasPushedOut && size.rows > this.#size.rows;
    const isBroken = cells.some((width) => width > size.columns) || cursorRow >= size.rows || comesBack;
    this.#size = size;
    return isBroken ? this.redraw(prompt) : this.#again(this.#erased(), prompt);
  }

  /** Clears the screen, and shows as much as fits of what came in last. */
  redraw(prompt: Prompt): string {
    // A line that is shown again may lie above the screen too: a higher window would show it twice.
    this.#hasPushedOut = true;
    const { columns, rows } = this.#size;
    const room = rows - draw(prompt, this.#size, this.#look).cells.length;
    const above: string[] = [];
    for (const line of this.#kept.toReversed()) {
      if (above.length >= room) break;
      above.unshift(...line(columns));
    }
    const shown = room > 0 ? above.slice(-room) : [];
    return this.#again(CLEAR_SCREEN + shown.map((row) => row + "\r\n").join(""), prompt);
  }

  /** Takes the prompt away; what is written next follows what came in last. */
  leave(): string {
    const output = this.#erased();
    this.#drawn = undefined;
    return output;
  }

  #again(before: string, prompt: Prompt): string {
    this.#drawn = draw(prompt, this.#size, this.#look);
    return calmly(before + this.#drawn.output);
  }

  #erased(): string {
    return this.#drawn === undefined ? "" : `${up(this.#drawn.cursorRow)}\r${CLEAR_BELOW}`;
  }
}

/** The prompt written from the first column of a row on; the cursor ends in its place. */
function draw(prompt: Prompt, { columns, rows }: Size, look: PromptLook): Drawn {
  const line = layOut(prompt, columns, look);
  // One row at the least is left to what comes in.
  const room = Math.max(1, rows - 1);
  // Where the line is longer than that, it is shown up to the cursor.
  const first = Math.max(0, line.cursorRow - room + 1);
  const shown = line.rows.slice(first, first + room);
  const above = prompt.above.slice(0, room - shown.length).map((text): Row => {
    const fitting = cut(printable(text), columns);
    return { text: look.above(fitting), cells: cellsOf(fitting) };
  });
  const all = [...above, ...shown];
  const cursorRow = above.length + line.cursorRow - first;
  return {
    cells: all.map(({ cells }) => cells),
    cursorRow,
    output: WRAP_OFF + all.map(({ text }) => text).join("\r\n") + up(all.length - 1 - cursorRow) + "\r" +
      line.beforeCursor + WRAP_ON,
  };
}

/** The rows of the line, broken where the width ends, with those after the first under the text's beginning. */
function layOut(
  { label, text, cursor }: Prompt,
  columns: number,
  look: PromptLook,
): { rows: Row[]; cursorRow: number; beforeCursor: string } {
  const shownLabel = printable(label);
  const margin = cellsOf(shownLabel);
  // A window that is too narrow for both shows the text.
  const hasLabel = margin + 4 <= columns;
  const indent = hasLabel ? " ".repeat(margin) : "";
  const rows: Row[] = [];
  let row = hasLabel ? look.label(shownLabel) : "";
  let cells = indent.length;
  const next = () => {
    rows.push({ text: row, cells });
    row = indent;
    cells = indent.length;
  };
  let place: { cursorRow: number; beforeCursor: string } | undefined;
  let at = 0;
  for (const character of graphemes(text)) {
    const pieces = character === "\n" ? [] : graphemes(printable(character));
    // The cursor stands on the character, wherever that goes.
    if (pieces[0] !== undefined && cells + widthIn(columns, pieces[0]) > columns) next();
    if (at === cursor && cells >= columns) next();
    if (at === cursor) place = { cursorRow: rows.length, beforeCursor: row };
    at += character.length;
    if (character === "\n") next();
    for (const piece of pieces) {
      const more = widthIn(columns, piece);
      if (cells + more > columns) next();
      row += more < cellsOf(piece) ? "?" : piece;
      cells += more;
    }
  }
  if (place === undefined && cells >= columns) next();
  place ??= { cursorRow: rows.length, beforeCursor: row };
  rows.push({ text: row, cells });
  return { rows, ...place };
}

/** The cells of a character; one that no row can take is shown as a sign of one cell. */
function widthIn(columns: number, character: string): number {
  const cells = cellsOf(character);
  return cells > columns ? 1 : cells;
}

function up(rows: number): string {
  return rows === 0 ? "" : `\x1b[${rows}A`;
}

/** Without the cursor running about. */
function calmly(output: string): string {
  return HIDE_CURSOR + output + SHOW_CURSOR;
}

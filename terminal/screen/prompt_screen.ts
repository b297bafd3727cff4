/**
 * The prompt at the bottom of a terminal: status rows and the line being typed. Output is printed above it and never
 * tears it. Pure: each method returns what to write.
 *
 * Each row is written without the terminal's wrapping, and the cursor is placed by writing the text before it again.
 * If a terminal measures a character differently, one row looks wrong, and all rows keep their places.
 *
 * @module
 */
import { cellsOf, cut, graphemes } from "./cells.ts";
import { printable } from "./table.ts";

/** Output as rows of at most `width` cells, ready to be written. */
export type Lines = (width: number) => readonly string[];

export interface Size {
  readonly columns: number;
  readonly rows: number;
}

export interface Prompt {
  readonly above: readonly string[];
  readonly label: string;
  readonly text: string;
  /** The offset of the cursor in `text`, in UTF-16 units. */
  readonly cursor: number;
}

/** Styles for the parts of the prompt, which must not change their width. */
export interface PromptLook {
  readonly above: (text: string) => string;
  readonly label: (text: string) => string;
}

/** Lines kept for a redraw after a resize: more than a screen has rows. */
const KEPT_MAX = 300;

interface Drawn {
  readonly cells: readonly number[];
  readonly cursorRow: number;
  readonly output: string;
}

interface Row {
  readonly text: string;
  readonly cells: number;
}

/** The line being typed, in rows. */
interface Line {
  readonly rows: readonly Row[];
  readonly cursorRow: number;
  /** The row of the cursor, up to it. */
  readonly beforeCursor: string;
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
  /** True if rows above the screen may come back as duplicates. */
  #hasPushedOut = false;
  readonly #kept: Lines[] = [];
  #laidOut: { readonly prompt: Prompt; readonly columns: number; readonly line: Line } | undefined;

  constructor(size: Size, look: PromptLook = PLAIN) {
    this.#size = size;
    this.#look = look;
  }

  show(prompt: Prompt): string {
    const drawn = this.#draw(prompt);
    if (drawn.output === this.#drawn?.output) return "";
    const output = this.#erased() + drawn.output;
    this.#drawn = drawn;
    return calmly(output);
  }

  print(lines: readonly Lines[], prompt: Prompt): string {
    if (lines.length === 0) return this.show(prompt);
    for (const line of lines) this.#kept.push(line);
    this.#kept.splice(0, this.#kept.length - KEPT_MAX);
    const above = lines.flatMap((line) => line(this.#size.columns)).map((row) => row + "\r\n").join("");
    const drawn = this.#draw(prompt);
    const output = this.#erased() + above + drawn.output;
    this.#drawn = drawn;
    return calmly(output);
  }

  /**
   * Adapts to another window size. Terminals rewrap rows that became too long, each in its own way: then all
   * positions are unknown, and the screen is redrawn. It is also redrawn if a higher window may bring back rows of an
   * old prompt.
   */
  resize(size: Size, prompt: Prompt): string {
    const { cells, cursorRow = 0 } = this.#drawn ?? { cells: [] };
    const comesBack = this.#hasPushedOut && size.rows > this.#size.rows;
    const isBroken = cells.some((width) => width > size.columns) || cursorRow >= size.rows || comesBack;
    this.#size = size;
    return isBroken ? this.redraw(prompt) : this.#again(this.#erased(), prompt);
  }

  /** Clears the screen, and shows as much of the last output as fits. */
  redraw(prompt: Prompt): string {
    // The same lines may also be above the screen, and a higher window would show them twice.
    this.#hasPushedOut = true;
    const { columns, rows } = this.#size;
    const room = rows - this.#draw(prompt).cells.length;
    const above: string[] = [];
    for (const line of this.#kept.toReversed()) {
      if (above.length >= room) break;
      above.unshift(...line(columns));
    }
    const shown = room > 0 ? above.slice(-room) : [];
    return this.#again(CLEAR_SCREEN + shown.map((row) => row + "\r\n").join(""), prompt);
  }

  /** Removes the prompt; later output follows the last line. */
  leave(): string {
    const output = this.#erased();
    this.#drawn = undefined;
    return output;
  }

  /** Draws from the first column of a row, and leaves the cursor in its place. */
  #draw(prompt: Prompt): Drawn {
    const { columns, rows } = this.#size;
    const line = this.#lineOf(prompt);
    // At least one row is left for output.
    const room = Math.max(1, rows - 1);
    // A higher line is shown up to the cursor.
    const first = Math.max(0, line.cursorRow - room + 1);
    const shown = line.rows.slice(first, first + room);
    const above = prompt.above.slice(0, room - shown.length).map((text): Row => {
      const fitting = cut(printable(text), columns);
      return { text: this.#look.above(fitting), cells: cellsOf(fitting) };
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

  /** Laid out once and kept until it changes: it is drawn again with each line of other users. */
  #lineOf(prompt: Prompt): Line {
    const { columns } = this.#size;
    const { label, text, cursor } = prompt;
    const kept = this.#laidOut;
    if (
      kept?.columns === columns && kept.prompt.label === label && kept.prompt.cursor === cursor &&
      kept.prompt.text === text
    ) return kept.line;
    const line = layOut(prompt, columns, this.#look);
    this.#laidOut = { prompt, columns, line };
    return line;
  }

  #again(before: string, prompt: Prompt): string {
    this.#drawn = this.#draw(prompt);
    return calmly(before + this.#drawn.output);
  }

  #erased(): string {
    return this.#drawn === undefined ? "" : `${up(this.#drawn.cursorRow)}\r${CLEAR_BELOW}`;
  }
}

/** Breaks the line into rows; all but the first are indented to the start of the text. */
function layOut(
  { label, text, cursor }: Prompt,
  columns: number,
  look: PromptLook,
): Line {
  const shownLabel = printable(label);
  const margin = cellsOf(shownLabel);
  // A window too narrow for both shows only the text.
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
    // The cursor is on this character, so it moves to the next row with it.
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

/** The width of a character; one that is wider than the window is shown as one cell. */
function widthIn(columns: number, character: string): number {
  const cells = cellsOf(character);
  return cells > columns ? 1 : cells;
}

function up(rows: number): string {
  return rows === 0 ? "" : `\x1b[${rows}A`;
}

function calmly(output: string): string {
  return HIDE_CURSOR + output + SHOW_CURSOR;
}

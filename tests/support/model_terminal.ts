/**
 * A terminal without a window: a program's output as the rows that a person would see. It is xterm.js, the terminal of
 * many editors and web pages, which counts characters as people do.
 *
 * @module
 */
import { Buffer } from "node:buffer";
import xterm from "@xterm/headless";

// The addon (0.4.0) reads its table from the start of the memory that a Buffer shares with others: it gets its own.
const { poolSize } = Buffer;
Buffer.poolSize = 0;
const { default: graphemes } = await import("@xterm/addon-unicode-graphemes");
Buffer.poolSize = poolSize;

export class ModelTerminal implements Disposable {
  readonly #terminal: InstanceType<typeof xterm.Terminal>;
  /** Answers of the terminal to queries of the program. */
  readonly answers: string[] = [];

  constructor(columns: number, rows: number) {
    this.#terminal = new xterm.Terminal({ cols: columns, rows, scrollback: 5000, allowProposedApi: true });
    this.#terminal.loadAddon(new graphemes.UnicodeGraphemesAddon());
    this.#terminal.onData((data) => this.answers.push(data));
  }

  write(output: string | Uint8Array): Promise<void> {
    return new Promise((resolve) => this.#terminal.write(output, resolve));
  }

  resize(columns: number, rows: number): void {
    this.#terminal.resize(columns, rows);
  }

  get columns(): number {
    return this.#terminal.cols;
  }

  get rows(): number {
    return this.#terminal.rows;
  }

  /** The rows of the screen, without the blanks at their ends. */
  get screen(): string[] {
    const { baseY } = this.#terminal.buffer.active;
    return this.#linesFrom(baseY).map((line) => line.trimEnd());
  }

  /** All text ever shown and not overwritten: scrollback and screen. */
  get all(): string[] {
    return this.#linesFrom(0).map((line) => line.trimEnd());
  }

  /** From the top left of the screen, in cells. */
  get cursor(): { readonly x: number; readonly y: number } {
    const { cursorX: x, cursorY: y } = this.#terminal.buffer.active;
    return { x, y };
  }

  /** The cells of a row of the screen up to a column, as text. */
  rowUpTo(y: number, x: number): string {
    const { baseY } = this.#terminal.buffer.active;
    return this.#terminal.buffer.active.getLine(baseY + y)?.translateToString(false, 0, x) ?? "";
  }

  /** Characters and style of each cell of a row of the screen, for screenshots. */
  cellsOf(y: number): Cell[] {
    const { baseY } = this.#terminal.buffer.active;
    const line = this.#terminal.buffer.active.getLine(baseY + y);
    return Array.from({ length: this.columns }, (_, x) => {
      const cell = line?.getCell(x);
      return {
        text: cell?.getChars() ?? "",
        width: cell?.getWidth() ?? 1,
        colour: cell?.isFgPalette() ? cell.getFgColor() : undefined,
        isBold: cell?.isBold() !== 0,
        isDim: cell?.isDim() !== 0,
        isItalic: cell?.isItalic() !== 0,
        isInverse: cell?.isInverse() !== 0,
      };
    });
  }

  [Symbol.dispose](): void {
    this.#terminal.dispose();
  }

  #linesFrom(first: number): string[] {
    const { active } = this.#terminal.buffer;
    return Array.from(
      { length: active.length - first },
      (_, i) => active.getLine(first + i)?.translateToString(false) ?? "",
    );
  }
}

export interface Cell {
  readonly text: string;
  readonly width: number;
  /** A colour of the terminal's palette; undefined for the default. */
  readonly colour: number | undefined;
  readonly isBold: boolean;
  readonly isDim: boolean;
  readonly isItalic: boolean;
  readonly isInverse: boolean;
}

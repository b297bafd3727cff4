/**
 * The user's terminal: reads bytes as they are typed, writes texts in order, and restores its settings. It does not
 * interpret keys.
 *
 * @module
 */
import { onWindowChange } from "../src/serving/signals.ts";
import type { Size } from "./screen/prompt_screen.ts";
import { writeAll } from "../src/write_all.ts";

const SIZE_OTHERWISE: Size = { columns: 80, rows: 24 };
// Pasted text arrives between marks and is not interpreted as keys.
const PASTES_MARKED = "\x1b[?2004h";
const PASTES_UNMARKED = "\x1b[?2004l";
/** The cursor is visible and rows wrap, whatever was being drawn at the end. */
const AS_FOUND = "\x1b[0m\x1b[?25h\x1b[?7h";

export class Tty {
  #writing: Promise<void> = Promise.resolve();
  #isOpen = true;

  constructor() {
    this.take();
  }

  /**
   * Switches to keys that arrive one by one without echo. Ctrl-C and Ctrl-Z still send signals, so that the shell can
   * stop the program; call it again when the program continues.
   */
  take(): void {
    if (!this.#isOpen) return;
    Deno.stdin.setRaw(true, { cbreak: Deno.build.os !== "windows" });
    this.write(PASTES_MARKED);
  }

  get size(): Size {
    try {
      const { columns, rows } = Deno.consoleSize();
      return columns > 0 && rows > 0 ? { columns, rows } : SIZE_OTHERWISE;
    } catch {
      return SIZE_OTHERWISE;
    }
  }

  onResize(listener: () => void): void {
    onWindowChange(() => this.#isOpen && listener());
  }

  /** The typed bytes; ends when the terminal is gone. */
  async *bytes(): AsyncGenerator<Uint8Array> {
    const buffer = new Uint8Array(4096);
    while (true) {
      const count = await Deno.stdin.read(buffer).catch(() => null);
      if (count === null) return;
      yield buffer.slice(0, count);
    }
  }

  /** Writes after all earlier writes. Writing to a terminal that is gone does nothing. */
  write(text: string): Promise<void> {
    if (text === "") return this.#writing;
    return this.#writing = this.#writing.then(() => writeAll(Deno.stdout, text)).catch(() => {});
  }

  async close(): Promise<void> {
    if (!this.#isOpen) return;
    this.#isOpen = false;
    await this.write(PASTES_UNMARKED + AS_FOUND);
    try {
      Deno.stdin.setRaw(false);
    } catch {
      // The terminal is gone.
    }
  }
}

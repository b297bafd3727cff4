/**
 * A person's terminal: its bytes come in as they are typed, texts go out, and it is left as it was found.
 *
 * @module
 */
import { onWindowChange } from "../src/serving/signals.ts";
import type { Size } from "./screen/prompt_screen.ts";

/** What a terminal that tells no size is taken for. */
const SIZE_OTHERWISE: Size = { columns: 80, rows: 24 };
// What is pasted comes between marks, and what it holds is not taken for keys.
const PASTES_MARKED = "\x1b[?2004h";
const PASTES_UNMARKED = "\x1b[?2004l";
/** The cursor shown, and long rows broken: whatever was being drawn when it ended. */
const AS_FOUND = "\x1b[0m\x1b[?25h\x1b[?7h";

export class Tty {
  #writing: Promise<void> = Promise.resolve();
  #isOpen = true;

  /** Takes the terminal over: keys come one by one and are not echoed. */
  constructor() {
    Deno.stdin.setRaw(true);
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

  /** What is typed, as it comes; ends where the terminal is gone. */
  async *bytes(): AsyncGenerator<Uint8Array> {
    const buffer = new Uint8Array(4096);
    while (true) {
      const count = await Deno.stdin.read(buffer).catch(() => null);
      if (count === null) return;
      yield buffer.slice(0, count);
    }
  }

  /** Writes after everything that was to be written before. A terminal that is gone is written to in vain. */
  write(text: string): void {
    if (text === "") return;
    this.#writing = this.#writing.then(async () => {
      for (let rest = new TextEncoder().encode(text); rest.length > 0;) {
        rest = rest.subarray(await Deno.stdout.write(rest));
      }
    }).catch(() => {});
  }

  /** Gives the terminal back. */
  async close(): Promise<void> {
    if (!this.#isOpen) return;
    this.#isOpen = false;
    this.write(PASTES_UNMARKED + AS_FOUND);
    await this.#writing;
    try {
      Deno.stdin.setRaw(false);
    } catch {
      // It is gone.
    }
  }
}

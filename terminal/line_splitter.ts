/**
 * Splits a text that arrives in parts into lines. It reads each part once: a line may arrive in many small parts. It
 * sets no limit on a line; its users do.
 *
 * @module
 */

export class LineSplitter {
  /** The parts of the unfinished line. */
  #parts: string[] = [];
  #length = 0;

  /** UTF-16 units of the unfinished line. */
  get length(): number {
    return this.#length;
  }

  /** Adds a part. Returns the lines that it finishes, without their line breaks. */
  push(part: string): string[] {
    const lines = part.split("\n");
    const last = lines.pop()!;
    if (lines.length > 0) lines[0] = this.take() + lines[0]!;
    this.#parts.push(last);
    this.#length += last.length;
    return lines;
  }

  /** Returns the unfinished line, and drops it here. */
  take(): string {
    const line = this.#parts.join("");
    this.#parts = [];
    this.#length = 0;
    return line;
  }
}

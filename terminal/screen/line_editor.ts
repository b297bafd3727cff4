/**
 * The line being typed: applies keys, recalls sent lines and completes words. Pure; prompt_screen.ts draws it. The
 * cursor moves by grapheme clusters, so that no character is split.
 *
 * @module
 */
import { graphemes } from "./cells.ts";
import type { Key, KeyName } from "./keys.ts";

/** UTF-16 units of a line: several times the default limit of a server. */
export const LINE_LENGTH_MAX = 16_384;
export const REMEMBERED_MAX = 200;

/** What may replace the text from `from` to the cursor. */
export interface Completion {
  readonly from: number;
  readonly options: readonly string[];
}
export type Completer = (before: string) => Completion | undefined;

export type Pressed =
  | { readonly kind: "changed" }
  | { readonly kind: "nothing" }
  | { readonly kind: "submitted"; readonly text: string }
  | { readonly kind: "interrupt" | "endOfInput" | "escape" | "redraw" };

const CHANGED: Pressed = { kind: "changed" };
const NOTHING: Pressed = { kind: "nothing" };

export class LineEditor {
  #text = "";
  #cursor = 0;
  readonly #completer: Completer;
  readonly #sent: string[] = [];
  /** The index in `sent` of the recalled line; its length for the new line. */
  #at = 0;
  /** The new line, kept while a sent line is recalled. */
  #written = "";
  /** For yank. */
  #killed = "";
  #tried: { readonly completion: Completion; readonly index: number; readonly end: string } | undefined;

  constructor(completer: Completer = () => undefined) {
    this.#completer = completer;
  }

  get text(): string {
    return this.#text;
  }

  /** In UTF-16 units, always between two characters. */
  get cursor(): number {
    return this.#cursor;
  }

  replace(text: string): void {
    this.#text = typeable(text).slice(0, LINE_LENGTH_MAX).toWellFormed();
    this.#cursor = this.#text.length;
    this.#tried = undefined;
  }

  press(key: Key): Pressed {
    if (key.kind !== "key") return this.#insert(key.text);
    if (key.name === "tab" || key.name === "backtab") return this.#complete(key.name === "tab" ? 1 : -1);
    this.#tried = undefined;
    return this.#pressNamed(key.name);
  }

  #pressNamed(name: Exclude<KeyName, "tab" | "backtab">): Pressed {
    const { length } = this.#text;
    switch (name) {
      case "enter":
        return this.#submit();
      case "newline":
        return this.#insert("\n");
      case "left":
        return this.#moveTo(this.#before());
      case "right":
        return this.#moveTo(this.#after());
      case "wordLeft":
        return this.#moveTo(this.#wordLeft());
      case "wordRight":
        return this.#moveTo(this.#wordRight());
      case "home":
        return this.#moveTo(0);
      case "end":
        return this.#moveTo(length);
      case "backspace":
        return this.#cut(this.#before(), this.#cursor);
      case "delete":
        return this.#cut(this.#cursor, this.#after());
      case "killToEnd":
        return this.#kill(this.#cursor, length);
      case "killToStart":
        return this.#kill(0, this.#cursor);
      case "killWordLeft":
        return this.#kill(this.#wordLeft(), this.#cursor);
      case "killWordRight":
        return this.#kill(this.#cursor, this.#wordRight());
      case "yank":
        return this.#insert(this.#killed);
      case "up":
        return this.#recall(this.#at - 1);
      case "down":
        return this.#recall(this.#at + 1);
      case "endOfInput":
        return this.#text === "" ? { kind: name } : this.#cut(this.#cursor, this.#after());
      case "interrupt":
      case "escape":
      case "redraw":
        return { kind: name };
    }
  }

  #submit(): Pressed {
    const text = this.#text;
    if (text.trim() !== "" && this.#sent.at(-1) !== text) this.#sent.push(text);
    if (this.#sent.length > REMEMBERED_MAX) this.#sent.shift();
    this.#at = this.#sent.length;
    this.#written = "";
    this.replace("");
    return { kind: "submitted", text };
  }

  #insert(written: string): Pressed {
    this.#tried = undefined;
    const text = typeable(written).slice(0, LINE_LENGTH_MAX - this.#text.length).toWellFormed();
    if (text === "") return NOTHING;
    this.#text = this.#text.slice(0, this.#cursor) + text + this.#text.slice(this.#cursor);
    this.#cursor += text.length;
    this.#settle();
    return CHANGED;
  }

  #cut(from: number, to: number): Pressed {
    if (from === to) return NOTHING;
    this.#text = this.#text.slice(0, from) + this.#text.slice(to);
    this.#cursor = from;
    this.#settle();
    return CHANGED;
  }

  #kill(from: number, to: number): Pressed {
    if (from !== to) this.#killed = this.#text.slice(from, to);
    return this.#cut(from, to);
  }

  /** A combining mark or joiner may have merged the characters around the cursor. */
  #settle(): void {
    this.#cursor = boundaries(this.#text).find((at) => at >= this.#cursor) ?? this.#text.length;
  }

  #moveTo(cursor: number): Pressed {
    if (cursor === this.#cursor) return NOTHING;
    this.#cursor = cursor;
    return CHANGED;
  }

  #before(): number {
    return boundaries(this.#text).findLast((at) => at < this.#cursor) ?? 0;
  }

  #after(): number {
    return boundaries(this.#text).find((at) => at > this.#cursor) ?? this.#text.length;
  }

  // A space with a combining mark is one character, so word ends move to the next boundary.
  #wordLeft(): number {
    // Backwards, because a pattern for the end of a text is tried at each character.
    let start = this.#cursor;
    while (start > 0 && isBlank(this.#text[start - 1])) start--;
    while (start > 0 && !isBlank(this.#text[start - 1])) start--;
    return boundaries(this.#text).findLast((at) => at <= start) ?? 0;
  }

  #wordRight(): number {
    const end = this.#cursor + (/^\s*\S*/.exec(this.#text.slice(this.#cursor))?.[0].length ?? 0);
    return boundaries(this.#text).find((at) => at >= end) ?? this.#text.length;
  }

  #recall(at: number): Pressed {
    if (at < 0 || at > this.#sent.length) return NOTHING;
    if (this.#at === this.#sent.length) this.#written = this.#text;
    this.#at = at;
    this.replace(this.#sent[at] ?? this.#written);
    return CHANGED;
  }

  /** Inserts the next or previous option; the first press asks for the options. */
  #complete(step: 1 | -1): Pressed {
    const tried = this.#tried;
    const completion = tried?.completion ?? this.#completer(this.#text.slice(0, this.#cursor));
    if (completion === undefined || completion.options.length === 0) return NOTHING;
    const { from, options } = completion;
    const first = step === 1 ? 0 : options.length - 1;
    const index = tried === undefined ? first : (tried.index + step + options.length) % options.length;
    const end = tried?.end ?? this.#text.slice(this.#cursor);
    this.replace(this.#text.slice(0, from) + options[index] + end);
    this.#cursor = Math.max(0, this.#text.length - end.length);
    this.#settle();
    this.#tried = { completion, index, end };
    return CHANGED;
  }
}

function isBlank(unit: string | undefined): boolean {
  return unit !== undefined && unit.trim() === "";
}

/** Normalizes line breaks, replaces tabs by spaces, and removes other control characters. */
function typeable(text: string): string {
  return text.replace(/\r\n?/g, "\n").replaceAll("\t", "    ").replace(/[^\P{Cc}\n]/gu, "");
}

/** The offsets between characters, both ends included. */
function boundaries(text: string): number[] {
  let at = 0;
  return [0, ...graphemes(text).map((character) => at += character.length)];
}

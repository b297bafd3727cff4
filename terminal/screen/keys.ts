/**
 * The bytes that a terminal sends, as keys, texts and pastes.
 *
 * Pure: the caller says when a sequence has been unfinished for so long that the rest of it will not come. What a key
 * does is line_editor.ts's. Sequences that mean nothing here are swallowed whole, so that none is taken for text.
 *
 * @module
 */

/** Keys by what they do on a line, as Emacs and readline have it. */
export type KeyName =
  | "enter"
  | "newline"
  | "tab"
  | "backtab"
  | "escape"
  | "backspace"
  | "delete"
  | "left"
  | "right"
  | "wordLeft"
  | "wordRight"
  | "home"
  | "end"
  | "up"
  | "down"
  | "killToEnd"
  | "killToStart"
  | "killWordLeft"
  | "killWordRight"
  | "yank"
  | "interrupt"
  | "endOfInput"
  | "redraw"
  | "suspend";

export type Key =
  | { readonly kind: "key"; readonly name: KeyName }
  | { readonly kind: "text"; readonly text: string }
  | { readonly kind: "paste"; readonly text: string };

/** UTF-16 units of one paste that are kept: more than any message. What is beyond is dropped. */
export const PASTE_LENGTH_MAX = 65_536;
/** UTF-16 units of a sequence that is not ended. What is longer is no sequence. */
const SEQUENCE_LENGTH_MAX = 256;

const CONTROLS: { readonly [character: string]: KeyName } = {
  "\x01": "home",
  "\x02": "left",
  "\x03": "interrupt",
  "\x04": "endOfInput",
  "\x05": "end",
  "\x06": "right",
  "\b": "backspace",
  "\t": "tab",
  "\n": "enter",
  "\v": "killToEnd",
  "\f": "redraw",
  "\r": "enter",
  "\x0e": "down",
  "\x10": "up",
  "\x15": "killToStart",
  "\x17": "killWordLeft",
  "\x19": "yank",
  "\x1a": "suspend",
  "\x7f": "backspace",
};

/** What a key is with Alt, which comes as the key after an escape. */
const WITH_ALT: { readonly [character: string]: KeyName } = {
  b: "wordLeft",
  f: "wordRight",
  d: "killWordRight",
  "\x7f": "killWordLeft",
  "\b": "killWordLeft",
  "\r": "newline",
  "\n": "newline",
};

/** By the last character of a sequence, and, before `~`, by its number. */
const FINALS: { readonly [final: string]: KeyName } = {
  A: "up",
  B: "down",
  C: "right",
  D: "left",
  H: "home",
  F: "end",
  Z: "backtab",
};
const NUMBERED: { readonly [number: string]: KeyName } = {
  "1": "home",
  "3": "delete",
  "4": "end",
  "7": "home",
  "8": "end",
};
/** With Ctrl or Alt, which are a number over 2 after the semicolon. */
const BY_WORD: { readonly [name in KeyName]?: KeyName } = {
  left: "wordLeft",
  right: "wordRight",
  delete: "killWordRight",
};

const PASTE_END = "\x1b[201~";

export class KeyDecoder {
  readonly #utf8 = new TextDecoder();
  /** What has come of a sequence that is not ended. */
  #begun = "";
  /** What was pasted so far; undefined outside of a paste. */
  #pasted: string | undefined;

  /** Whether a sequence is begun: where nothing more comes of it, `flush` says what it was. */
  get isWaiting(): boolean {
    return this.#begun !== "" && this.#pasted === undefined;
  }

  /** Takes what has come; bytes of a character and parts of a sequence may be apart. */
  feed(bytes: Uint8Array): Key[] {
    const keys: Key[] = [];
    let rest = this.#begun + this.#utf8.decode(bytes, { stream: true });
    this.#begun = "";
    while (rest !== "") {
      if (this.#pasted !== undefined) {
        rest = this.#takePaste(rest, keys);
        continue;
      }
      const taken = takeKey(rest);
      if (taken === undefined) {
        this.#begun = rest;
        break;
      }
      if (taken.key === "pasteStart") this.#pasted = "";
      else if (taken.key !== undefined) keys.push(taken.key);
      rest = rest.slice(taken.length);
    }
    return keys;
  }

  /** Nothing more comes of the sequence that is begun. A lone escape is a key, anything else was noise. */
  flush(): Key[] {
    if (!this.isWaiting) return [];
    const begun = this.#begun;
    this.#begun = "";
    return begun === "\x1b" ? [{ kind: "key", name: "escape" }] : [];
  }

  /** Takes what belongs to the paste; answers what is left after its end. */
  #takePaste(text: string, keys: Key[]): string {
    const end = text.indexOf(PASTE_END);
    // The end itself may be cut in two.
    const kept = end >= 0 ? end : text.length - beginningAtEnd(text, PASTE_END);
    this.#pasted = (this.#pasted + text.slice(0, kept)).slice(0, PASTE_LENGTH_MAX);
    if (end < 0) {
      this.#begun = text.slice(kept);
      return "";
    }
    keys.push({ kind: "paste", text: this.#pasted.toWellFormed() });
    this.#pasted = undefined;
    return text.slice(end + PASTE_END.length);
  }
}

/** How much of the end of `text` could be the start of `mark`. */
function beginningAtEnd(text: string, mark: string): number {
  for (let length = Math.min(text.length, mark.length - 1); length > 0; length--) {
    if (mark.startsWith(text.slice(text.length - length))) return length;
  }
  return 0;
}

interface Taken {
  readonly key: Key | "pasteStart" | undefined;
  readonly length: number;
}

/** The first key of a text; undefined where that is not all there. */
function takeKey(text: string): Taken | undefined {
  const printable = /^[^\p{Cc}]+/u.exec(text)?.[0];
  if (printable !== undefined) return { key: { kind: "text", text: printable }, length: printable.length };
  if (text[0] === "\x1b") return takeSequence(text);
  return { key: named(CONTROLS[text[0]!]), length: 1 };
}

function takeSequence(text: string): Taken | undefined {
  const second = text[1];
  if (second === undefined) return undefined;
  // A second escape: the first one was a key of its own.
  if (second === "\x1b") return { key: named("escape"), length: 1 };
  if (second === "O") return text.length < 3 ? undefined : { key: named(FINALS[text[2]!]), length: 3 };
  if (second === "[") return takeControlSequence(text);
  // Answers of the terminal to questions that others asked; they end in BEL or in ESC \.
  if (/[\]P^_X]/.test(second)) {
    const ends = ["\x07", "\x1b\\"].map((end) => text.indexOf(end, 2) + end.length)
      .filter((end) => end > 2);
    if (ends.length > 0) return { key: undefined, length: Math.min(...ends) };
    return text.length > SEQUENCE_LENGTH_MAX ? { key: undefined, length: text.length } : undefined;
  }
  const character = String.fromCodePoint(text.codePointAt(1)!);
  return { key: named(WITH_ALT[character]), length: 1 + character.length };
}

// ECMA-48 §5.4: parameters, then intermediates, then a final one.
function takeControlSequence(text: string): Taken | undefined {
  const [inner = "", parameters = "", intermediates, final] =
    /^([0-?]*)([ -/]*)([@-~]?)/.exec(text.slice(2)) ?? [];
  const length = 2 + inner.length;
  if (final === "") {
    // Something that cannot stand in one, and begins anew by itself; or there is more to come.
    if (length < text.length) return { key: undefined, length };
    return text.length > SEQUENCE_LENGTH_MAX ? { key: undefined, length: text.length } : undefined;
  }
  const [number = "", modifier = "1"] = parameters.split(";");
  if (final === "~" && number === "200") return { key: "pasteStart", length };
  const name = intermediates !== "" ? undefined : final === "~" ? NUMBERED[number] : FINALS[final ?? ""];
  const byWord = name !== undefined && Number(modifier) > 2 ? BY_WORD[name] : undefined;
  return { key: named(byWord ?? name), length };
}

function named(name: KeyName | undefined): Key | undefined {
  return name === undefined ? undefined : { kind: "key", name };
}

/**
 * Decodes the bytes of a terminal into keys, texts and pastes. Pure: the caller times unfinished sequences, and
 * line_editor.ts applies keys. Unknown sequences are dropped whole, so that none appears as text.
 *
 * @module
 */

/** Keys by their effect on a line, as in Emacs and readline. */
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
  | "redraw";

export type Key =
  | { readonly kind: "key"; readonly name: KeyName }
  | { readonly kind: "text"; readonly text: string }
  | { readonly kind: "paste"; readonly text: string };

/** UTF-16 units of one paste: more than any message. The rest is dropped. */
export const PASTE_LENGTH_MAX = 65_536;
/** UTF-16 units of an unfinished sequence; a longer one is not a sequence. */
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
  "\x7f": "backspace",
};

/** Keys with Alt, which arrive as an escape and the key. */
const WITH_ALT: { readonly [character: string]: KeyName } = {
  b: "wordLeft",
  f: "wordRight",
  d: "killWordRight",
  "\x7f": "killWordLeft",
  "\b": "killWordLeft",
  "\r": "newline",
  "\n": "newline",
};

/** By the last character of a sequence, or by its number before `~`. */
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
/** With Ctrl or Alt: a number over 2 after the semicolon. */
const BY_WORD: { readonly [name in KeyName]?: KeyName } = {
  left: "wordLeft",
  right: "wordRight",
  delete: "killWordRight",
};

const PASTE_END = "\x1b[201~";

export class KeyDecoder {
  readonly #utf8 = new TextDecoder();
  #begun = "";
  /** The text of an unfinished paste; undefined outside of one. */
  #pasted: string | undefined;

  /** True during a sequence; if no more bytes arrive, call `flush`. */
  get isWaiting(): boolean {
    return this.#begun !== "" && this.#pasted === undefined;
  }

  /** Decodes bytes; characters and sequences may be split between calls. */
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

  /** Ends an unfinished sequence: a lone escape is a key, anything else is dropped. */
  flush(): Key[] {
    if (!this.isWaiting) return [];
    const begun = this.#begun;
    this.#begun = "";
    return begun === "\x1b" ? [{ kind: "key", name: "escape" }] : [];
  }

  /** Consumes the paste's part of a text. Returns the rest after its end mark. */
  #takePaste(text: string, keys: Key[]): string {
    const end = text.indexOf(PASTE_END);
    // The end mark may be split.
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

/** The length of the longest end of `text` that is a start of `mark`. */
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

/** The first key of a text; undefined if it is incomplete. */
function takeKey(text: string): Taken | undefined {
  const printable = /^[^\p{Cc}]+/u.exec(text)?.[0];
  if (printable !== undefined) return { key: { kind: "text", text: printable }, length: printable.length };
  if (text[0] === "\x1b") return takeSequence(text);
  return { key: named(CONTROLS[text[0]!]), length: 1 };
}

function takeSequence(text: string): Taken | undefined {
  const second = text[1];
  if (second === undefined) return undefined;
  // The second escape starts a sequence, so the first one was a key.
  if (second === "\x1b") return { key: named("escape"), length: 1 };
  if (second === "O") return text.length < 3 ? undefined : { key: named(FINALS[text[2]!]), length: 3 };
  if (second === "[") return takeControlSequence(text);
  // The terminal's answers to queries of other programs end in BEL or in ESC \.
  if (/[\]P^_X]/.test(second)) {
    // To the first end of either kind: a search for each kind would read on to the end of the text.
    for (let at = 2; at < text.length; at++) {
      if (text[at] === "\x07") return { key: undefined, length: at + 1 };
      if (text[at] === "\x1b" && text[at + 1] === "\\") return { key: undefined, length: at + 2 };
    }
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
    // An invalid character starts again by itself; otherwise the sequence is incomplete.
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

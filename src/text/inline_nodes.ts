/**
 * Reads the marks inside a paragraph: code, bold, italic, struck out, addresses and mentions. Which marks belong together
 * is decided by rules of markdown-it; which may begin or end something is stricter here, so that what people write
 * without thinking of Markdown stays as written.
 *
 * @module
 */
import { linkParts } from "./links.ts";
import { backticks, balancePairs, emphasis, strikethrough } from "./markdown_it.js";
import { type IsName, withMentions } from "./mentions.ts";
import type { InlineNode } from "./message_nodes.ts";

/** Marks inside marks; deeper ones stay as written. */
const DEPTH_MAX = 6;
const SPECIAL = /[*_~`@]|https?:/i;
const MARK = /[*_~`]/g;
const MARK_RUN = /\*+|_+|~+|`+/y;
/** The runs that format. Longer ones are rules and other drawings, and `__` is part of names in programs. */
const FORMATS = /^(?:\*{1,3}|_|~~)$/;
/** What no mark is beside on its outer side: `2*3*4`, `a_b`, `src/*.ts`. Letters of other scripts may be there. */
const JOINED = /[0-9A-Za-z/\\=+@#$%&^]/;
/** What a mark does not enclose right beside it, as in `2 * 3` and in paths with stars. */
const NOT_ENCLOSED = /[\s/\\]/;
/** Marks around nothing else, such as `*_*`, are no marks. */
const WORD = /[\p{L}\p{N}\p{Extended_Pictographic}\p{Regional_Indicator}]/u;

const KINDS = { strong: "bold", em: "italic", s: "struck" } as const;

interface Token {
  type: string;
  content: string;
  markup: string;
  /** Of a link. */
  href?: string;
  /** Of code, with its marks. */
  written?: string;
}

interface Delimiter {
  readonly token: number;
  end: number;
}

/** The part of markdown-it's `StateInline` that its rules use. */
class State {
  readonly src: string;
  readonly posMax: number;
  pos = 0;
  pending = "";
  readonly tokens: Token[] = [];
  readonly delimiters: Delimiter[] = [];
  readonly ["tokens_meta"] = [];
  readonly backticks = {};
  backticksScanned = false;
  #nextMark = -1;

  constructor(src: string) {
    this.src = src;
    this.posMax = src.length;
  }

  push(type: string): Token {
    this.flush();
    const token = { type, content: "", markup: "" };
    this.tokens.push(token);
    return token;
  }

  /** Where the next mark is, or the end. It is looked for once, however often the text before it is interrupted. */
  nextMark(): number {
    if (this.#nextMark < this.pos) {
      MARK.lastIndex = this.pos;
      this.#nextMark = MARK.exec(this.src)?.index ?? this.src.length;
    }
    return this.#nextMark;
  }

  flush(): void {
    if (this.pending === "") return;
    this.tokens.push({ type: "text", content: this.pending, markup: "" });
    this.pending = "";
  }

  scanDelims(start: number): { length: number; ["can_open"]: boolean; ["can_close"]: boolean } {
    const length = runAt(this.src, start).length;
    // An address may end in a slash.
    const isAfterLink = this.pending === "" && this.tokens.at(-1)?.href !== undefined;
    const before = isAfterLink ? "a" : this.src[start - 1] ?? " ";
    const after = this.src[start + length] ?? " ";
    return {
      length,
      ["can_open"]: !NOT_ENCLOSED.test(after) && !JOINED.test(before),
      ["can_close"]: !NOT_ENCLOSED.test(before) && !JOINED.test(after),
    };
  }
}

/** `isName` says which folded names with spaces are mentioned. */
export function inlineNodes(text: string, isName: IsName): InlineNode[] {
  if (text === "") return [];
  if (!SPECIAL.test(text)) return [{ kind: "plain", text }];
  return tree(tokensOf(text), isName);
}

function tokensOf(text: string): readonly Token[] {
  const state = new State(text);
  let at = 0;
  for (const part of linkParts(text)) {
    const { href } = part;
    if (href === undefined) readMarks(state, at + part.text.length);
    // Code before it may have taken the address.
    else if (state.pos <= at) {
      const link: Token = state.push("link");
      link.content = part.text;
      link.href = href;
      state.pos = at + part.text.length;
    }
    at += part.text.length;
  }
  readMarks(state, at);
  state.flush();
  balancePairs(state);
  unpairEmpty(state);
  strikethrough.postProcess(state);
  emphasis.postProcess(state);
  return state.tokens;
}

function readMarks(state: State, end: number): void {
  while (state.pos < end) {
    const next = Math.min(end, state.nextMark());
    if (next > state.pos) {
      state.pending += state.src.slice(state.pos, next);
      state.pos = next;
      continue;
    }
    const run = runAt(state.src, state.pos);
    const { pos } = state;
    // An accent that is written as a backtick follows its letter.
    if (run[0] === "`" && !JOINED.test(state.src[pos - 1] ?? " ")) {
      backticks(state, false);
      const code = state.pending === "" ? state.tokens.at(-1) : undefined;
      if (code !== undefined) code.written = state.src.slice(pos, state.pos);
    } else if (FORMATS.test(run)) {
      if (run === "~~") strikethrough.tokenize(state, false);
      else emphasis.tokenize(state, false);
    } else {
      state.pending += run;
      state.pos += run.length;
    }
  }
}

function runAt(text: string, at: number): string {
  MARK_RUN.lastIndex = at;
  return MARK_RUN.exec(text)?.[0] ?? "";
}

function unpairEmpty({ tokens, delimiters }: State): void {
  let words = 0;
  const wordsBefore = tokens.map(({ content }) => WORD.test(content) ? words++ : words);
  for (const delimiter of delimiters) {
    const end = delimiters[delimiter.end]?.token;
    if (end !== undefined && wordsBefore[end] === wordsBefore[delimiter.token]) delimiter.end = -1;
  }
}

function tree(tokens: readonly Token[], isName: IsName): InlineNode[] {
  const top = new Level("", isName);
  const levels = [top];
  let tooDeep = 0;
  for (const { type, content, markup, href, written } of tokens) {
    const level = levels.at(-1)!;
    const [tag, side] = type.split("_");
    if (href !== undefined) level.add({ kind: "link", text: content, href });
    else if (written !== undefined) level.add(codeNode(written, markup.length));
    else if (side === undefined) level.plain += content;
    else if (side === "open" ? levels.length > DEPTH_MAX : tooDeep > 0) {
      tooDeep += side === "open" ? 1 : -1;
      level.plain += markup;
    } else if (side === "open") levels.push(new Level(markup, isName));
    else {
      levels.pop();
      levels.at(-1)!.addLevel(KINDS[tag as keyof typeof KINDS], level, markup);
    }
  }
  return top.end();
}

/** The nodes between two marks. */
class Level {
  plain = "";
  readonly open: string;
  readonly #isName: IsName;
  readonly #nodes: InlineNode[] = [];

  constructor(open: string, isName: IsName) {
    this.open = open;
    this.#isName = isName;
  }

  add(node: InlineNode): void {
    this.end().push(node);
  }

  addLevel(kind: "bold" | "italic" | "struck", level: Level, close: string): void {
    this.add({ kind, open: level.open, nodes: level.end(), close });
  }

  end(): InlineNode[] {
    if (this.plain !== "") this.#nodes.push(...withMentions(this.plain, this.#isName));
    this.plain = "";
    return this.#nodes;
  }
}

/** One space at each end separates backticks of the code from those around it. */
function codeNode(written: string, marks: number): InlineNode {
  const inside = written.slice(marks, -marks);
  const isPadded = inside.startsWith(" ") && inside.endsWith(" ") && inside.trim() !== "";
  const length = marks + (isPadded ? 1 : 0);
  return {
    kind: "code",
    open: written.slice(0, length),
    text: written.slice(length, written.length - length),
    close: written.slice(-length),
  };
}

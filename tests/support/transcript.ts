/**
 * Transcripts of c2 in documents, PROTOCOL.md's introduction: parses them from Markdown, and matches their texts with
 * `<names>` against real frames. Pure: the test plays them.
 *
 * @module
 */
import { fencedBlocks } from "./documents.ts";

/** A fenced block whose info string begins with `c2`. */
export interface Transcript {
  readonly file: string;
  readonly line: number;
  /** The heading above it. */
  readonly heading: string;
  /** The words after `c2`: arguments of `chatter chat`. */
  readonly flags: readonly string[];
  readonly steps: readonly Step[];
}

export type Step =
  & { readonly line: number }
  & (
    | { readonly kind: "send"; readonly client: string; readonly text: string }
    /** An action outside of the protocol; the server does it if `client` is `S`. */
    | { readonly kind: "act"; readonly client: string; readonly what: string }
    /** `client` is `*` for everyone. */
    | { readonly kind: "receive"; readonly client: string; readonly text: string }
    | { readonly kind: "close"; readonly client: string; readonly code: number; readonly reason: string }
  );

/** All transcripts of a Markdown file. Throws at a line that it cannot read. */
export function parseTranscripts(file: string, markdown: string): Transcript[] {
  return fencedBlocks(markdown).flatMap(({ line, heading, info, lines }) => {
    const [language, ...flags] = info.split(/\s+/);
    if (language !== "c2") return [];
    const steps = lines.map((text, i) => parseStep(text, `${file}:${line + 1 + i}`, line + 1 + i));
    return [{ file, line, heading, flags, steps }];
  });
}

function parseStep(text: string, place: string, line: number): Step {
  const parts = /^(?:S([>!]))?([A-Z]|\*): (.*)$/.exec(text);
  if (!parts) throw new Error(`${place}: no line of a transcript: ${text}`);
  const [, arrow, client = "", rest = ""] = parts;
  if (arrow === ">") return { line, kind: "receive", client, text: rest };
  if (arrow === "!") {
    const [, code, reason = ""] = /^([0-9]{4})(?: (.+))?$/.exec(rest) ?? [];
    if (code === undefined) throw new Error(`${place}: no close code: ${text}`);
    return { line, kind: "close", client, code: Number(code), reason };
  }
  const act = /^\((.*)\)$/.exec(rest);
  return act ? { line, kind: "act", client, what: act[1] ?? "" } : { line, kind: "send", client, text: rest };
}

/** What a name in angle brackets may match, by the name without its last digits. */
const VALUES: { readonly [name: string]: string } = {
  token: "[A-Za-z0-9_-]{43}",
  position: "[0-9]+",
  uuid: "[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}",
  id: "0|[1-9][0-9]{0,15}",
  time: "[0-9]+",
  uptime: "[0-9]+",
  since: "[0-9]{13}",
  seconds: "[0-9]+",
  version: "[0-9]+\\.[0-9]+\\.[0-9]+",
  limits: "\\{[^{}]+\\}",
};
const LITERALS: { readonly [name: string]: string } = { LF: "\n", NUL: "\0", SP: " ", empty: "" };

/** The values of one transcript's names, bound by received texts and used in sent ones. */
export class Bindings {
  readonly #values = new Map<string, string>();
  #newestUuid = "";

  /** The text to send. Throws for a name that has no value yet. */
  fill(written: string): string {
    return this.#translate(written, (name) => {
      throw new Error(`<${name}> is sent before it came`);
    }, (literal) => literal);
  }

  /**
   * Whether `text` matches; new names are bound. Message ids must increase, §4.2: one that is not greater than all
   * before does not match.
   */
  match(written: string, text: string): boolean {
    const names: string[] = [];
    const pattern = this.#translate(written, (name) => {
      if (names.includes(name)) throw new Error(`<${name}> is twice in the line that it first comes in`);
      names.push(name);
      const value = VALUES[name.replace(/[0-9]+$/, "")];
      if (value === undefined) throw new Error(`<${name}> is no name that transcripts know`);
      return `(${value})`;
    }, (literal) => literal.replace(/[\\^$.*+?()[\]{}|\/]/g, "\\$&"));
    const found = new RegExp(`^${pattern}$`, "su").exec(text);
    if (!found) return false;
    for (const [i, name] of names.entries()) {
      const value = found[i + 1] ?? "";
      if (name.startsWith("uuid")) {
        if (value <= this.#newestUuid) return false;
        this.#newestUuid = value;
      }
      this.#values.set(name, value);
    }
    return true;
  }

  #translate(written: string, unbound: (name: string) => string, literal: (text: string) => string): string {
    let out = "";
    // Split by a group: texts at even indexes, names at odd ones.
    for (const [i, part] of written.split(/<([^<>]+)>/).entries()) {
      if (i % 2 === 0) out += literal(part);
      else {
        const repeated = /^(.+) \* ([0-9]+)$/su.exec(part);
        const known = repeated
          ? (repeated[1] ?? "").repeat(Number(repeated[2]))
          : LITERALS[part] ?? this.#values.get(part);
        out += known === undefined ? unbound(part) : literal(known);
      }
    }
    return out;
  }
}

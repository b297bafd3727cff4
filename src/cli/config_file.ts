/**
 * A configuration file as values of flags: JSON with comments whose keys are the flags' names, for both roles at the
 * top and for one of them in a section of its name, or the first thing that is wrong with it, with its place.
 *
 * Pure, and its parser is loaded where there is such a file. All of the file is judged, whichever role reads it.
 *
 * @module
 */
import { type MemberNode, type ObjectNode, parse, type ValueNode } from "@humanwhocodes/momoa";
import type { Flag, FlagTable } from "./flag.ts";
import type { FileText } from "./flag_values.ts";
import { COMMANDS, flagName, ROLE_NAMES } from "./commands.ts";
import { isUsageError, nearest, quoted, type UsageError, usageError, wrongValue } from "./usage_error.ts";

/** By role, what the file gives for its flags. */
export type ConfigFile = { readonly [role in "chat" | "listing"]: ReadonlyMap<string, FileText> };
type Role = keyof ConfigFile;

/** What names a flag on the command line only. */
const NO_KEY = "config";
const ROLES = ROLE_NAMES as readonly Role[];
/** How the parser calls what it met, and how it is written. */
const TOKENS: { readonly [name: string]: string } = {
  LBrace: "{",
  RBrace: "}",
  LBracket: "[",
  RBracket: "]",
  Comma: ",",
  Colon: ":",
};

/** Reads the text of the file that is called `file`. */
export function readConfigText(file: string, text: string): ConfigFile | UsageError {
  const root = parseJson(file, text);
  if (isUsageError(root)) return root;
  return new ConfigReader(file, text).read(root);
}

function parseJson(file: string, text: string): ValueNode | UsageError {
  try {
    return parse(text, { mode: "jsonc", ranges: true }).body;
  } catch (error) {
    // Only what is wrong with the text has a place.
    if (!(error instanceof Error && "line" in error && "column" in error)) throw error;
    const reason = error.message.replace(/\.? \([0-9]+:[0-9]+\)$/, "").replace(/\.$/, "")
      .replace(/token ([A-Z]\w+)/, (token, name) => TOKENS[name] === undefined ? token : `"${TOKENS[name]}"`);
    return usageError(`${file}:${error.line}:${error.column}: this is not JSON: ${reason}`);
  }
}

class ConfigReader {
  readonly #file: string;
  readonly #text: string;
  readonly #shared = newFile();
  readonly #sections = newFile();

  constructor(file: string, text: string) {
    this.#file = file;
    this.#text = text;
  }

  read(root: ValueNode): ConfigFile | UsageError {
    if (root.type !== "Object") {
      return this.#problem(root, 'a configuration is an object, as in {"name": "The Pub"}');
    }
    const problem = this.#readObject(root, undefined);
    if (problem !== undefined) return problem;
    return {
      chat: new Map([...this.#shared.chat, ...this.#sections.chat]),
      listing: new Map([...this.#shared.listing, ...this.#sections.listing]),
    };
  }

  /** `section`: whose it is; undefined at the top. */
  #readObject({ members }: ObjectNode, section: Role | undefined): UsageError | undefined {
    const lines = new Map<string, number>();
    for (const member of members) {
      const name = nameOf(member);
      const before = lines.get(name);
      if (before !== undefined) {
        return this.#problem(
          member,
          `${quoted(name)} is given twice, in line ${before} too; once is allowed`,
        );
      }
      lines.set(name, member.loc.start.line);
      const role = section === undefined ? ROLES.find((role) => role === name) : undefined;
      // An object is a section. Anything else is the value of a flag, of which one is called --listing.
      const problem = role !== undefined && member.value.type === "Object"
        ? this.#readObject(member.value, role)
        : role !== undefined && !flagsByName("chat").has(name)
        ? this.#problem(member.value, `${quoted(name)} is the section of chatter ${role}, and an object`)
        : this.#readFlag(member, section);
      if (problem !== undefined) return problem;
    }
    return undefined;
  }

  #readFlag(member: MemberNode, section: Role | undefined): UsageError | undefined {
    const name = nameOf(member);
    const into = section === undefined ? this.#shared : this.#sections;
    let isKnown = false;
    for (const role of section === undefined ? ROLES : [section]) {
      const [key, flag] = flagsByName(role).get(name) ?? [];
      if (key === undefined || flag === undefined) continue;
      isKnown = true;
      const texts = this.#textsOf(flag, name, member.value);
      if (isUsageError(texts)) return texts;
      into[role].set(key, { texts, place: this.#place(member) });
    }
    if (isKnown) return undefined;
    const where = section === undefined ? "" : ` in the section ${quoted(section)}`;
    const known = section === undefined
      ? [...ROLES, ...ROLES.flatMap((role) => [...flagsByName(role).keys()])]
      : [...flagsByName(section).keys()];
    const meant = nearest(name.replace(/^-+/, ""), known);
    return this.#problem(member, `there is no ${quoted(name)}${where}; did you mean ${quoted(meant)}?`);
  }

  #textsOf(flag: Flag<unknown>, name: string, value: ValueNode): string[] | UsageError {
    const isList = flag.repeatable && value.type === "Array" && value.elements.length > 0;
    const texts: string[] = [];
    for (const one of isList ? value.elements.map((element) => element.value) : [value]) {
      const text = this.#textOf(one);
      if (text === undefined || flag.read(text) === undefined) {
        const shown = one.type === "String" ? quoted(one.value) : SHOWN[one.type] ?? text ?? one.type;
        return this.#problem(one, wrongValue(flag, name, shown).problem);
      }
      texts.push(text);
    }
    return texts;
  }

  /** As it would be written on the command line; undefined for what cannot be. */
  #textOf(value: ValueNode): string | undefined {
    if (value.type === "String") return value.value;
    if (value.type === "Boolean") return String(value.value);
    // As it was written, so that 1e3 is no more a port than there.
    return value.type === "Number" ? this.#text.slice(...value.range!) : undefined;
  }

  #place({ loc: { start } }: ValueNode | MemberNode): string {
    return `${this.#file}:${start.line}:${start.column}`;
  }

  #problem(node: ValueNode | MemberNode, text: string): UsageError {
    return usageError(`${this.#place(node)}: ${text}`);
  }
}

const SHOWN: { readonly [type: string]: string } = { Null: "null", Array: "a list", Object: "an object" };

function newFile(): { readonly [role in Role]: Map<string, FileText> } {
  return { chat: new Map(), listing: new Map() };
}

function nameOf({ name }: MemberNode): string {
  return name.type === "String" ? name.value : name.name;
}

/** The flags that a file may give, by their names without the dashes, with their keys. */
function flagsByName(role: Role): ReadonlyMap<string, readonly [string, Flag<unknown>]> {
  const flags: FlagTable = COMMANDS[role].flags;
  return new Map(
    Object.entries(flags).filter(([key]) => key !== NO_KEY)
      .map(([key, flag]) => [flagName(key).slice(2), [key, flag]]),
  );
}

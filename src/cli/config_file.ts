/**
 * Reads a configuration file: JSON with comments whose keys are the flags' names, at the top for both roles, and for one
 * of them in a section of its name. It throws a `UsageError` with the place of what is wrong.
 *
 * Pure, and loaded where there is such a file. All of the file is judged, whichever role reads it.
 *
 * @module
 */
import { type MemberNode, type ObjectNode, parse, type ValueNode } from "@humanwhocodes/momoa";
import { COMMANDS, flagName, type Role, ROLES } from "./commands.ts";
import { type AnyFlag, nearest, quoted, type Source, UsageError, wrongValue } from "./flag.ts";

/** By role, what the file gives for its flags, by their names without hyphens. */
export type ConfigFile = { readonly [role in Role]: ReadonlyMap<string, Source> };

/** The punctuation of JSON by the parser's words for it. */
const TOKENS = new Map(Object.entries({
  LBrace: "{",
  RBrace: "}",
  LBracket: "[",
  RBracket: "]",
  Comma: ",",
  Colon: ":",
}));
const SHOWN: { readonly [type: string]: string } = { Null: "null", Array: "a list", Object: "an object" };

/** Reads the text of the file that is called `file`. */
export function readConfigText(file: string, text: string): ConfigFile {
  return new ConfigReader(file, text).read();
}

class ConfigReader {
  readonly #file: string;
  readonly #text: string;
  readonly #top: [Role, string, Source][] = [];
  readonly #sections: [Role, string, Source][] = [];

  constructor(file: string, text: string) {
    this.#file = file;
    this.#text = text;
  }

  read(): ConfigFile {
    const root = this.#parse();
    if (root.type !== "Object") {
      throw this.#problem(root, 'a configuration is an object, as in {"name": "The Pub"}');
    }
    this.#readObject(root, undefined);
    const valuesOf = (role: Role) =>
      new Map(
        [...this.#top, ...this.#sections].filter(([whose]) => whose === role).map(([, ...value]) => value),
      );
    return { chat: valuesOf("chat"), listing: valuesOf("listing") };
  }

  #parse(): ValueNode {
    try {
      return parse(this.#text, { mode: "jsonc", ranges: true }).body;
    } catch (error) {
      // Only an error of the text has a place.
      if (!(error instanceof Error && "line" in error && "column" in error)) throw error;
      const reason = error.message.replace(/\.? \([0-9]+:[0-9]+\)$/, "").replace(/\.$/, "")
        .replace(/token ([A-Z]\w+)/, (token, name) => TOKENS.has(name) ? `"${TOKENS.get(name)}"` : token);
      throw new UsageError(`${this.#file}:${error.line}:${error.column}: this is not JSON: ${reason}`);
    }
  }

  /** `section` is the role whose section the object is; undefined at the top. */
  #readObject({ members }: ObjectNode, section: Role | undefined): void {
    const lines = new Map<string, number>();
    for (const member of members) {
      const name = nameOf(member);
      const before = lines.get(name);
      if (before !== undefined) {
        throw this.#problem(member, `${quoted(name)} is given twice, in line ${before} too; once is allowed`);
      }
      lines.set(name, member.loc.start.line);
      const role = section === undefined ? ROLES.find((role) => role === name) : undefined;
      // An object is a section. Anything else is the value of a flag, of which one is called --listing.
      if (role !== undefined && member.value.type === "Object") this.#readObject(member.value, role);
      else if (role !== undefined && !flagsOf("chat").has(name)) {
        throw this.#problem(member.value, `${quoted(name)} is the section of chatter ${role}, and an object`);
      } else this.#readFlag(member, section);
    }
  }

  #readFlag(member: MemberNode, section: Role | undefined): void {
    const name = nameOf(member);
    const roles = section === undefined ? ROLES : [section];
    const owners = roles.filter((role) => flagsOf(role).has(name));
    for (const role of owners) {
      const texts = this.#textsOf(flagsOf(role).get(name)!, name, member.value);
      const into = section === undefined ? this.#top : this.#sections;
      into.push([role, name, { origin: "file", name: this.#place(member), texts }]);
    }
    if (owners.length > 0) return;
    const known = roles.flatMap((role) => [...flagsOf(role).keys()]);
    const meant = nearest(name.replace(/^-+/, ""), section === undefined ? [...ROLES, ...known] : known);
    const where = section === undefined ? "" : ` in the section ${quoted(section)}`;
    throw this.#problem(member, `there is no ${quoted(name)}${where}; did you mean ${quoted(meant)}?`);
  }

  #textsOf(flag: AnyFlag, name: string, value: ValueNode): string[] {
    const isList = flag.repeatable && value.type === "Array" && value.elements.length > 0;
    return (isList ? value.elements.map((element) => element.value) : [value]).map((one) => {
      const text = this.#textOf(one);
      if (text !== undefined && flag.read(text) !== undefined) return text;
      const shown = one.type === "String" ? quoted(one.value) : SHOWN[one.type] ?? text ?? one.type;
      throw this.#problem(one, wrongValue(flag, name, shown).message);
    });
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
    return new UsageError(`${this.#place(node)}: ${text}`);
  }
}

function nameOf({ name }: MemberNode): string {
  return name.type === "String" ? name.value : name.name;
}

/** The flags that a file may give, by their names without hyphens. It cannot name another file. */
function flagsOf(role: Role): ReadonlyMap<string, AnyFlag> {
  const { config: _, ...flags } = COMMANDS[role].flags;
  return new Map(Object.entries<AnyFlag>(flags).map(([key, flag]) => [flagName(key).slice(2), flag]));
}

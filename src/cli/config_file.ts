/**
 * Reads a configuration file: JSON with comments whose keys are the names of flags. Keys at the top are for both roles,
 * keys in a section are for the role of its name.
 *
 * Pure. Both roles check the whole file. An error is a `UsageError` with its line and column.
 *
 * @module
 */
import { type MemberNode, type ObjectNode, parse, type ValueNode } from "@humanwhocodes/momoa";
import { COMMANDS, flagName, type Role, ROLES } from "./commands.ts";
import { type AnyFlag, didYouMean, quoted, type Source, UsageError, wrongValue } from "./flag.ts";

/** By role, the values that the file gives, by the flag's name without hyphens. */
export type ConfigFile = { readonly [role in Role]: ReadonlyMap<string, Source> };

const SHOWN: { readonly [type: string]: string } = { Null: "null", Array: "a list", Object: "an object" };

/** Reads the text of the file with the name `file`. */
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
      throw this.#problem(root, 'a configuration is an object, such as {"name": "The Pub"}');
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
      // The parser calls itself at each level, and runs out of stack in a file of brackets.
      if (error instanceof RangeError) {
        throw new UsageError(
          `${this.#file}: the file is nested too deeply; allowed: a section for each role`,
        );
      }
      // Only an error in the text has a place.
      if (!(error instanceof Error && "line" in error && "column" in error && "offset" in error)) throw error;
      const sign = this.#text[Number(error.offset)];
      const reason = error.message.replace(/\.? \([0-9]+:[0-9]+\)$/, "").replace(/\.$/, "")
        // The parser names the signs of JSON by words.
        .replace(/token (?:[LR]Brace|[LR]Bracket|Comma|Colon)/, `"${sign}"`);
      throw new UsageError(`${this.#file}:${error.line}:${error.column}: the file is not JSON: ${reason}`);
    }
  }

  /** `section` is the role whose section the object is; undefined at the top. */
  #readObject({ members }: ObjectNode, section: Role | undefined): void {
    const lines = new Map<string, number>();
    for (const member of members) {
      const name = nameOf(member);
      const before = lines.get(name);
      if (before !== undefined) {
        throw this.#problem(
          member,
          `${quoted(name)} is given twice, also in line ${before}; once is allowed`,
        );
      }
      lines.set(name, member.loc.start.line);
      const role = section === undefined ? ROLES.find((role) => role === name) : undefined;
      // An object is a section. Another value is that of a flag: --listing is a flag as well as a role.
      if (role !== undefined && member.value.type === "Object") this.#readObject(member.value, role);
      else if (role !== undefined && !flagsOf("chat").has(name)) {
        throw this.#problem(
          member.value,
          `${quoted(name)} is the section of chatter ${role}; allowed: an object`,
        );
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
    const all = section === undefined ? [...ROLES, ...known] : known;
    const hint = didYouMean(
      name.replace(/^-+/, ""),
      all,
      `; allowed: the flags in chatter help ${roles.join(" or ")}`,
      quoted,
    );
    const where = section === undefined ? "" : ` in the section ${quoted(section)}`;
    throw this.#problem(member, `there is no ${quoted(name)}${where}${hint}`);
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

  /** The value as text of the command line; undefined for a list, an object or null. */
  #textOf(value: ValueNode): string | undefined {
    if (value.type === "String") return value.value;
    if (value.type === "Boolean") return String(value.value);
    // As written in the file: 1e3 is not a port on the command line either.
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

/** The flags that a file may set, by name without hyphens. A file cannot name another file. */
function flagsOf(role: Role): ReadonlyMap<string, AnyFlag> {
  const { config: _, ...flags } = COMMANDS[role].flags;
  return new Map(Object.entries<AnyFlag>(flags).map(([key, flag]) => [flagName(key).slice(2), flag]));
}

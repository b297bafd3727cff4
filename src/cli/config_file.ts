/**
 * Reads a configuration file: JSON with comments whose keys are the names of flags. Keys at the top are for both roles,
 * keys in a section are for the role of its name.
 *
 * Pure. Both roles check the whole file. An error is a `UsageError` with its line and column.
 *
 * @module
 */
import { type Location, type MemberNode, parse, type ValueNode } from "@humanwhocodes/momoa";
import { COMMANDS, flagName, type Role, ROLES } from "./commands.ts";
import { type AnyFlag, quoted, type Sources, unknownWord, UsageError, wrongValue } from "./flag.ts";

/** The flags that a file may set, with their keys, by name without hyphens. A file cannot name another file. */
const FLAGS = { chat: flagsOf("chat"), listing: flagsOf("listing") };
const SHOWN: { readonly [type: string]: string } = { Null: "null", Array: "a list", Object: "an object" };

/** The values that the file gives to each role. `readFile` returns its text or throws. */
export function readConfigFile(path: string, readFile: (path: string) => string) {
  let text: string;
  try {
    text = readFile(path).replace(/^\uFEFF/, "");
  } catch (error) {
    const reason = error instanceof Error ? error.message.replace(/\s+/g, " ") : String(error);
    throw new UsageError(`${path}: cannot read the --config file: ${reason}`);
  }
  return new ConfigReader(path, text).read();
}

class ConfigReader {
  readonly #file: string;
  readonly #text: string;
  readonly #sources: { readonly [role in Role]: Sources } = { chat: {}, listing: {} };

  constructor(file: string, text: string) {
    this.#file = file;
    this.#text = text;
  }

  read(): { readonly [role in Role]: Sources } {
    const sections = this.#readMembers(this.#parse(), ROLES);
    for (const [role, section] of sections) this.#readMembers(section, [role]);
    return this.#sources;
  }

  #parse(): ValueNode {
    try {
      return parse(this.#text, { mode: "jsonc", ranges: true }).body;
    } catch (error) {
      // Also a RangeError: the parser calls itself at each level, and runs out of stack in a file of brackets.
      if (!(error instanceof Error)) throw error;
      const { line, column, offset } = error as Partial<Location>;
      const reason = error.message.replace(/\.? \([0-9]+:[0-9]+\)$/, "").replace(/\.$/, "")
        // The parser names the signs of JSON by words.
        .replace(/token (?:[LR]Brace|[LR]Bracket|Comma|Colon)/, `"${this.#text[offset ?? 0]}"`);
      const place = line === undefined ? "" : `:${line}:${column}`;
      throw new UsageError(`${this.#file}${place}: the file is not JSON: ${reason}`);
    }
  }

  /** Reads the flags of an object. Returns its sections, which win over it and are read after it. */
  #readMembers(node: ValueNode, roles: readonly Role[]): [Role, ValueNode][] {
    if (node.type !== "Object") {
      throw this.#problem(node, 'a configuration is an object, such as {"name": "The Pub"}');
    }
    const seen = new Set<string>();
    const sections: [Role, ValueNode][] = [];
    for (const member of node.members) {
      const name = member.name.type === "String" ? member.name.value : member.name.name;
      if (seen.has(name)) throw this.#problem(member, `${quoted(name)} is given twice; once is allowed`);
      seen.add(name);
      const section = roles === ROLES ? ROLES.find((role) => role === name) : undefined;
      // --listing is a flag as well as a role.
      const isFlag = member.value.type !== "Object" && FLAGS.chat.has(name);
      if (section !== undefined && !isFlag) sections.push([section, member.value]);
      else this.#readFlag(name, member, roles);
    }
    return sections;
  }

  #readFlag(name: string, member: MemberNode, roles: readonly Role[]): void {
    const owners = roles.filter((role) => FLAGS[role].has(name));
    for (const role of owners) {
      const [key, flag] = FLAGS[role].get(name)!;
      const texts = this.#textsOf(flag, name, member.value);
      this.#sources[role][key] = { origin: "file", name: this.#place(member), texts };
    }
    if (owners.length > 0) return;
    const known = [...roles, ...roles.flatMap((role) => [...FLAGS[role].keys()])];
    const where = roles === ROLES ? "" : ` in the section ${quoted(roles.join())}`;
    const problem = `${this.#place(member)}: there is no ${quoted(name)}${where}`;
    throw unknownWord(problem, name, known, `allowed: the flags in chatter help ${roles.join(" or ")}`);
  }

  /** The values as texts of the command line. */
  #textsOf(flag: AnyFlag, name: string, value: ValueNode): string[] {
    const isList = flag.repeatable && value.type === "Array" && value.elements.length > 0;
    return (isList ? value.elements.map((element) => element.value) : [value]).map((one) => {
      // A number as it is written in the file: 1e3 is not a port on the command line either.
      const text = one.type === "String" ? one.value : SHOWN[one.type] ?? this.#text.slice(...one.range!);
      if (!(one.type in SHOWN) && flag.read(text) !== undefined) return text;
      throw this.#problem(one, wrongValue(flag, name, one.type === "String" ? quoted(text) : text).message);
    });
  }

  #place({ loc: { start } }: ValueNode | MemberNode): string {
    return `${this.#file}:${start.line}:${start.column}`;
  }

  #problem(node: ValueNode | MemberNode, text: string): UsageError {
    return new UsageError(`${this.#place(node)}: ${text}`);
  }
}

function flagsOf(role: Role): ReadonlyMap<string, [key: string, flag: AnyFlag]> {
  const { config: _, ...flags } = COMMANDS[role].flags;
  return new Map(Object.entries<AnyFlag>(flags).map(([key, flag]) => [flagName(key).slice(2), [key, flag]]));
}

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

interface ConfigFile {
  readonly path: string;
  readonly text: string;
}

/** The flags that a file may set, with their keys, by name without hyphens. A file cannot name another file. */
const FLAGS = { chat: flagsOf("chat"), listing: flagsOf("listing") };
const SHOWN: { readonly [type: string]: string } = { Null: "null", Array: "a list", Object: "an object" };

/** The values that the file gives to each role. `readFile` returns its text or throws. */
export function readConfigFile(path: string, readFile: (path: string) => string) {
  const file = { path, text: readText(path, readFile) };
  const sources: { readonly [role in Role]: Sources } = { chat: {}, listing: {} };
  const top = membersOf(file, parsed(file));
  // --listing is a flag as well as a role.
  const isFlag = (role: Role) => top.get(role)!.value.type !== "Object" && FLAGS.chat.has(role);
  const sections = ROLES.filter((role) => top.has(role) && !isFlag(role));
  const read = (roles: readonly Role[], name: string, member: MemberNode) => {
    const owners = roles.filter((role) => FLAGS[role].has(name));
    if (owners.length === 0) throw unknownFlag(file, roles, name, member);
    for (const role of owners) {
      const [key, flag] = FLAGS[role].get(name)!;
      const texts = textsOf(file, flag, name, member.value);
      sources[role][key] = { origin: "file", name: place(file, member), texts };
    }
  };
  for (const [name, member] of top) if (!sections.some((role) => role === name)) read(ROLES, name, member);
  // A section wins over the top.
  for (const role of sections) {
    for (const [name, member] of membersOf(file, top.get(role)!.value, `the section ${quoted(role)}`)) {
      read([role], name, member);
    }
  }
  return sources;
}

function readText(path: string, readFile: (path: string) => string): string {
  try {
    return readFile(path).replace(/^\uFEFF/, "");
  } catch (error) {
    const reason = error instanceof Error ? error.message.replace(/\s+/g, " ") : String(error);
    throw new UsageError(`${path}: cannot read the --config file: ${reason}`);
  }
}

function parsed({ path, text }: ConfigFile): ValueNode {
  try {
    return parse(text, { mode: "jsonc", ranges: true }).body;
  } catch (error) {
    // Also a RangeError: the parser calls itself at each level, and runs out of stack in a file of brackets.
    if (!(error instanceof Error)) throw error;
    const { line, column, offset } = error as Partial<Location>;
    const message = error instanceof RangeError ? "it is nested too deeply" : error.message;
    const reason = message.replace(/\.? \([0-9]+:[0-9]+\)$/, "").replace(/\.$/, "")
      // The parser names the signs of JSON by words.
      .replace(/token (?:[LR]Brace|[LR]Bracket|Comma|Colon)/, `"${text[offset ?? 0]}"`);
    throw new UsageError(`${path}${line ? `:${line}:${column}` : ""}: the file is not JSON: ${reason}`);
  }
}

function membersOf(file: ConfigFile, node: ValueNode, what = "a configuration"): Map<string, MemberNode> {
  if (node.type !== "Object") {
    throw problem(file, node, `${what} is an object, such as {"name": "The Pub"}`);
  }
  const members = new Map<string, MemberNode>();
  for (const member of node.members) {
    const name = member.name.type === "String" ? member.name.value : member.name.name;
    const other = members.get(name)?.loc.start.line;
    if (other) {
      throw problem(file, member, `${quoted(name)} is given twice, also in line ${other}; once is allowed`);
    }
    members.set(name, member);
  }
  return members;
}

/** The values as texts of the command line. */
function textsOf(file: ConfigFile, flag: AnyFlag, name: string, value: ValueNode): string[] {
  const isList = flag.repeatable && value.type === "Array" && value.elements.length > 0;
  return (isList ? value.elements.map((element) => element.value) : [value]).map((one) => {
    // A number as it is written in the file: 1e3 is not a port on the command line either.
    const text = one.type === "String" ? one.value : SHOWN[one.type] ?? file.text.slice(...one.range!);
    if (!(one.type in SHOWN) && flag.read(text) !== undefined) return text;
    throw problem(file, one, wrongValue(flag, name, one.type === "String" ? quoted(text) : text).message);
  });
}

function unknownFlag(file: ConfigFile, roles: readonly Role[], name: string, member: MemberNode): UsageError {
  const isTop = roles === ROLES;
  const known = [...isTop ? roles : [], ...roles.flatMap((role) => [...FLAGS[role].keys()])];
  const where = isTop ? "" : ` in the section ${quoted(roles.join())}`;
  const what = `${place(file, member)}: there is no ${quoted(name)}${where}`;
  return unknownWord(what, name, known, `allowed: the flags in chatter help ${roles.join(" or ")}`);
}

function problem(file: ConfigFile, node: ValueNode | MemberNode, what: string): UsageError {
  return new UsageError(`${place(file, node)}: ${what}`);
}

function place({ path }: ConfigFile, { loc: { start } }: ValueNode | MemberNode): string {
  return `${path}:${start.line}:${start.column}`;
}

function flagsOf(role: Role): ReadonlyMap<string, [key: string, flag: AnyFlag]> {
  const { config: _, ...flags } = COMMANDS[role].flags;
  return new Map(Object.entries<AnyFlag>(flags).map(([key, flag]) => [flagName(key).slice(2), [key, flag]]));
}

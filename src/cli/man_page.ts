/**
 * The manual page chatter(1) in roff, by the macros of man(7); its commands, flags and defaults come from the table of
 * commands, as those of the help do.
 *
 * Pure, and loaded for `chatter man` alone.
 *
 * @module
 */
import {
  type Command,
  COMMAND_NAMES,
  COMMANDS,
  flagName,
  ROLES,
  SYNTAXES,
  variableName,
} from "./commands.ts";
import type { AnyFlag, FlagTable } from "./flag.ts";
import { factsOf, wrapped } from "./help_text.ts";

/** The page for the program of this version, dated by `nowMs`; it ends in a line break. */
export function manPage(version: string, nowMs: number): string {
  const date = new Date(nowMs).toISOString().slice(0, 10);
  return [
    `.TH CHATTER 1 ${date} ${quoted(`chatter ${version}`)} "User Commands"`,
    ".SH NAME",
    "chatter \\- a chat server, a listing of chat servers, and clients of both",
    ".SH SYNOPSIS",
    COMMAND_NAMES.map((name) => synopsis(name, COMMANDS[name])).join("\n.br\n"),
    ".SH DESCRIPTION",
    text(
      "A chat server is one room, which people enter by the protocol c2 over WebSocket, with a page for browsers.",
    ),
    text("It registers with listings, where people find it."),
    ".PP",
    text(`Without a command the one that CHATTER_ROLE names is run: ${ROLES.join(" or ")}.`),
    ".SH COMMANDS",
    ...COMMAND_NAMES.map((name) => commandPart(name, COMMANDS[name])),
    ".SH OPTIONS",
    tagged(`${bold("-h")}, ${bold("--help")}`, "What can be given; after a command, its flags."),
    tagged(`${bold("-V")}, ${bold("--version")}`, "The version, the commit, the Deno and the platform."),
    ".SH ENVIRONMENT",
    text(
      "Each flag is a variable too, in capitals with CHATTER_ before it: --max-users is CHATTER_MAX_USERS.",
    ),
    text(
      "A flag wins over a variable, and a variable over the file of --config. Those that are called otherwise:",
    ),
    ...oddVariables().map(([variable, flags]) => tagged(bold(variable), `${flags}.`)),
    tagged(bold("CHATTER_ROLE"), "The command where none is given."),
    ".SH FILES",
    tagged(
      italic("$XDG_DATA_HOME/chatter/"),
      "chat.db and listing.db, where --kv names no other place. Without the variable it is ~/.local/share/chatter, " +
        "on macOS ~/Library/Application Support/chatter, on Windows %LOCALAPPDATA%\\chatter.",
    ),
    ".SH EXIT STATUS",
    tagged(bold("0"), "It did what it was asked, or was stopped by SIGINT or SIGTERM."),
    tagged(bold("1"), "It cannot run, or a server refused; one line on stderr says why."),
    tagged(bold("2"), "The command line is wrong."),
    ".SH EXAMPLES",
    text("A listing and a chat server that registers with it, on this machine:"),
    ".PP\n.nf\nchatter listing &\nchatter chat\n.fi\n",
  ].join("\n");
}

function synopsis(name: string, { actions, perRole, operand, flags }: Command): string {
  const words = [
    actions && italic("action"),
    perRole && ROLES.map(bold).join(" | "),
    operand && operandWord(operand),
    Object.keys(flags).length > 0 && `[${italic("flags")}]`,
  ];
  return [bold("chatter"), bold(name), ...words.filter((word) => word)].join(" ");
}

function commandPart(name: string, { description, details, operand, flags, actions = {} }: Command): string {
  return [
    `.SS ${quoted(`chatter ${name}`)}`,
    text(`${sentence(description)} ${details}`),
    ...(operand === undefined ? [] : [tagged(operandWord(operand), ...factsOf(operand).map(sentence))]),
    ...Object.entries(actions).flatMap(([word, { description, operand, flags }]) => [
      tagged(bold(word) + (operand === undefined ? "" : ` ${operandWord(operand)}`), sentence(description)),
      ...(flags === undefined ? [] : [".RS", ...flagParts(flags), ".RE"]),
    ]),
    ...flagParts(flags),
  ].join("\n");
}

function flagParts(flags: FlagTable): string[] {
  return Object.entries(flags).map(([key, flag]) => {
    const value = flag.placeholder === undefined ? "" : ` ${italic(flag.placeholder)}`;
    return tagged(bold(flagName(key)) + value, ...factsOf(flag).map(sentence));
  });
}

/** Variables that are not made of their flag's name, each with the flags that it stands for. */
function oddVariables(): [variable: string, flags: string][] {
  const found = SYNTAXES.flatMap(({ command, flags }) =>
    Object.entries(flags).filter(([key, { variable }]) =>
      variable !== undefined && variable !== variableName(key)
    )
      .map(([key, { variable }]) => [variable!, `chatter ${command} ${flagName(key)}`] as const)
  );
  const byVariable = Map.groupBy(found, ([variable]) => variable);
  return [...byVariable].map(([name, all]) => [name, [...new Set(all.map(([, flag]) => flag))].join(", ")]);
}

function operandWord({ placeholder = "", required }: AnyFlag): string {
  return required ? italic(placeholder) : `[${italic(placeholder)}]`;
}

/** Paragraphs with what they are about at their margin. */
function tagged(tag: string, ...paragraphs: readonly string[]): string {
  return [".TP", tag, ...paragraphs.map(text)].join("\n");
}

function sentence(words: string): string {
  return words.charAt(0).toUpperCase() + words.slice(1) + (/[.:!?]$/.test(words) ? "" : ".");
}

function bold(words: string): string {
  return `\\fB${escaped(words)}\\fR`;
}

function italic(words: string): string {
  return `\\fI${escaped(words)}\\fR`;
}

/** An argument of a macro, blanks and all. */
function quoted(words: string): string {
  return `"${escaped(words).replaceAll('"', "\\(dq")}"`;
}

/** Lines of text, each sentence on lines of its own, as roff wants it to set the blanks between them. */
function text(words: string): string {
  return words.split(/(?<=[.:!?]) (?=[A-Z])/).flatMap((sentence) => wrapped(escaped(sentence), 0))
    .map((line) => /^[.']/.test(line) ? `\\&${line}` : line).join("\n");
}

/** Without what roff would take for a command or for a hyphen that it may set otherwise. */
function escaped(words: string): string {
  const signs: { readonly [sign: string]: string } = { "\\": "\\e", "-": "\\-", "~": "\\(ti", "'": "\\(aq" };
  return words.replaceAll(/[\\\-~']/g, (sign) => signs[sign]!);
}

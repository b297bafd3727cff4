/**
 * The manual page chatter(1) in roff, with the macros of man(7), made from the table of commands.
 *
 * Pure. Loaded for `chatter man` alone.
 *
 * @module
 */
import {
  type Command,
  COMMAND_NAMES,
  type CommandName,
  COMMANDS,
  ROLES,
  typedFlag,
  usageOf,
} from "./commands.ts";
import type { AnyFlag, FlagTable } from "./flag.ts";
import { factsOf, wrapped } from "./help_text.ts";

/** The page for the program of this version, dated by `nowMs`; it ends in a line break. */
export function manPage(version: string, nowMs: number): string {
  const date = new Date(nowMs).toISOString().slice(0, 10);
  return [
    `.TH CHATTER 1 ${date} ${quoted(`chatter ${version}`)} "User Commands"`,
    ".SH NAME",
    "chatter \\- a chat server, a listing of chat servers, and their clients",
    ".SH SYNOPSIS",
    COMMAND_NAMES.map(synopsis).join("\n.br\n"),
    ".SH DESCRIPTION",
    text(
      "A chat server is one room. Clients connect to it by the c2 protocol over WebSocket, browsers by its page.",
    ),
    text("A chat server registers with listings, where users find it."),
    ".PP",
    text(`Without a command, chatter runs the one named by CHATTER_ROLE: ${ROLES.join(" or ")}.`),
    ".SH COMMANDS",
    ...COMMAND_NAMES.map((name) => commandPart(name, COMMANDS[name])),
    ".SH OPTIONS",
    tagged(`${bold("-h")}, ${bold("--help")}`, "Show help; after a command, its flags."),
    tagged(
      `${bold("-V")}, ${bold("--version")}`,
      "Show the version, the commit, the version of Deno and the platform.",
    ),
    ".SH ENVIRONMENT",
    text(
      "Each flag is also a variable: CHATTER_MAX_USERS sets --max-users, unless its text names another. " +
        "A flag overrides its variable, and a variable overrides the --config file.",
    ),
    tagged(bold("CHATTER_ROLE"), "The command to run if none is given."),
    ".SH FILES",
    tagged(
      italic("$XDG_DATA_HOME/chatter/"),
      "Holds chat.db and listing.db, unless --kv names another place. Without the variable, the folder is " +
        "~/.local/share/chatter; on macOS ~/Library/Application Support/chatter; on Windows %LOCALAPPDATA%\\chatter.",
    ),
    ".SH EXIT STATUS",
    tagged(bold("0"), "The command succeeded, or SIGINT or SIGTERM stopped the server."),
    tagged(bold("1"), "The command cannot run, or a server refused. One line on stderr gives the reason."),
    tagged(bold("2"), "The command line, a variable or the --config file is wrong."),
    ".SH EXAMPLES",
    text("A listing and a chat server that registers with it:"),
    ".PP\n.nf\nchatter listing &\nchatter chat\n.fi\n",
  ].join("\n");
}

function synopsis(name: CommandName): string {
  const [program = "", command = "", ...words] = usageOf(name).split(" ");
  return [bold(program), bold(command), ...words.map(italic)].join(" ");
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
    const [name, placeholder] = typedFlag(key, flag);
    const value = placeholder === undefined ? "" : ` ${italic(placeholder)}`;
    return tagged(bold(name) + value, ...factsOf(flag).map(sentence));
  });
}

function operandWord({ placeholder = "", required }: AnyFlag): string {
  return required ? italic(placeholder) : `[${italic(placeholder)}]`;
}

/** Indented paragraphs with a tag at the margin. */
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

/** An argument of a macro, which may have spaces. */
function quoted(words: string): string {
  return `"${escaped(words).replaceAll('"', "\\(dq")}"`;
}

/** Lines of text. Each sentence begins a line, so that roff sets the space between sentences. */
function text(words: string): string {
  return words.split(/(?<=[.:!?]) (?=[A-Z])/).flatMap((sentence) => wrapped(escaped(sentence), 0))
    .map((line) => /^[.']/.test(line) ? `\\&${line}` : line).join("\n");
}

/** Escapes the signs that roff would interpret, or would set as other signs. */
function escaped(words: string): string {
  const signs: { readonly [sign: string]: string } = { "\\": "\\e", "-": "\\-", "~": "\\(ti", "'": "\\(aq" };
  return words.replaceAll(/[\\\-~']/g, (sign) => signs[sign]!);
}

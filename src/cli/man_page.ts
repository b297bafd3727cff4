/**
 * The manual page chatter(1) in roff, by the macros of man(7); its commands, flags and defaults come from the table in
 * flags.ts, as those of the help do.
 *
 * Pure, and loaded for `chatter man` alone.
 *
 * @module
 */
import type { Action } from "./admin_flags.ts";
import { ANY_TEXT, type Flag, type FlagTable } from "./flag.ts";
import { type Command, COMMAND_NAMES, COMMANDS, flagName, ROLE_NAMES, variableName } from "./commands.ts";
import { wrapped } from "./help_text.ts";

/** The page for the program of this version, dated by `nowMs`; it ends in a line break. */
export function manPage(version: string, nowMs: number): string {
  const date = new Date(nowMs).toISOString().slice(0, 10);
  return [
    `.TH CHATTER 1 ${date} ${quoted(`chatter ${version}`)} "User Commands"`,
    ".SH NAME",
    "chatter \\- a chat server, a listing of chat servers, and clients of both",
    ".SH SYNOPSIS",
    ...COMMAND_NAMES.flatMap((name, i) => [...(i === 0 ? [] : [".br"]), synopsis(name, COMMANDS[name])]),
    ".SH DESCRIPTION",
    text(
      "A chat server is one room, which people enter by the protocol c2 over WebSocket, with a page for " +
        "browsers. It registers with listings, where people find it.",
    ),
    ".PP",
    text(`Without a command the one that CHATTER_ROLE names is run: ${ROLE_NAMES.join(" or ")}.`),
    ".SH COMMANDS",
    ...COMMAND_NAMES.flatMap((name) => commandPart(name, COMMANDS[name])),
    ".SH OPTIONS",
    ...tagged([bold("-h"), bold("--help")], [text("What can be given; after a command, its flags.")]),
    ...tagged([bold("-V"), bold("--version")], [text("The version, the commit, the Deno and the platform.")]),
    ".SH ENVIRONMENT",
    text(
      "Each flag is a variable too, in capitals with CHATTER_ before it: --max-users is CHATTER_MAX_USERS. " +
        "A flag wins over a variable, and a variable over the file of --config. Those that are called otherwise:",
    ),
    ...oddVariables().flatMap(([variable, flag]) => tagged([bold(variable)], [text(flag)])),
    ...tagged([bold("CHATTER_ROLE")], [text("The command where none is given.")]),
    ".SH FILES",
    ...tagged(
      [italic("$XDG_DATA_HOME/chatter/")],
      [text(
        "chat.db and listing.db, where --kv names no other place. Without the variable it is " +
          "~/.local/share/chatter, on macOS ~/Library/Application Support/chatter, on Windows " +
          "%LOCALAPPDATA%\\chatter.",
      )],
    ),
    ".SH EXIT STATUS",
    ...tagged([bold("0")], [text("It did what it was asked, or was stopped by SIGINT or SIGTERM.")]),
    ...tagged([bold("1")], [text("It cannot run, or a server refused; one line on stderr says why.")]),
    ...tagged([bold("2")], [text("The command line is wrong.")]),
    ".SH EXAMPLES",
    text("A listing and a chat server that registers with it, on this machine:"),
    ".PP",
    ".nf",
    text("chatter listing &"),
    text("chatter chat"),
    ".fi",
    "",
  ].filter((line, i, lines) => line !== "" || i === lines.length - 1).join("\n");
}

function synopsis(name: string, { actions, isOfRoles, operand, flags }: Command): string {
  return [
    `${bold("chatter")} ${bold(name)}`,
    ...(actions === undefined ? [] : [italic("action")]),
    ...(isOfRoles ? [ROLE_NAMES.map(bold).join(" | ")] : []),
    ...(operand === undefined ? [] : [operandWord(operand)]),
    ...(Object.keys(flags).length === 0 ? [] : [`[${italic("flags")}]`]),
  ].join(" ");
}

function commandPart(name: string, command: Command): string[] {
  const { about, details, operand, flags, actions = {} } = command;
  return [
    `.SS ${quoted(`chatter ${name}`)}`,
    text(`${sentence(about)} ${details}`),
    ...(operand === undefined ? [] : tagged([operandWord(operand)], aboutLines(operand))),
    ...Object.entries<Action>(actions).flatMap(([word, action]) => [
      ...tagged(
        [[bold(word), ...(action.operand === undefined ? [] : [operandWord(action.operand)])].join(" ")],
        [text(sentence(action.about))],
      ),
      ...(Object.keys(action.flags).length === 0 ? [] : [".RS", ...flagParts(action.flags), ".RE"]),
    ]),
    ...flagParts(flags),
  ];
}

function flagParts(flags: FlagTable): string[] {
  return Object.entries(flags).flatMap(([key, flag]) => {
    const value = flag.placeholder === undefined ? [] : [italic(flag.placeholder)];
    return tagged([[bold(flagName(key)), ...value].join(" ")], aboutLines(flag));
  });
}

/** What it is for, its default and what is allowed, as in its help. */
function aboutLines(flag: Flag<unknown>): string[] {
  return [
    text(sentence(flag.about)),
    ...(flag.otherwiseShown === undefined ? [] : [text(`Default: ${flag.otherwiseShown}.`)]),
    ...(flag.placeholder === undefined || flag.allowed === ANY_TEXT
      ? []
      : [text(`Allowed: ${flag.allowed}.`)]),
  ];
}

/** Variables that are not made of their flag's name, each with the flags that it stands for. */
function oddVariables(): [variable: string, flags: string][] {
  const flagsOf = new Map<string, Set<string>>();
  for (const name of COMMAND_NAMES) {
    const { flags, actions = {} }: Command = COMMANDS[name];
    const tables = [
      [name, flags],
      ...Object.entries(actions).map(([word, { flags }]) => [`${name} ${word}`, flags]),
    ];
    for (const [title, table] of tables as [string, FlagTable][]) {
      for (const [key, { variable }] of Object.entries(table)) {
        if (variable === undefined || variable === variableName(key)) continue;
        flagsOf.set(variable, (flagsOf.get(variable) ?? new Set()).add(`chatter ${title} ${flagName(key)}`));
      }
    }
  }
  return [...flagsOf].map(([variable, flags]) => [variable, `${[...flags].join(", ")}.`]);
}

function operandWord({ placeholder = "", required }: Flag<unknown>): string {
  return required ? italic(placeholder) : `[${italic(placeholder)}]`;
}

/** A paragraph with what it is about at its margin. */
function tagged(tags: readonly string[], body: readonly string[]): string[] {
  return [".TP", tags.join(", "), ...body];
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
  return words.replaceAll("\\", "\\e").replaceAll("-", "\\-").replaceAll("~", "\\(ti").replaceAll(
    "'",
    "\\(aq",
  );
}

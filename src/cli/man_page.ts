/**
 * The manual page chatter(1) in roff, with the macros of man(7), made from the entries of help.
 *
 * Pure. Loaded for `chatter man` alone.
 *
 * @module
 */
import { COMMAND_NAMES, COMMANDS, ROLES, usageOf } from "./commands.ts";
import { entriesOf, type Entry, VARIABLES, wrapped } from "./help_text.ts";

/** The page for the program of this version, dated by `nowMs`; it ends in a line break. */
export function manPage(version: string, nowMs: number): string {
  const date = new Date(nowMs).toISOString().slice(0, 10);
  return [
    `.TH CHATTER 1 ${date} "${escaped(`chatter ${version}`)}" "User Commands"`,
    ".SH NAME",
    "chatter \\- a chat server, a listing of chat servers, and their clients",
    ".SH SYNOPSIS",
    COMMAND_NAMES.map((name) => styled(usageOf(name))).join("\n.br\n"),
    ".SH DESCRIPTION",
    text(
      "A chat server is one room. Clients connect to it by the c2 protocol over WebSocket, browsers by its page. " +
        "A chat server registers with listings, where users find it.",
    ),
    ".PP",
    text(`Without a command, chatter runs the one named by CHATTER_ROLE: ${ROLES.join(" or ")}.`),
    ".SH COMMANDS",
    ...COMMAND_NAMES.flatMap((name) => [
      `.SS "chatter ${name}"`,
      text(`${sentence(COMMANDS[name].description)} ${COMMANDS[name].details}`),
      ...entriesOf(name).flatMap(([, entries]) => entries.flatMap(tagged)),
    ]),
    ".SH OPTIONS",
    ...tagged({ typed: "-h, --help", facts: ["show help; after a command, its flags"] }),
    ...tagged({ typed: "-V, --version", facts: ["show the version, the commit, and the version of Deno"] }),
    ".SH ENVIRONMENT",
    text(VARIABLES),
    ...tagged({ typed: "CHATTER_ROLE", facts: ["the command to run if none is given"] }),
    ".SH FILES",
    ...tagged({
      typed: "$XDG_DATA_HOME/chatter/",
      facts: [
        "Holds chat.db and listing.db, unless --kv names another place. Without the variable, the folder is " +
        "~/.local/share/chatter; on macOS ~/Library/Application Support/chatter; on Windows %LOCALAPPDATA%\\chatter.",
      ],
    }),
    ".SH EXIT STATUS",
    ...tagged({ typed: "0", facts: ["The command succeeded, or SIGINT or SIGTERM stopped the server."] }),
    ...tagged({
      typed: "1",
      facts: ["The command cannot run, or a server refused. One line on stderr gives the reason."],
    }),
    ...tagged({ typed: "2", facts: ["The command line, a variable or the --config file is wrong."] }),
    ".SH EXAMPLES",
    text("A listing and a chat server that registers with it:"),
    ".PP\n.nf\nchatter listing &\nchatter chat\n.fi\n",
  ].join("\n");
}

/** Indented paragraphs with what is typed at the margin. */
function tagged({ typed, facts, entries = [] }: Entry): string[] {
  const inner = entries.length === 0 ? [] : [".RS", ...entries.flatMap(tagged), ".RE"];
  return [".TP", styled(typed), ...facts.map((fact) => text(sentence(fact))), ...inner];
}

function sentence(words: string): string {
  return words.charAt(0).toUpperCase() + words.slice(1) + (/[.:!?]$/.test(words) ? "" : ".");
}

/** What is typed in bold, the words for values in italics. */
function styled(typed: string): string {
  return typed.split(" ").map((word) =>
    `\\f${/^(?:[[<].*|[A-Z]+)$/.test(word) ? "I" : "B"}${escaped(word)}\\fR`
  )
    .join(" ");
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

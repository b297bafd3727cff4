/**
 * Parses a typed line as a message or a slash command, and completes it. Pure; person_client.ts carries commands out.
 *
 * @module
 */
import { closestString } from "@std/text/closest-string";
import { readUsername } from "../../src/cli/commands.ts";
import type { Completion } from "./line_editor.ts";

/** Messages that /history shows by default and at most, PROTOCOL.md §5.4. */
export const HISTORY_DEFAULT = 20;
export const HISTORY_MAX = 200;

export type Command =
  | { readonly kind: "say"; readonly text: string }
  | { readonly kind: "nick"; readonly name: string }
  /** The last own message but `back`; without a text it is copied into the line. */
  | { readonly kind: "edit"; readonly back: number; readonly text: string | undefined }
  | { readonly kind: "delete"; readonly back: number }
  | { readonly kind: "history"; readonly count: number }
  | { readonly kind: "users" | "help" | "quit" | "resend" | "discard" | "nothing" }
  | { readonly kind: "problem"; readonly text: string };

interface Described {
  readonly operand: string;
  readonly about: string;
}

const COMMANDS = {
  nick: { operand: " NAME", about: "change your name" },
  users: { operand: "", about: "show who is here" },
  edit: { operand: " [TEXT]", about: "edit your last message; without TEXT, it appears in the line" },
  delete: { operand: " [N]", about: "delete your last message, or the Nth last one" },
  history: { operand: " [N]", about: "show older messages" },
  resend: { operand: "", about: "send the messages again that may not have arrived" },
  discard: { operand: "", about: "drop the messages that may not have arrived" },
  help: { operand: "", about: "show this text" },
  quit: { operand: "", about: "leave" },
} as const satisfies { readonly [word: string]: Described };
type Word = keyof typeof COMMANDS;
const WORDS = Object.keys(COMMANDS) as Word[];

export const HELP: readonly string[] = [
  ...WORDS.map((word) => `/${word}${COMMANDS[word].operand}`.padEnd(16) + COMMANDS[word].about),
  "A line that begins with // is sent with one slash. Tab completes names and commands, Alt-Enter breaks the line,",
  "Up and Down bring back sent lines, Ctrl-L draws the screen again, Ctrl-C or Ctrl-D on an empty line leaves.",
];

export function readCommand(line: string): Command {
  if (line.trim() === "") return { kind: "nothing" };
  if (!line.startsWith("/") || line.startsWith("//")) {
    return { kind: "say", text: line.startsWith("//") ? line.slice(1) : line };
  }
  const [, word = "", rest = ""] = /^\/(\S*)\s*([\s\S]*)$/.exec(line) ?? [];
  const operand = rest.trim();
  if (!isWord(word)) {
    const meant = WORDS.find((known) => word !== "" && known.startsWith(word)) ?? closestString(word, WORDS);
    return problem(`There is no /${word}; did you mean /${meant}? /help lists all, // sends a slash`);
  }
  switch (word) {
    case "nick": {
      const name = readUsername(operand);
      return name === undefined
        ? problem("A name is 1 to 32 letters, numbers, emoji, _ - . and single inner spaces: /nick NAME")
        : { kind: "nick", name };
    }
    case "edit":
      if (operand === "") return { kind: "edit", back: 0, text: undefined };
      return { kind: "edit", back: 0, text: rest };
    case "delete": {
      const back = readNumber(operand, 1, 100);
      return back === undefined
        ? problem("/delete takes a number from 1 to 100")
        : { kind: "delete", back: back - 1 };
    }
    case "history": {
      const count = readNumber(operand, HISTORY_DEFAULT, HISTORY_MAX);
      return count === undefined
        ? problem(`/history takes a number from 1 to ${HISTORY_MAX}`)
        : { kind: "history", count };
    }
    default:
      return operand === "" ? { kind: word } : problem(`/${word} takes nothing after it`);
  }
}

/** Completes a command at the line's start, else a name. */
export function completionOf(before: string, names: readonly string[]): Completion | undefined {
  if (/^\/[a-z]*$/.test(before)) {
    const words = WORDS.filter((word) => word.startsWith(before.slice(1)));
    return words.length === 0 ? undefined : { from: 0, options: words.map((word) => `/${word} `) };
  }
  // Names may contain spaces: the longest run of words that begins a name counts.
  for (const { index } of before.matchAll(/(?<=^|\s)\S/gu)) {
    const begun = fold(before.slice(index));
    const found = names.filter((name) => fold(name).startsWith(begun));
    if (found.length > 0) {
      return {
        from: index,
        options: found.map((name) => name + (index === 0 ? ": " : " ")),
      };
    }
  }
  return undefined;
}

function fold(text: string): string {
  return text.normalize("NFKC").toLowerCase();
}

function readNumber(text: string, otherwise: number, max: number): number | undefined {
  if (text === "") return otherwise;
  const number = /^[0-9]{1,4}$/.test(text) ? Number(text) : 0;
  return number >= 1 && number <= max ? number : undefined;
}

function isWord(text: string): text is Word {
  return Object.hasOwn(COMMANDS, text);
}

function problem(text: string): Command {
  return { kind: "problem", text };
}

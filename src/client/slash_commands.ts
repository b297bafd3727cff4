/**
 * Reads a typed line as a message or a slash command, for the page and the terminal. Pure; its callers carry commands
 * out.
 *
 * @module
 */
/** Messages that /history shows by default and at most, PROTOCOL.md §5.4. */
export const HISTORY_DEFAULT = 20;
export const HISTORY_MAX = 200;
/** Why /edit and /delete do nothing while a draft is shown: an older message would be changed. */
export const NOT_SENT_YET = "Your last message is not sent yet";

export type SlashCommand =
  | { readonly kind: "say"; readonly text: string }
  | { readonly kind: "nick"; readonly name: string }
  /** The last own message but `back`; without a text it is copied into the line. */
  | { readonly kind: "edit"; readonly back: number; readonly text: string | undefined }
  | { readonly kind: "delete"; readonly back: number }
  | { readonly kind: "history"; readonly count: number }
  /** Answers the last message of another user, or of the one whom the text mentions at its beginning. */
  | { readonly kind: "reply"; readonly text: string }
  | { readonly kind: "bell"; readonly isOn: boolean }
  /** Without words the last search goes on. */
  | { readonly kind: "search"; readonly words: string }
  | { readonly kind: "users" | "help" | "quit" | "resend" | "discard" | "nothing" }
  | { readonly kind: "unknown"; readonly word: string }
  | { readonly kind: "problem"; readonly text: string };

const COMMANDS = {
  nick: { operand: " NAME", description: "change your name" },
  users: { operand: "", description: "show who is here" },
  me: { operand: " TEXT", description: "say what you do: alice waves" },
  reply: { operand: " [@NAME] TEXT", description: "answer the last message of NAME, or of anyone else" },
  edit: { operand: " [TEXT]", description: "replace your last message with TEXT; without TEXT, edit it" },
  delete: { operand: " [N]", description: "delete your last message, or the Nth last one" },
  history: { operand: " [N]", description: "show older messages" },
  search: { operand: " [WORDS]", description: "find messages; without WORDS, search on" },
  bell: { operand: " on|off", description: "ring at mentions and answers, or not" },
  resend: { operand: "", description: "send the messages again that may not have arrived" },
  discard: { operand: "", description: "drop the messages that may not have arrived" },
  help: { operand: "", description: "show this text" },
  quit: { operand: "", description: "leave" },
} as const satisfies { readonly [word: string]: { readonly operand: string; readonly description: string } };
type Word = keyof typeof COMMANDS;
export const WORDS = Object.keys(COMMANDS) as readonly Word[];

/** Each command as it is typed, and what it does. */
export const HELP: readonly { readonly usage: string; readonly description: string }[] = WORDS.map((word) => {
  return { usage: `/${word}${COMMANDS[word].operand}`, description: COMMANDS[word].description };
});

/** A name in /nick and a word that is no command are left to the caller to judge. */
export function readCommand(line: string): SlashCommand {
  if (line.trim() === "") return { kind: "nothing" };
  if (!line.startsWith("/") || line.startsWith("//")) {
    return { kind: "say", text: line.startsWith("//") ? line.slice(1) : line };
  }
  const [, word = "", rest = ""] = /^\/(\S*)\s*([\s\S]*)$/.exec(line) ?? [];
  const operand = rest.trim();
  if (!isWord(word)) return { kind: "unknown", word };
  switch (word) {
    case "nick":
      return { kind: "nick", name: operand };
    case "me":
      return operand === "" ? problem("/me takes what you do") : { kind: "say", text: `/me ${operand}` };
    case "reply":
      return operand === "" ? problem("/reply takes your answer") : { kind: "reply", text: operand };
    case "bell":
      return operand === "on" || operand === "off"
        ? { kind: "bell", isOn: operand === "on" }
        : problem("/bell takes on or off");
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
    case "search":
      return { kind: "search", words: operand };
    default:
      return operand === "" ? { kind: word } : problem(`/${word} takes nothing after it`);
  }
}

function readNumber(text: string, otherwise: number, max: number): number | undefined {
  if (text === "") return otherwise;
  const number = /^[0-9]{1,4}$/.test(text) ? Number(text) : 0;
  return number >= 1 && number <= max ? number : undefined;
}

function isWord(text: string): text is Word {
  return Object.hasOwn(COMMANDS, text);
}

function problem(text: string): SlashCommand {
  return { kind: "problem", text };
}

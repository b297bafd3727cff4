/**
 * Carries out a line typed into the message field: a message, or a slash command as in the terminal. It draws nothing.
 *
 * @module
 */
import { HELP, NOT_SENT_YET, readCommand } from "../../../src/client/slash_commands.ts";
import { nameProblem } from "../people/name_check.ts";
import type { Word } from "../people/presence_notice.ts";

/** The actions of a room. Those that answer a boolean answer false if there is nothing to act on. */
export interface LineActions {
  readonly say: (text: string) => void;
  readonly rename: (username: string) => void;
  readonly showUsers: () => void;
  /** Whether a draft is shown below the messages. */
  readonly hasUnsent: () => boolean;
  /** Without a text, opens the last own message in place. */
  readonly editLast: (text: string | undefined) => boolean;
  readonly removeLast: (back: number) => boolean;
  readonly readOlder: (count: number) => boolean;
  /** Without words, shows the last search. */
  readonly search: (words: string) => void;
  readonly settleFailed: (isSent: boolean) => boolean;
  readonly note: (...words: readonly Word[]) => void;
  readonly leave: () => void;
}

/** Commands that only the terminal has, and what the page has instead. */
const INSTEAD: ReadonlyMap<string, string> = new Map([
  ["reply", "There is no /reply here. Point at a message, or hold it on a phone, and choose Reply."],
  ["bell", "There is no /bell here. The menu at your name has a switch: With a sound."],
]);

const wordOf = (line: string) => /^\/(\S+)/.exec(line)?.[1] ?? "";

/** Returns what is wrong with the line, as a text for the user; undefined if it was carried out. */
export function carryOut(line: string, actions: LineActions): string | undefined {
  const instead = INSTEAD.get(wordOf(line));
  if (instead !== undefined) return instead;
  const command = readCommand(line);
  switch (command.kind) {
    case "say":
      actions.say(command.text);
      return undefined;
    case "nick": {
      const problem = nameProblem(command.name);
      if (problem === undefined) actions.rename(command.name);
      return problem;
    }
    case "users":
      actions.showUsers();
      return undefined;
    case "edit":
      if (actions.hasUnsent()) return `${NOT_SENT_YET}.`;
      return actions.editLast(command.text) ? undefined : "You have no message to change.";
    case "delete":
      if (actions.hasUnsent()) return `${NOT_SENT_YET}.`;
      return actions.removeLast(command.back) ? undefined : "You have no message to delete.";
    case "history":
      return actions.readOlder(command.count) ? undefined : "There are no older messages.";
    case "search":
      actions.search(command.words);
      return undefined;
    case "resend":
    case "discard":
      return actions.settleFailed(command.kind === "resend")
        ? undefined
        : "There is no message to send again or to discard.";
    case "help":
      for (const { usage, description } of HELP.filter(({ usage }) => !INSTEAD.has(wordOf(usage)))) {
        actions.note({ name: usage }, `: ${description}`);
      }
      actions.note({ name: "//" }, ": send a line that begins with a slash");
      return undefined;
    case "quit":
      actions.leave();
      return undefined;
    case "nothing":
      return undefined;
    case "unknown":
      return `There is no /${command.word}. /help lists the commands; // sends a slash.`;
    case "problem":
      return command.text;
  }
}

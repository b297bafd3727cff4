/**
 * For what the user wants to be called back, and how. Pure; notifications.ts calls.
 *
 * @module
 */

import { readableText } from "../../../src/text/readable_text.ts";
import { answerIn } from "../../../src/text/reply.ts";

/** UTF-16 units of a text in a notification: no system shows more. */
const BODY_MAX = 300;

export const CALLED_FOR = ["mentions", "all", "nothing"] as const;
export type CalledFor = typeof CALLED_FOR[number];

export interface NotificationChoice {
  readonly calledFor: CalledFor;
  readonly hasSound: boolean;
  /** The user asked for notifications of the browser; whether it shows them is the browser's matter. */
  readonly hasNotifications: boolean;
}

/** Reads kept words; what they do not say is the default: a sound for mentions. */
export function parseChoice(kept: string): NotificationChoice {
  const words = kept.split(" ");
  return {
    calledFor: CALLED_FOR.find((what) => words.includes(what)) ?? "mentions",
    hasSound: !words.includes("silent"),
    hasNotifications: words.includes("notifications"),
  };
}

export function writeChoice({ calledFor, hasSound, hasNotifications }: NotificationChoice): string {
  return [calledFor, ...hasSound ? [] : ["silent"], ...hasNotifications ? ["notifications"] : []].join(" ");
}

/** Whether a message calls the user, who does not look at the page. */
export function isCalled({ calledFor }: NotificationChoice, isMention: boolean): boolean {
  return calledFor === "all" || (calledFor === "mentions" && isMention);
}

/** The words of one notification for messages that came together. */
export function notificationWords(
  messages: readonly { readonly username: string; readonly text: string; readonly isMention: boolean }[],
  room: string,
): { title: string; body: string } | undefined {
  // What is for the user counts more than what came later.
  const last = messages.findLast(({ isMention }) => isMention) ?? messages.at(-1);
  if (last === undefined) return undefined;
  const others = messages.length - 1;
  const more = others === 0 ? "" : `\n${others === 1 ? "1 more message" : `${others} more messages`}`;
  const verb = last.isMention ? " mentions you" : "";
  return {
    title: `${last.username}${verb} in ${room}`,
    body: readableText(answerIn(last.text)).slice(0, BODY_MAX) + more,
  };
}

/**
 * Where a message is in the conversation: whether it goes on with the group of the one before, and whether its day or
 * what is new begins with it. It draws nothing.
 *
 * @module
 */
import { isAction } from "../../../src/text/message_text.ts";
import { dayKey } from "../page/local_time.ts";
import type { Entry, MessageEntry, MessageLog } from "./message_log.ts";

/** Milliseconds after which a message of the same author shows the name again. */
const GROUP_MS = 300_000;
/** Messages before one whose group is looked for: an author who writes more at once has a name elsewhere. */
export const GROUP_MAX = 200;

export interface MessagePlace {
  readonly goesOn: boolean;
  readonly isNewDay: boolean;
  readonly isNewSince: boolean;
}

/** The messages after the id `newAfter` are new. Sets when the first message of the entry's group was received. */
export function placeOf(
  entry: MessageEntry,
  log: MessageLog,
  newAfter: string | undefined,
  isServer: (username: string) => boolean,
): MessagePlace {
  // Rows are made from the end on: the group of the first one depends on messages without a row.
  let first = entry.number;
  while (first > entry.number - GROUP_MAX && isOpen(log.at(first - 1), entry)) first--;
  for (; first < entry.number; first++) placeAfter(log.at(first) as MessageEntry, log, newAfter, isServer);
  return placeAfter(entry, log, newAfter, isServer);
}

/** Whether an entry may be of the same group, and it is not known when that began. */
function isOpen(before: Entry | undefined, { message }: MessageEntry): boolean {
  return before?.kind === "message" && before.groupMs === undefined &&
    before.message.username === message.username;
}

/** The place of an entry, where that of the one before is known. */
function placeAfter(
  entry: MessageEntry,
  log: MessageLog,
  newAfter: string | undefined,
  isServer: (username: string) => boolean,
): MessagePlace {
  const { username, uuid, text, receivedMs: ms } = entry.message;
  const before = log.at(entry.number - 1);
  let last = before;
  for (let n = entry.number - 2; last?.kind === "notice"; n--) last = log.at(n);
  const isNewDay = last?.kind !== "message" || dayKey(last.message.receivedMs) !== dayKey(ms);
  const isNewSince = newAfter !== undefined && uuid > newAfter &&
    (last?.kind === "message" ? last.message.uuid <= newAfter : log.isOldest);
  const groupMs = before?.kind === "message" ? before.groupMs ?? before.message.receivedMs : ms;
  const goesOn = !isNewDay && !isNewSince && before?.kind === "message" &&
    before.message.username === username && !isAction(text) && !isAction(before.message.text) &&
    !isServer(username) && Math.abs(ms - groupMs) < GROUP_MS;
  entry.groupMs = goesOn ? groupMs : ms;
  return { goesOn, isNewDay, isNewSince };
}

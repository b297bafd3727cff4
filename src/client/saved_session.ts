/**
 * What of a session outlives the program that runs it, as a tab that is loaded anew: taken out, and put back.
 *
 * Where it is kept is the program's: in a browser that is the tab's own storage.
 *
 * @module
 */
// @ts-check
import { request } from "./requests.js";

/**
 * @typedef {import("./session_events.js").SavedSession} SavedSession
 */

/**
 * @param {import("./conversation.js").Conversation} conversation
 * @param {import("./requests.js").Requests} requests
 * @param {{ token: string | undefined, position: number }} place
 * @returns {SavedSession}
 */
export function saveSession({ username, newest, own }, requests, { token, position }) {
  /** @type {SavedSession["drafts"]} */
  const drafts = [
    ...own.unsure.map((draft) => ({ ...draft, fate: /** @type {const} */ ("sent") })),
    ...own.offered.map((draft) => ({ ...draft, fate: /** @type {const} */ ("offered") })),
    ...requests.sends.map(({ asked: { nonce, text, timestamp }, tries }) => {
      const fate = tries > 0 ? /** @type {const} */ ("sent") : /** @type {const} */ ("waiting");
      return { nonce, text, timestamp, fate };
    }),
  ];
  return { username, token, position, newest, own: own.saved, drafts };
}

/** Has the texts sent that were not acknowledged. @param {SavedSession} saved @param {import("./requests.js").Requests} requests */
export function restoreDrafts({ drafts, username }, requests) {
  for (const { nonce, text, timestamp, fate } of drafts) {
    if (fate === "offered") continue;
    const more = { tries: fate === "sent" ? 1 : 0, sentAs: username };
    requests.add(request({ kind: "send", nonce, text, timestamp }, more));
  }
}

/**
 * Reads what was saved as JSON; undefined where it is not that.
 *
 * @param {string | null | undefined} json
 * @returns {SavedSession | undefined}
 */
export function parseSavedSession(json) {
  try {
    const saved = JSON.parse(json ?? "");
    const { username, position, newest, own, drafts } = saved;
    const isRight = typeof username === "string" && Number.isSafeInteger(position) &&
      typeof newest === "string" &&
      Array.isArray(own) && Array.isArray(drafts);
    return isRight ? saved : undefined;
  } catch {
    return undefined;
  }
}

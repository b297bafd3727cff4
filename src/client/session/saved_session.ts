/**
 * Saves and restores the part of a session that outlives its program, for example when a tab reloads. The program
 * chooses where to keep it.
 *
 * @module
 */
import type { Conversation } from "./conversation.ts";
import type { SavedSession } from "./session_events.ts";
import { request, type Requests } from "./requests.ts";

export function saveSession(
  { username, newest, own }: Conversation,
  requests: Requests,
  { token, position }: { token: string | undefined; position: number },
): SavedSession {
  const drafts: SavedSession["drafts"] = [
    ...own.unsure.map((draft) => ({ ...draft, fate: "sent" as const })),
    ...own.offered.map((draft) => ({ ...draft, fate: "offered" as const })),
    ...requests.sends.map(({ asked: { nonce, text, timestamp }, tries }) => {
      const fate = tries > 0 ? "sent" as const : "waiting" as const;
      return { nonce, text, timestamp, fate };
    }),
  ];
  return { username, token, position, newest, own: own.saved, drafts };
}

export function restoreDrafts({ drafts, username }: SavedSession, requests: Requests): void {
  for (const { nonce, text, timestamp, fate } of drafts) {
    if (fate === "offered") continue;
    const more = { tries: fate === "sent" ? 1 : 0, sentAs: username };
    requests.add(request({ kind: "send", nonce, text, timestamp }, more));
  }
}

/** Reads a saved session from parsed JSON; undefined if it is none. */
export function readSavedSession(saved: unknown): SavedSession | undefined {
  const { username, position, newest, own, drafts } = fieldsOf(saved);
  const isRight = typeof username === "string" && Number.isSafeInteger(position) &&
    typeof newest === "string" &&
    Array.isArray(own) && own.every((uuid) => typeof uuid === "string") &&
    Array.isArray(drafts) && drafts.every(isSavedDraft);
  return isRight ? saved as SavedSession : undefined;
}

function isSavedDraft(draft: unknown): boolean {
  const { nonce, text, timestamp, fate } = fieldsOf(draft);
  return typeof nonce === "string" && typeof text === "string" && Number.isSafeInteger(timestamp) &&
    (fate === "waiting" || fate === "sent" || fate === "offered");
}

function fieldsOf(value: unknown): Record<string, unknown> {
  return typeof value === "object" && value !== null ? { ...value } : {};
}

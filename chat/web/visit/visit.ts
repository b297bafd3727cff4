/**
 * What a browser keeps of a visit to one server, so that nothing written is lost by a reload or a closed tab. Pure:
 * visit_storage.ts reads and writes it.
 *
 * @module
 */
import { readSavedSession } from "../../../src/client/session/saved_session.ts";
import type { SavedSession } from "../../../src/client/session/session_events.ts";

/** UTF-16 units of unsent texts that are kept: a browser gives a page about ten times as much. */
export const KEPT_LENGTH_MAX = 500_000;
/** Milliseconds in which a closed tab that is opened again goes back into the room without asking for the name. */
export const RETURN_MS = 600_000;

export interface Visit {
  /** The tab of the visit. */
  readonly tab: string;
  readonly savedAtMs: number;
  /** False once the user has left or was removed. */
  readonly isInside: boolean;
  /** The text in the field. */
  readonly text: string;
  /** The id of the newest message that the user has seen; "" for none. */
  readonly seen: string;
  readonly session: SavedSession;
}

/** Parses a kept visit; undefined if it is none. */
export function parseVisit(json: string | null | undefined): Visit | undefined {
  try {
    const { tab, savedAtMs, isInside, text, seen, session } = JSON.parse(json ?? "");
    const saved = readSavedSession(session);
    const isRight = typeof tab === "string" && Number.isFinite(savedAtMs) && typeof text === "string" &&
      typeof seen === "string" && saved !== undefined;
    return isRight ? { tab, savedAtMs, isInside: isInside === true, text, seen, session: saved } : undefined;
  } catch {
    return undefined;
  }
}

/** True if the visit holds something that a later one needs. */
export function isWorthKeeping({ isInside, text, session: { drafts } }: Visit): boolean {
  return isInside || text !== "" || drafts.length > 0;
}

/** The visit with the texts that fit into `KEPT_LENGTH_MAX`: the field first, then the earliest drafts. */
export function bounded(visit: Visit): Visit {
  const text = visit.text.slice(0, KEPT_LENGTH_MAX);
  let left = KEPT_LENGTH_MAX - text.length;
  const drafts = visit.session.drafts.filter((draft) => (left -= draft.text.length) >= 0);
  return { ...visit, text, session: { ...visit.session, drafts } };
}

/**
 * Chooses the visit that a tab continues: its own, or the newest of a tab that is gone. Unsent texts of other tabs
 * that are gone join it. `live` holds the tabs that are open now: nothing is taken from them.
 */
export function continueVisit(
  visits: readonly Visit[],
  { tab, live, nowMs }: { readonly tab: string; readonly live: ReadonlySet<string>; readonly nowMs: number },
): Visit | undefined {
  const gone = visits.filter((visit) => !live.has(visit.tab)).sort((a, b) => b.savedAtMs - a.savedAtMs);
  const own = gone.find((visit) => visit.tab === tab);
  const chosen = own ?? gone[0];
  if (chosen === undefined) return undefined;
  const others = gone.filter((visit) => visit !== chosen);
  const text = chosen.text || (others.find((visit) => visit.text !== "")?.text ?? "");
  const drafts = others.flatMap((visit): SavedSession["drafts"] => [
    ...visit.session.drafts.map(offered),
    ...visit.text === "" || visit.text === text ? [] : [
      { nonce: `text-${visit.tab}`, text: visit.text, timestamp: visit.savedAtMs, fate: "offered" as const },
    ],
  ]);
  const isInside = chosen.isInside && (own !== undefined || Math.abs(nowMs - chosen.savedAtMs) < RETURN_MS);
  const session = { ...chosen.session, drafts: [...chosen.session.drafts, ...drafts] };
  return { ...chosen, tab, isInside, text, session };
}

/** The visit with which a tab takes the session of another tab over. Each tab keeps its own texts. */
export function takenOver(
  { session, seen }: Visit,
  own: Visit | undefined,
  tab: string,
  nowMs: number,
): Visit {
  return {
    tab,
    savedAtMs: nowMs,
    isInside: true,
    text: own?.text ?? "",
    seen,
    session: { ...session, drafts: own?.session.drafts.map(offered) ?? [] },
  };
}

/** A draft that its user sends again or drops. */
function offered(draft: SavedSession["drafts"][number]): SavedSession["drafts"][number] {
  return { ...draft, fate: "offered" };
}

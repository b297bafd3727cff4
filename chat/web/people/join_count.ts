/**
 * Says on the join card how many are in the room, from `/here`. Without an answer it says nothing.
 *
 * @module
 */
/// <reference lib="dom" />
import { byId, show } from "../page/page_elements.ts";

/** Milliseconds between two looks while the card is seen. */
const LOOK_MS = 20_000;

/** Looks now and from time to time, while `isShown`. Returns what looks again, when the card is back. */
export function countOnJoin(isShown: () => boolean): () => void {
  const place = byId("join-count", HTMLElement);
  const look = async () => {
    if (document.hidden || !isShown()) return;
    const count = await connectedUsers();
    show(place, count === undefined ? undefined : words(count));
  };
  void look();
  setInterval(look, LOOK_MS);
  document.addEventListener("visibilitychange", look);
  return () => {
    // The count of before is no answer.
    show(place, undefined);
    void look();
  };
}

async function connectedUsers(): Promise<number | undefined> {
  try {
    const { connectedUsers } = await (await fetch("here")).json();
    return typeof connectedUsers === "number" ? connectedUsers : undefined;
  } catch {
    return undefined;
  }
}

function words(count: number): string {
  if (count === 0) return "No one is here now: be the first.";
  return count === 1 ? "1 person is here now" : `${count} people are here now`;
}

/**
 * When a client comes back after its connection was lost, and when it is not to, PROTOCOL.md §8.1.
 *
 * Only decisions: it opens nothing and waits for nothing.
 *
 * @module
 */
import { type FaultName, FAULTS } from "../../protocol/faults.ts";

/** Milliseconds between two tries. The first is made at once, then it doubles from here to there. */
export const BACKOFF_MS_MIN = 1000;
export const BACKOFF_MS_MAX = 30_000;

/** With which a client gives a connection up that is dead or out of step; a browser may send 3000 to 4999. */
export const GIVEN_UP = 4000;

/**
 * Milliseconds to wait before a try. Spread by chance, so that those who lost a server together do not come back
 * together. `tries` is how many there were since it last worked; `random` gives 0 to less than 1.
 */
export function backoffMs(tries: number, random: () => number): number {
  if (tries === 0) return 0;
  const middle = Math.min(BACKOFF_MS_MAX, BACKOFF_MS_MIN * 2 ** Math.min(tries - 1, 10));
  return Math.max(BACKOFF_MS_MIN, Math.min(BACKOFF_MS_MAX, Math.round(middle * (0.5 + random()))));
}

/**
 * Whether a client comes back by itself after a close. Not after what was meant for it alone: a goodbye, a ban, a
 * kick, a frame that the server cannot take and would not take the next time. Without a code it is 1005 or 1006, and 0
 * in Deno.
 */
export function comesBack(code: number): boolean {
  return code === 0 || code === 1001 || code === 1005 || code === 1006 || (code >= 1011 && code <= 1015) ||
    code === GIVEN_UP;
}

/** Whether the text of `c2/ERROR` is that of one of these faults, §8. */
export function isFaultText(text: string, ...names: FaultName[]): boolean {
  // What follows the colon has the limits of the server.
  return names.some((name) => text.split(":")[0] === FAULTS[name].split(":")[0]);
}

/** Whether a refusal is of the moment: the same may be asked again in a while. */
export function passesByItself(text: string): boolean {
  return isFaultText(text, "STORE_FAILED", "INTERNAL", "FLOOD", "SERVER_FULL");
}

/**
 * Whether a refusal to let one in may pass: it is of the moment, or somebody has the name, which after a lost
 * connection may be the lost one itself.
 */
export function mayPass(text: string): boolean {
  return isFaultText(text, "NAME_TAKEN") || passesByItself(text);
}

/**
 * Why a session is over, for a person, by the code and the reason of the close. `refusal` is the server's last word
 * before it: a ban's message or a refusal.
 */
export function whyOver(code: number, reason: string, refusal: string | undefined): string {
  if (reason === "goodbye") return "You left.";
  if (reason === "resumed elsewhere") return "This conversation goes on in another window.";
  if (reason === "kicked") return "An operator put you out of this chat. You may join again.";
  if (reason === "banned") return refusal ?? "You are banned from this server.";
  if (reason === "flood") return "The server ended the connection: too much was sent too fast.";
  if (reason === "no CONNECT in time") return "The connection was closed, since no name was chosen in time.";
  return refusal ?? `The server ended the connection: ${reason === "" ? `code ${code}` : reason}.`;
}

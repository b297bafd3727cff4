/**
 * When a client comes back after its connection was lost, and when it is not to, PROTOCOL.md §8.1.
 *
 * Only decisions: it opens nothing and waits for nothing.
 *
 * @module
 */
// @ts-check

/** Milliseconds between two tries. The first is made at once, then it doubles from here to there. */
export const BACKOFF_MS_MIN = 1000;
export const BACKOFF_MS_MAX = 30_000;

/** With which a client gives a line up that is dead or out of step; a browser may send 3000 to 4999. */
export const GIVEN_UP = 4000;

/**
 * Milliseconds to wait before a try. Spread by chance, so that those who lost a server together do not come back
 * together.
 *
 * @param {number} tries how many there were since it last worked; 0 gives 0
 * @param {() => number} random from 0 to less than 1
 */
export function backoffMs(tries, random) {
  if (tries === 0) return 0;
  const middle = Math.min(BACKOFF_MS_MAX, BACKOFF_MS_MIN * 2 ** Math.min(tries - 1, 10));
  return Math.max(BACKOFF_MS_MIN, Math.min(BACKOFF_MS_MAX, Math.round(middle * (0.5 + random()))));
}

/**
 * Whether a client comes back by itself after a close. Not after what was meant for it alone: a goodbye, a ban, a
 * kick, a frame that the server cannot take and would not take the next time.
 *
 * @param {number} code 1005 and 1006 where there was none, 0 as Deno has it
 */
export function comesBack(code) {
  return code === 0 || code === 1001 || code === 1005 || code === 1006 || (code >= 1011 && code <= 1015) ||
    code === GIVEN_UP;
}

/**
 * Whether a refusal is of the moment: the same may be asked again in a while.
 *
 * @param {string} text of `c2/ERROR`, which is one of §8
 */
export function passesByItself(text) {
  return [
    "The store does not work",
    "Internal error",
    "Too many frames",
    "Server is full",
    "Server is stopping",
  ]
    .some((start) => text.startsWith(start));
}

/** @param {string} text of `c2/ERROR` */
export function isFlood(text) {
  return text.startsWith("Too many frames");
}

/**
 * Whether a refusal to let one in may pass: it is of the moment, or somebody has the name, which after a lost
 * connection may be the lost one itself.
 *
 * @param {string} text of `c2/ERROR`
 */
export function mayPass(text) {
  return text.startsWith("Username is in use") || passesByItself(text);
}

/**
 * Why a session is over, for a person.
 *
 * @param {number} code of the close
 * @param {string} reason of the close
 * @param {string | undefined} refusal the server's last word before it: a ban's message or a refusal
 */
export function whyOver(code, reason, refusal) {
  if (reason === "goodbye") return "You left.";
  if (reason === "resumed elsewhere") return "This conversation goes on in another window.";
  if (reason === "kicked") return "An operator put you out of this chat. You may join again.";
  if (reason === "banned") return refusal ?? "You are banned from this server.";
  if (reason === "flood") return "The server ended the connection: too much was sent too fast.";
  if (reason === "no CONNECT in time") return "The connection was closed, since no name was chosen in time.";
  return refusal ?? `The server ended the connection: ${reason === "" ? `code ${code}` : reason}.`;
}

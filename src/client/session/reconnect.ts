/**
 * Decides whether and when a client reconnects after a lost connection, PROTOCOL.md §8.1. Pure: it opens nothing and
 * waits for nothing.
 *
 * @module
 */
import { type FaultName, faultNameOf } from "../../protocol/faults.ts";
import type { DepartureKind } from "../../protocol/frames.ts";
import type { EndCause } from "./session_events.ts";

/**
 * Milliseconds between two tries, on average: the first try is immediate, then the delay doubles from MIN to SOON_MAX,
 * since a server that restarts is back soon and refuses a connection at little cost. After SOON_TRIES, about a minute,
 * it doubles again to MAX.
 */
const BACKOFF_MS_MIN = 1000;
const BACKOFF_MS_SOON_MAX = 5000;
const SOON_TRIES = 13;
const BACKOFF_MS_MAX = 20_000;

/** The close code for a connection that is dead or out of step; a browser may send 3000 to 4999. */
export const GIVEN_UP = 4000;

/**
 * Milliseconds to wait before a try. `tries` counts the tries since the last working connection; `random` returns 0
 * to less than 1 and spreads the clients that lost a server together.
 */
export function backoffMs(tries: number, random: () => number): number {
  if (tries === 0) return 0;
  const late = Math.min(tries - SOON_TRIES, 10);
  const middle = late > 0
    ? Math.min(BACKOFF_MS_MAX, BACKOFF_MS_SOON_MAX * 2 ** late)
    : Math.min(BACKOFF_MS_SOON_MAX, BACKOFF_MS_MIN * 2 ** (tries - 1));
  // Not cut at either end, where many clients would try at one moment.
  return Math.round(middle * (0.5 + random()));
}

/**
 * True if a client reconnects by itself after this close code. It does not after a goodbye, a ban, a kick, or a frame
 * that the server would refuse again. A close without a code is 1005 or 1006, and 0 in Deno.
 */
export function comesBack(code: number): boolean {
  return code === 0 || code === 1001 || code === 1005 || code === 1006 || (code >= 1011 && code <= 1015) ||
    code === GIVEN_UP;
}

/** True if the text of `c2/ERROR` is that of one of these faults, §8. */
export function isFaultText(text: string, ...names: FaultName[]): boolean {
  const name = faultNameOf(text);
  return name !== undefined && names.includes(name);
}

export function passesByItself(text: string): boolean {
  const passing = [
    "STORE_FAILED",
    "INTERNAL",
    "FLOOD",
    "ADDRESS_FLOOD",
    "SERVER_FULL",
    "ADDRESS_FULL",
  ] as const;
  return isFaultText(text, ...passing);
}

/** Why a session is over: a cause, and a text for the user. */
export interface SessionEnd {
  readonly cause: EndCause;
  readonly text: string;
}

export const LEFT: SessionEnd = { cause: "left", text: "You left." };
const KICKED: SessionEnd = {
  cause: "kicked",
  text: "An operator removed you from this chat. You can join again.",
};

/**
 * Why the session is over after the broadcast of its own departure; undefined if it only lost its connection. A plain
 * client sees a kick as a departure that it did not ask for, §6.6.
 */
export function endOf(
  { kind, message }: { readonly kind: DepartureKind; readonly message: string | undefined },
): SessionEnd | undefined {
  if (kind === "lost_connection") return undefined;
  return kind === "ban"
    ? { cause: "banned", text: `You are banned from this server: ${message ?? ""}` }
    : KICKED;
}

/** Why a session is over, from the close code and reason. `refusal` is the text of the last refusal. */
export function whyOver(code: number, reason: string, refusal: string | undefined): SessionEnd {
  if (reason === "goodbye") return LEFT;
  if (reason === "kicked") return KICKED;
  if (reason === "banned") return { cause: "banned", text: refusal ?? "You are banned from this server." };
  if (reason === "resumed elsewhere") {
    return { cause: "elsewhere", text: "This conversation continues in another window." };
  }
  if (reason === "no CONNECT in time") {
    return { cause: "timeout", text: "The server closed the connection: you chose no name in time." };
  }
  return { cause: "closed", text: closedText(code, reason, refusal) };
}

function closedText(code: number, reason: string, refusal: string | undefined): string {
  if (reason === "flood") return "The server closed the connection: you sent too much too fast.";
  return refusal ?? `The server closed the connection: ${reason === "" ? `code ${code}` : reason}.`;
}

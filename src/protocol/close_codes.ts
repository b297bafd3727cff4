/**
 * Close codes and reasons of a server, PROTOCOL.md §8.1.
 *
 * @module
 */
/** A code of RFC 6455 §7.4.1, and a reason of at most 123 bytes: what a control frame holds beside the code. */
export interface CloseCause {
  readonly code: number;
  readonly reason: string;
}

/** The code with which a browser closes the connection of a page that goes away, RFC 6455 §7.4.1. */
export const GOING_AWAY = 1001;

export const CLOSE = {
  goodbye: { code: 1000, reason: "goodbye" },
  resumedElsewhere: { code: 1000, reason: "resumed elsewhere" },
  stopping: { code: 1001, reason: "server is stopping" },
  connectTimeout: { code: 1008, reason: "no CONNECT in time" },
  flood: { code: 1008, reason: "flood" },
  kicked: { code: 1008, reason: "kicked" },
  banned: { code: 1008, reason: "banned" },
  internal: { code: 1011, reason: "internal error" },
  slowConsumer: { code: 1013, reason: "slow consumer" },
  cutOff: { code: 1013, reason: "server is cut off" },
  unanswered: { code: 1013, reason: "too many unanswered frames" },
} as const satisfies Record<string, CloseCause>;

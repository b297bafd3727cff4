/**
 * The refusals of the admin API, as one table: a stable name, the HTTP status and the text, docs/admin_api.md §11.3. A
 * refusal is a value, never thrown. No text contains a token.
 *
 * @module
 */

export const ADMIN_REFUSALS = {
  BODY_NOT_JSON: { status: 400, text: "The body is not JSON" },
  BODY_MALFORMED: { status: 400, text: "The body is malformed: {detail}" },
  QUERY_MALFORMED: { status: 400, text: "The query is malformed: {detail}" },
  TOKEN_MISSING: {
    status: 401,
    text: "The token is missing: send this server's --admin-token as Authorization: Bearer <token>",
  },
  TOKEN_REFUSED: { status: 401, text: "The token is wrong: it is not this server's --admin-token" },
  NOTHING_HERE: {
    status: 404,
    text: "Unknown path: users, bans, kick, announce, cluster, store and export are allowed",
  },
  NO_CLUSTER: { status: 404, text: "This server is no node of a cluster: start it with --cluster" },
  NOT_CONNECTED: { status: 404, text: "No user with this name is connected" },
  BAN_UNKNOWN: { status: 404, text: "Unknown ban: there is no ban with this id or name" },
  TOO_MANY_BANS: { status: 409, text: "Too many bans: at most {detail} are allowed, lift one first" },
  BODY_TOO_LARGE: { status: 413, text: "The body is too large: at most {detail} bytes are allowed" },
  TOO_MANY_TRIES: {
    status: 429,
    text: "Too many wrong tokens from your address: the sustained rate limit is {detail} per minute",
  },
  NO_OUTCOME: {
    status: 503,
    text: "The cluster does not answer: the change may take effect, look before you try again",
  },
  STORE_FAILED: {
    status: 503,
    text: "The store does not work at the moment: nothing was changed or sent, try again later",
  },
} as const;

export type AdminRefusalName = keyof typeof ADMIN_REFUSALS;

export interface AdminRefusal {
  readonly refusal: AdminRefusalName;
  readonly status: (typeof ADMIN_REFUSALS)[AdminRefusalName]["status"];
  readonly text: string;
}

/** Characters of `{detail}`: a person reads it. */
const DETAIL_LENGTH_MAX = 300;
// A detail may contain the sender's text: a refusal must stay one line and must not change the direction of text.
const UNPRINTABLE = /[\p{Cc}\p{Zl}\p{Zp}\p{Bidi_Control}]/gu;

export function refuseAdmin(name: AdminRefusalName, detail: string | number = ""): AdminRefusal {
  const { status, text } = ADMIN_REFUSALS[name];
  const printable = String(detail).slice(0, DETAIL_LENGTH_MAX).replace(UNPRINTABLE, " ");
  return { refusal: name, status, text: text.replace("{detail}", () => printable) };
}

export function isAdminRefusal(value: object): value is AdminRefusal {
  return "refusal" in value;
}

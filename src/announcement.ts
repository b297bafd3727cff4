/**
 * What a chat server says of itself to a listing, PROTOCOL.md §9.2: one schema for the sender and the receiver.
 *
 * The only thing that the two programs share beside the protocol. An address is only checked for being text
 * here: what it means depends on who sent it, which the listing judges.
 *
 * @module
 */
import { z } from "zod";

/** Code points of a server's name: what fits one line of a listing. */
export const SERVER_NAME_LENGTH_MAX = 64;
/** Users of a server: beyond any that exists, so that a number past it is a mistake or a lie. */
export const USERS_MAX = 1_000_000;
/** Characters of an address: a host name has at most 253, and `wss://`, brackets and a port come on top. */
export const ADDRESS_LENGTH_MAX = 270;
/** The largest server id, inclusive. */
export const SERVER_ID_MAX = Number.MAX_SAFE_INTEGER;

export const DEFAULT_SERVER_NAME = "Chatter Server";
export const DEFAULT_MAX_USERS = 50;
/** The port of an address that names none. */
export const DEFAULT_PORT = 5000;

// Control characters and line separators, and those that turn the direction of the text that follows.
const FORBIDDEN_IN_NAME = /[\p{Cc}\p{Zl}\p{Zp}\p{Bidi_Control}]/u;

export const SERVER_NAME_RULE =
  `1 to ${SERVER_NAME_LENGTH_MAX} characters, not only blanks, no control or bidi characters`;

/** Whether `name` may be a server's name; it is kept as given, less the blanks around it. */
export function isServerName(name: string): boolean {
  const trimmed = name.trim();
  return trimmed !== "" && [...trimmed].length <= SERVER_NAME_LENGTH_MAX && !FORBIDDEN_IN_NAME.test(trimmed);
}

const users = z.number().int().min(0).max(USERS_MAX);

export const announcementSchema = z.strictObject({
  serverName: z.string().refine(isServerName, `serverName: ${SERVER_NAME_RULE}`).transform((name) =>
    name.trim()
  ),
  address: z.string().min(1).max(ADDRESS_LENGTH_MAX),
  connectedUsers: users,
  maxUsers: users,
}).partial();

/** Any of a server's properties; what is absent is left as it is, or at its default for a new server. */
export type Announcement = z.infer<typeof announcementSchema>;

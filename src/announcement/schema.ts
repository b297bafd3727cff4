/**
 * What a chat server says of itself to a listing, PROTOCOL.md §9.2: one form for the sender, who has its type, and the
 * receiver, who judges by it.
 *
 * An address is only checked for being text here: what it means depends on who sent it, which the listing judges.
 *
 * @module
 */
import { z } from "zod";
import {
  ADDRESS_LENGTH_MAX,
  DEFAULT_MAX_USERS,
  DEFAULT_PORT,
  DEFAULT_SERVER_NAME,
  isServerName,
  SERVER_NAME_RULE,
  USERS_MAX,
} from "./announcement.ts";

const users = (description: string) => z.number().int().min(0).max(USERS_MAX).describe(description);

export const announcementSchema = z.strictObject({
  serverName: z.string().refine(isServerName, `serverName: ${SERVER_NAME_RULE}`).transform((name) =>
    name.trim()
  ).describe(`${SERVER_NAME_RULE}; at first ${DEFAULT_SERVER_NAME}`),
  address: z.string().min(1).max(ADDRESS_LENGTH_MAX).describe(
    `host:port, [v6]:port, host alone for port ${DEFAULT_PORT}, or :port at the sender's own address; ` +
      `wss:// in front for TLS; at first :${DEFAULT_PORT}`,
  ),
  connectedUsers: users("people who are there now; at first 0"),
  maxUsers: users(`how many there is room for; at first ${DEFAULT_MAX_USERS}`),
}).partial();

/** Any of a server's properties; what is absent is left as it is, or at its default for a new server. */
export type Announcement = z.infer<typeof announcementSchema>;

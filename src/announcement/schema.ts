/**
 * The announcement of a chat server to a listing, docs/listing_api.md §9.2: a type for the sender, a schema for the
 * receiver.
 *
 * Of an address, the schema only checks that it is text. The listing checks the rest, which depends on the sender.
 *
 * @module
 */
import { z } from "zod";
import {
  ADDRESS_LENGTH_MAX,
  areTags,
  canonicalLanguage,
  DEFAULT_MAX_USERS,
  DEFAULT_PORT,
  DEFAULT_SERVER_NAME,
  DESCRIPTION_RULE,
  isDescription,
  isServerName,
  LANGUAGE_RULE,
  SERVER_NAME_RULE,
  TAGS_MAX,
  TAGS_RULE,
  USERS_MAX,
} from "./announcement.ts";

const users = (description: string) => z.number().int().min(0).max(USERS_MAX).describe(description);

/** The properties by which a server says what it is. An empty one says nothing, and takes back what was said. */
const selfDescription = {
  description: z.string().refine(
    (text) => text === "" || isDescription(text),
    `description: ${DESCRIPTION_RULE}; or empty`,
  ).transform((text) => text.trim()).describe(`${DESCRIPTION_RULE}; empty for none, as at first`),
  tags: z.array(z.string()).max(TAGS_MAX, `tags: ${TAGS_RULE}`).refine(areTags, `tags: ${TAGS_RULE}`)
    .describe(`${TAGS_RULE}; empty for none, as at first`),
  language: z.string().refine(
    (text) => text === "" || canonicalLanguage(text) !== undefined,
    `language: ${LANGUAGE_RULE}; or empty`,
  ).transform((text) => canonicalLanguage(text) ?? "").describe(
    `${LANGUAGE_RULE}; empty for none, as at first`,
  ),
};

export const announcementSchema = z.strictObject({
  serverName: z.string().refine(isServerName, `serverName: ${SERVER_NAME_RULE}`).transform((name) =>
    name.trim()
  ).describe(`${SERVER_NAME_RULE}; at first ${DEFAULT_SERVER_NAME}`),
  address: z.string().min(1).max(ADDRESS_LENGTH_MAX).describe(
    `host:port, [v6]:port, host alone for port ${DEFAULT_PORT}, or :port at the sender's own address; ` +
      `wss:// in front for TLS; at first :${DEFAULT_PORT}`,
  ),
  connectedUsers: users("connected users; at first 0"),
  maxUsers: users(`users that the server has room for; at first ${DEFAULT_MAX_USERS}`),
  ...selfDescription,
}).partial();

/** Any of a server's properties. An absent one stays unchanged, or gets its default for a new server. */
export type Announcement = z.infer<typeof announcementSchema>;

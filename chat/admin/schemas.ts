/**
 * Schemas of the admin API's bodies and queries, docs/admin_api.md §11.2. Pure. They check the form of a request;
 * moderation checks whether a user or ban exists.
 *
 * @module
 */
import { z } from "zod";
import {
  BAN_MESSAGE_LENGTH_MAX,
  BAN_SECONDS_MAX,
  type Limits,
  USERNAME_LENGTH_MAX,
} from "../../src/protocol/limits.ts";
import { parseUsername, type Username } from "../../src/protocol/names.ts";
import { readAddressBlock } from "../room/bans.ts";
import type { BanRequest } from "./moderation.ts";

const BAN_MESSAGE_DEFAULT = "no reason was given";
/** Characters of an IP address with the length of a network. */
const ADDRESS_LENGTH_MAX = 64;

// Clients show the message of a ban in one line.
const UNPRINTABLE = /[\p{Cc}\p{Cs}\p{Zl}\p{Zp}\p{Bidi_Control}]/u;

const usernameSchema = z.string().max(USERNAME_LENGTH_MAX * 8).transform((text, context): Username => {
  const username = parseUsername(text, "the name of a user");
  if (!("fault" in username)) return username;
  context.addIssue({ code: "custom", message: username.text });
  return z.NEVER;
});

const addressSchema = z.string().max(ADDRESS_LENGTH_MAX).transform((text, context): string => {
  const block = readAddressBlock(text);
  if (block !== undefined) return block;
  context.addIssue({ code: "custom", message: "an IPv4 address, an IPv6 address or its /64 is allowed" });
  return z.NEVER;
});

const messageSchema = z.string().refine(
  (text) => text.trim() !== "" && [...text].length <= BAN_MESSAGE_LENGTH_MAX && !UNPRINTABLE.test(text),
  `1 to ${BAN_MESSAGE_LENGTH_MAX} characters on one line are allowed`,
);

const banSchema = z.strictObject({
  name: usernameSchema.optional(),
  address: addressSchema.optional(),
  withAddress: z.boolean().default(false),
  message: messageSchema.default(BAN_MESSAGE_DEFAULT),
  seconds: z.number().int().min(1).max(BAN_SECONDS_MAX).optional(),
}).refine(
  ({ name, address }) => name !== undefined || address !== undefined,
  "a name or an address is needed",
)
  .refine(
    ({ name, address, withAddress }) => !withAddress || (name !== undefined && address === undefined),
    "withAddress needs a name and no address",
  ).transform(({ name, address, seconds, ...rest }): BanRequest => ({ name, address, seconds, ...rest }));

export function adminBodies({ maxMessageLength }: Limits) {
  return {
    ban: banSchema,
    kick: z.strictObject({ name: usernameSchema }),
    announce: z.strictObject({
      text: z.string().refine(
        (text) =>
          text !== "" && [...text].length <= maxMessageLength && !text.includes("\0") && text.isWellFormed(),
        `1 to ${maxMessageLength} characters without NUL are allowed`,
      ),
    }),
  };
}

export type AdminBodies = ReturnType<typeof adminBodies>;

export const liftQuerySchema = z.strictObject({ name: usernameSchema });

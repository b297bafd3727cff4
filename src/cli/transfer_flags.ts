/**
 * The flags of `chatter export` and `chatter import`.
 *
 * Pure, and a part of the table in flags.ts.
 *
 * @module
 */
import { adminFlags } from "./admin_flags.ts";
import { type Flag, flag, optionalText, switchFlag } from "./flag.ts";

const source = {
  server: adminFlags.server,
  token: flag<string | undefined>({
    about: adminFlags.token.about,
    placeholder: "TOKEN",
    allowed: adminFlags.token.allowed,
    read: adminFlags.token.read,
    otherwise: undefined,
    otherwiseShown: undefined,
    variable: "CHATTER_ADMIN_TOKEN",
    secret: true,
  }),
  kv: {
    ...optionalText(
      "PLACE",
      "in place of a server its store: of a listing, or of a chat server that is stopped",
    ),
    // CHATTER_KV is the servers'.
    variable: "CHATTER_TRANSFER_KV",
  },
};

const exportFlags = {
  ...source,
  keys: {
    ...switchFlag("also the keys of a chat server on listings, with which anybody could change its entries"),
    variable: "CHATTER_EXPORT_KEYS",
  },
};

const importFlags = source;

/** Where an export goes. */
const exportOperand = fileOperand("the file to write, which only this user can read; - is stdout");
const importOperand = fileOperand("the file to read; - is stdin");

function fileOperand(about: string): Flag<string> {
  return {
    about,
    placeholder: "FILE",
    allowed: "a path, or -",
    read: (text) => text.trim() === "" ? undefined : text,
    otherwise: "-",
    otherwiseShown: "-",
  };
}

export const exportCommand = {
  about: "what a server keeps, as a file of JSON lines",
  details:
    "Writes messages and bans of a chat server that runs, asked by its admin API, or what is in a store: of a " +
    "chat server that is stopped, or of a listing, which may run.",
  flags: exportFlags,
  operand: exportOperand,
  isRole: false,
  together: [],
  apart: [],
} as const;

export const importCommand = {
  about: "an export, put into a server or a store",
  details:
    "Takes what chatter export wrote. What is there already stays as it is, so that it can be done twice; " +
    "messages go where they belong in the history.",
  flags: importFlags,
  operand: importOperand,
  isRole: false,
  together: [],
  apart: [],
} as const;

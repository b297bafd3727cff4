/**
 * The flags and actions of `chatter admin`, and the token that it shares with the chat server, PROTOCOL.md §11.
 *
 * Pure, and a part of the table in flags.ts.
 *
 * @module
 */
import { DEFAULT_PORT } from "../announcement/announcement.ts";
import { ANY_TEXT, type Flag, flag, type FlagTable, isHttpUrl, switchFlag, withoutSlash } from "./flag.ts";
import { BAN_MESSAGE_LENGTH_MAX, BAN_SECONDS_MAX } from "../protocol/limits.ts";
import { parseUsername } from "../protocol/names.ts";

const SERVER_URL_DEFAULT = `http://127.0.0.1:${DEFAULT_PORT}`;
/** Where both the chat server and those who administer it find the token. */
const ADMIN_TOKEN_VARIABLE = "CHATTER_ADMIN_TOKEN";
/**
 * Characters of a token. What is typed instead of generated can be guessed, and 16 characters at random are
 * some 96 bits; more than the other number do not fit a line of a header comfortably.
 */
export const ADMIN_TOKEN_LENGTH_MIN = 16;
export const ADMIN_TOKEN_LENGTH_MAX = 256;

const BAN_ID = /^[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}$/;
const UNIT_SECONDS: { readonly [unit: string]: number } = { s: 1, m: 60, h: 3600, d: 86_400, w: 604_800 };

/** What a command of several can be told to do: a word after its name. */
export interface Action {
  readonly about: string;
  /** What stands behind the word, without a name of its own; undefined where nothing does. */
  // deno-lint-ignore no-explicit-any -- as in a table
  readonly operand: Flag<any> | undefined;
  /** Flags beside those of the command. */
  readonly flags: FlagTable;
}

/** The token of a chat server; undefined keeps its admin API off. */
export const adminToken = flag<string | undefined>({
  ...tokenFlag("who has it may ban, kick and announce by chatter admin; without one nobody may"),
  variable: ADMIN_TOKEN_VARIABLE,
  otherwise: undefined,
});

/** The token of a server's metrics; undefined gives them to its own machine alone. */
export const metricsToken = flag<string | undefined>({
  ...tokenFlag("who has it may read /metrics from anywhere; without one only the server's own machine may"),
  otherwise: undefined,
});

export const adminFlags = {
  server: flag<string>({
    about: "the chat server",
    placeholder: "URL",
    allowed: "an http:// or https:// URL",
    read: (text) => isHttpUrl(text) ? withoutSlash(text) : undefined,
    otherwise: SERVER_URL_DEFAULT,
    otherwiseShown: SERVER_URL_DEFAULT,
  }),
  token: flag<string>({
    ...tokenFlag("the --admin-token of that server"),
    variable: ADMIN_TOKEN_VARIABLE,
    otherwise: "",
    required: true,
  }),
  json: switchFlag("print the server's answer as JSON"),
};

const banFlags = {
  reason: flag<string | undefined>({
    about: "told to everyone, and to whoever tries to come back",
    placeholder: "TEXT",
    allowed: `1 to ${BAN_MESSAGE_LENGTH_MAX} characters`,
    read: (text) => text.trim() !== "" && [...text].length <= BAN_MESSAGE_LENGTH_MAX ? text : undefined,
    otherwise: undefined,
    otherwiseShown: undefined,
    variable: "CHATTER_BAN_REASON",
  }),
  for: flag<number | undefined>({
    about: "how long",
    placeholder: "TIME",
    allowed: "a number with s, m, h, d or w behind it, as 90s or 1h, up to 3650d",
    read: readSeconds,
    otherwise: undefined,
    otherwiseShown: "until it is lifted",
    variable: "CHATTER_BAN_FOR",
  }),
  address: {
    ...switchFlag("also the address from which NAME is connected"),
    // CHATTER_ADDRESS is what the chat server tells listings.
    variable: "CHATTER_BAN_ADDRESS",
  },
};

const nameOperand: Flag<string> = {
  about: "whom, in whatever letter case",
  placeholder: "NAME",
  allowed: "a username",
  read: (text) => "fault" in parseUsername(text) ? undefined : text,
  otherwise: "",
  otherwiseShown: undefined,
  required: true,
};

export const adminActions = {
  ban: { about: "put NAME out and keep the name out", operand: nameOperand, flags: banFlags },
  unban: {
    about: "lift the bans of NAME, or the one with that id",
    operand: {
      ...nameOperand,
      allowed: "a username, or the id of a ban",
      read: (text: string) => BAN_ID.test(text) ? text : nameOperand.read(text),
    } satisfies Flag<string> as Flag<string>,
    flags: {},
  },
  bans: { about: "list the bans in force", operand: undefined, flags: {} },
  users: { about: "list who is connected, from where and since when", operand: undefined, flags: {} },
  kick: { about: "put NAME out, who may come back", operand: nameOperand, flags: {} },
  announce: {
    about: "say TEXT to everyone in the server's name",
    operand: flag<string>({
      ...nameOperand,
      placeholder: "TEXT",
      allowed: ANY_TEXT,
      read: (text) => text.trim() === "" ? undefined : text,
    }),
    flags: {},
  },
} as const satisfies { readonly [word: string]: Action };

function tokenFlag(about: string): Omit<Flag<string>, "otherwise"> {
  return {
    about,
    placeholder: "TOKEN",
    allowed: `${ADMIN_TOKEN_LENGTH_MIN} to ${ADMIN_TOKEN_LENGTH_MAX} letters, digits and signs of ASCII, ` +
      "best made at random",
    read: (text) =>
      /^[!-~]+$/.test(text) && text.length >= ADMIN_TOKEN_LENGTH_MIN && text.length <= ADMIN_TOKEN_LENGTH_MAX
        ? text
        : undefined,
    otherwiseShown: undefined,
    secret: true,
  };
}

function readSeconds(text: string): number | undefined {
  const [, number = "", unit = ""] = /^([0-9]{1,9})([smhdw])$/.exec(text) ?? [];
  const seconds = Number(number) * (UNIT_SECONDS[unit] ?? 0);
  return seconds >= 1 && seconds <= BAN_SECONDS_MAX ? seconds : undefined;
}

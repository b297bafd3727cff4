/**
 * Every flag of every command, as one table: how its text is read, what stands in for it, and what help says.
 *
 * Parsing, the `CHATTER_*` variables, help and suggestions all come from it, so that a flag is added in one
 * place. The limits of PROTOCOL.md §7 and §9.10 are not repeated: their flags are made from their tables.
 *
 * @module
 */
import { parseAddress } from "../address.ts";
import { type Action, adminActions, adminFlags, adminToken, metricsToken } from "./admin_flags.ts";
import {
  DEFAULT_PORT,
  DEFAULT_SERVER_NAME,
  isServerName,
  SERVER_ID_MAX,
  SERVER_NAME_RULE,
} from "../announcement/announcement.ts";
import { clientFlags, healthFlags, serverOperand, serversFlags, watchedOperand } from "./client_flags.ts";
import {
  type Flag,
  flag,
  type FlagTable,
  isHttpUrl,
  oneOf,
  optionalText,
  switchFlag,
  wholeNumber,
  withoutSlash,
} from "./flag.ts";
import { LISTING_LIMITS, type ListingLimits } from "../announcement/listing_limits.ts";
import { exportCommand, importCommand } from "./transfer_flags.ts";
import type { LogFormat, LogLevel } from "../logging/log.ts";
import { type Limit, LIMITS, type Limits } from "../protocol/limits.ts";

export interface Command {
  readonly about: string;
  /** More for its help, in whole lines. */
  readonly details: string;
  readonly flags: FlagTable;
  /** What may stand behind the command without a name of its own. */
  // deno-lint-ignore no-explicit-any -- as in a table
  readonly operand?: Flag<any>;
  /** What it does, where it does several things, of which one is named. */
  readonly actions?: { readonly [word: string]: Action };
  /** Whether it is about one of the roles: a word after it names that, and its flags are taken. */
  readonly isOfRoles?: true;
  /** Whether it is what a machine can be there for, and CHATTER_ROLE may name it. */
  readonly isRole: boolean;
  /** Flags that are given all or none. */
  readonly together: readonly (readonly string[])[];
  /** Pairs that contradict each other. */
  readonly apart: readonly (readonly [string, string])[];
}

/** Seconds between two pings of one listed server. */
const CHECK_INTERVAL_SECONDS_DEFAULT = 60;
/** A day: a server that is checked less often than this is not checked. */
const CHECK_INTERVAL_SECONDS_MAX = 86_400;
const LISTING_PORT_DEFAULT = 8000;
const LISTING_URL_DEFAULT = `http://127.0.0.1:${LISTING_PORT_DEFAULT}`;

const PORT_MAX = 65_535;
/** Far past where the sequencer is what all of them wait for. */
const WORKERS_MAX = 64;
// A map and no list of @logtape's: `warn` is what most other programs call it.
const LOG_LEVEL_WORDS = {
  trace: "trace",
  debug: "debug",
  info: "info",
  warning: "warning",
  warn: "warning",
  error: "error",
  fatal: "fatal",
} as const satisfies Record<string, LogLevel>;

export const sharedFlags = {
  config: optionalText("FILE", "a file of values for these flags; a flag and a variable win over it"),
  tlsCert: optionalText("FILE", "the certificate chain in PEM; with --tls-key it makes the server speak TLS"),
  tlsKey: optionalText("FILE", "the private key of --tls-cert in PEM"),
  metricsToken,
  logFormat: flag<LogFormat | undefined>({
    about: "how a line of the log looks; the log goes to stderr",
    ...oneOf<LogFormat>({ pretty: "pretty", json: "json" }),
    placeholder: "FORMAT",
    otherwise: undefined,
    otherwiseShown: "pretty on a terminal, else json",
  }),
  logLevel: flag<LogLevel>({
    about: "the least that is worth a line",
    ...oneOf<LogLevel>(LOG_LEVEL_WORDS),
    placeholder: "LEVEL",
    otherwise: "info",
    otherwiseShown: "info",
  }),
};

function kvFlag(role: string): Flag<string | undefined> {
  return {
    ...optionalText("PLACE", "where it keeps its data: a file's path, :memory:, or the URL of a Deno KV"),
    otherwiseShown: `${role}.db in the platform's data folder, as $XDG_DATA_HOME/chatter/${role}.db`,
  };
}

const hostname: Flag<string> = {
  about: "address to listen on; 127.0.0.1 keeps it on this machine",
  placeholder: "ADDRESS",
  allowed: "a host name or an IP address without blanks",
  read: (text) => /^\S+$/.test(text) ? text : undefined,
  otherwise: "0.0.0.0",
  otherwiseShown: "0.0.0.0",
};

const trustProxy = switchFlag(
  "take a client's address from X-Forwarded-For: only behind a proxy that sets it",
);

const chatFlags = {
  port: port(DEFAULT_PORT),
  hostname,
  id: flag<number | undefined>({
    ...wholeNumber({ unit: "", min: 0, max: SERVER_ID_MAX }),
    about: "the server's id on the listings",
    placeholder: "ID",
    otherwise: undefined,
    otherwiseShown: "made at the first start and kept in --kv",
  }),
  name: flag<string>({
    about: "the server's name, which users see",
    placeholder: "NAME",
    allowed: SERVER_NAME_RULE,
    read: (text: string) => isServerName(text) ? text.trim() : undefined,
    otherwise: DEFAULT_SERVER_NAME,
    otherwiseShown: `"${DEFAULT_SERVER_NAME}"`,
  }),
  address: flag<string | undefined>({
    about: "where others reach it, as a listing shows it",
    placeholder: "ADDRESS",
    allowed: "host:port, [v6]:port, host or :port, with wss:// in front where it speaks TLS",
    // Whose address stands for an empty host is the listing's to say: any does to judge the form.
    read: (text) => "problem" in parseAddress(text, "127.0.0.1") ? undefined : text,
    otherwise: undefined,
    otherwiseShown: ":port, which a listing completes with the address that it sees",
  }),
  listing: flag<readonly string[]>({
    about: "a listing to register with; may be given several times",
    placeholder: "URL",
    allowed: "an http:// or https:// URL, or several with commas or blanks between them",
    read: readListings,
    otherwise: [LISTING_URL_DEFAULT],
    otherwiseShown: LISTING_URL_DEFAULT,
    repeatable: true,
  }),
  noListing: switchFlag("register with no listing"),
  kv: kvFlag("chat"),
  adminToken,
  // Undefined until it is known whether the server speaks TLS.
  transport: flag<"serve" | "ws" | undefined>({
    about: "what carries it: serve is Deno's own server; ws can refuse, time and cut whatever a peer does",
    ...oneOf({ serve: "serve", ws: "ws" }),
    placeholder: "TRANSPORT",
    otherwise: undefined,
    otherwiseShown: "serve, and ws with --tls-cert, whose renewal drops nobody there",
  }),
  workers: flag<number>({
    ...wholeNumber({ unit: "threads", min: 1, max: WORKERS_MAX }),
    about: "threads that sessions are spread over, where there are cores to spare",
    placeholder: "N",
    otherwise: 1,
    otherwiseShown: "1",
  }),
  allowedOrigins: flag<readonly string[] | undefined>({
    about: "web pages that may connect, by origin; clients that are no browsers name none and may",
    placeholder: "ORIGINS",
    allowed: "origins as https://chat.example, with commas or blanks between them",
    read: readOrigins,
    otherwise: undefined,
    otherwiseShown: "any",
    repeatable: true,
  }),
  trustProxy,
  limitLoopback: switchFlag(
    "hold clients of this machine to the limits of addresses: behind a proxy that forwards no address",
  ),
  ...sharedFlags,
  ...limitFlags(LIMITS),
};

const listingFlags = {
  port: port(LISTING_PORT_DEFAULT),
  hostname,
  kv: kvFlag("listing"),
  checkInterval: flag<number>({
    ...wholeNumber({ unit: "seconds", min: 1, max: CHECK_INTERVAL_SECONDS_MAX }),
    about: "how often each listed server is pinged",
    placeholder: "SECONDS",
    otherwise: CHECK_INTERVAL_SECONDS_DEFAULT,
    otherwiseShown: String(CHECK_INTERVAL_SECONDS_DEFAULT),
  }),
  trustProxy,
  ...sharedFlags,
  ...limitFlags(LISTING_LIMITS),
};

export type Shell = "bash" | "zsh" | "fish";
const shellOperand = flag<Shell>({
  about: "the shell that is to complete command lines of chatter",
  ...oneOf<Shell>({ bash: "bash", zsh: "zsh", fish: "fish" }),
  placeholder: "SHELL",
  otherwise: "bash",
  otherwiseShown: undefined,
  required: true,
});

/** The commands, by name. */
export const COMMANDS = {
  chat: {
    about: "the chat server, which users connect to",
    details: "Serves the chat protocol c2 over WebSocket, and registers with listings so that users find it.",
    flags: chatFlags,
    isRole: true,
    together: [["tlsCert", "tlsKey"]],
    apart: [["listing", "noListing"]],
  },
  listing: {
    about: "the listing, where chat servers register and users find them",
    details: "Keeps the list of chat servers, and takes off the ones that no longer answer.",
    flags: listingFlags,
    isRole: true,
    together: [["tlsCert", "tlsKey"]],
    apart: [],
  },
  client: {
    about: "a client for the terminal, or for a pipe",
    details: "Connects to a chat server, and talks there. On a terminal /help tells what can be typed. " +
      "With --plain it leaves at the end of stdin, when everything is acknowledged: exit status 0 after that, " +
      "1 where the server cannot be reached or refused something.",
    flags: clientFlags,
    operand: serverOperand,
    isRole: false,
    together: [],
    apart: [],
  },
  servers: {
    about: "the chat servers that a listing knows, as a table",
    details: "Asks a listing for its chat servers. What stands under ADDRESS is what chatter client takes.",
    flags: serversFlags(LISTING_URL_DEFAULT),
    isRole: false,
    together: [],
    apart: [],
  },
  export: exportCommand,
  import: importCommand,
  config: {
    about: "what chat or listing would run with, and why",
    details:
      "Shows the value of each flag of chatter chat or chatter listing, and whether it comes from a flag, a " +
      "variable, a line of the file of --config, or is the default. It takes the flags of that command, as in " +
      "chatter config chat --config chatter.json. Secrets are not shown.",
    flags: { json: switchFlag("print it as JSON") },
    isOfRoles: true,
    isRole: false,
    together: [],
    apart: [],
  },
  health: {
    about: "whether a chat server or a listing is ready",
    details:
      "Asks the server for /readyz: exit status 0 where it is ready, 1 where it is not or does not answer.",
    flags: healthFlags,
    operand: watchedOperand,
    isRole: false,
    together: [],
    apart: [],
  },
  admin: {
    about: "bans, kicks and announcements on a chat server that runs",
    details: "Asks a chat server that was started with --admin-token. NAME and TEXT are one argument each: " +
      "quote what has blanks, and write -- before what begins with a hyphen.",
    flags: adminFlags,
    actions: adminActions,
    isRole: false,
    together: [],
    apart: [],
  },
  completions: {
    about: "what has a shell complete commands, flags and values",
    details: 'Prints a script for the shell: eval "$(chatter completions bash)" in ~/.bashrc, ' +
      "source <(chatter completions zsh) in ~/.zshrc after compinit, " +
      "chatter completions fish | source in ~/.config/fish/config.fish.",
    flags: {},
    operand: shellOperand,
    isRole: false,
    together: [],
    apart: [],
  },
  man: {
    about: "the manual page",
    details: "Prints a page for man: chatter man >chatter.1, then man ./chatter.1.",
    flags: {},
    isRole: false,
    together: [],
    apart: [],
  },
} as const satisfies Record<string, Command>;

export type CommandName = keyof typeof COMMANDS;
/** The commands that run a server. */
export type RoleName = {
  [Name in CommandName]: (typeof COMMANDS)[Name]["isRole"] extends true ? Name : never;
}[CommandName];
export const COMMAND_NAMES = Object.keys(COMMANDS) as CommandName[];

/** What CHATTER_ROLE may name. */
export const ROLE_NAMES = COMMAND_NAMES.filter((name): name is RoleName => COMMANDS[name].isRole);

export function isCommandName(text: string): text is CommandName {
  return Object.hasOwn(COMMANDS, text);
}

/** `--max-users` for `maxUsers`. */
export function flagName(key: string): string {
  return "--" + hyphenated(key);
}

/** `CHATTER_MAX_USERS` for `maxUsers`, unless the flag says otherwise. */
export function variableName(key: string, flag?: Flag<unknown>): string {
  return flag?.variable ?? "CHATTER_" + hyphenated(key).replaceAll("-", "_").toUpperCase();
}

function hyphenated(key: string): string {
  return key.replace(/[A-Z]/g, (letter) => "-" + letter.toLowerCase());
}

/** Whether the flag of this name sets a limit of PROTOCOL.md §7 or §9.10. */
export function isLimitName(key: string): boolean {
  return Object.hasOwn(LIMITS, key) || Object.hasOwn(LISTING_LIMITS, key);
}

/** The limits out of the values of `chatter chat`. */
export function limitsOf(values: Limits): Limits {
  return pick(LIMITS, values);
}

/** The limits out of the values of `chatter listing`. */
export function listingLimitsOf(values: ListingLimits): ListingLimits {
  return pick(LISTING_LIMITS, values);
}

function pick<Name extends string>(
  table: { readonly [name in Name]: Limit },
  values: { readonly [name in Name]: number },
): { readonly [name in Name]: number } {
  return Object.fromEntries(Object.keys(table).map((name) => [name, values[name as Name]])) as {
    [name in Name]: number;
  };
}

function limitFlags<Name extends string>(
  table: { readonly [name in Name]: Limit },
): { [name in Name]: Flag<number> } {
  return Object.fromEntries(
    Object.entries<Limit>(table).map(([name, limit]) => [name, {
      ...wholeNumber(limit),
      placeholder: /^[a-z]+$/.test(limit.unit) ? limit.unit.toUpperCase() : "NUMBER",
      about: `Why: ${limit.reason}.`,
      otherwise: limit.default,
      otherwiseShown: String(limit.default),
    }]),
  ) as { [name in Name]: Flag<number> };
}

function port(otherwise: number): Flag<number> {
  return {
    ...wholeNumber({ unit: "", min: 0, max: PORT_MAX }),
    about: "port to listen on; 0 takes a free one, which the log names",
    placeholder: "PORT",
    otherwise,
    otherwiseShown: String(otherwise),
  };
}

function readListings(text: string): readonly string[] | undefined {
  const urls = text.split(/[\s,]+/).filter((url) => url !== "");
  if (urls.length === 0 || !urls.every(isHttpUrl)) return undefined;
  return urls.map(withoutSlash);
}

function readOrigins(text: string): readonly string[] | undefined {
  const origins = text.split(/[\s,]+/).filter((origin) => origin !== "");
  // As browsers write them: without a path, and without the port that the scheme has anyway.
  const read = origins.map((origin) => isHttpUrl(origin) ? new URL(origin) : undefined);
  if (read.length === 0 || !read.every((url) => url !== undefined && `${url.origin}/` === url.href)) {
    return undefined;
  }
  return read.map((url) => url!.origin);
}

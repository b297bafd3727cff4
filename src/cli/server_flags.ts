/**
 * The flags of `chatter chat` and `chatter listing`.
 *
 * Pure. The limits of PROTOCOL.md §7 and §9.10 are not repeated here: their flags are made from their tables.
 *
 * @module
 */
import { parseAddress } from "../address.ts";
import {
  DEFAULT_PORT,
  DEFAULT_SERVER_NAME,
  isServerName,
  SERVER_ID_MAX,
  SERVER_NAME_RULE,
} from "../announcement/announcement.ts";
import { LISTING_LIMITS } from "../announcement/listing_limits.ts";
import type { LogFormat, LogLevel } from "../logging/log.ts";
import { type Limit, LIMITS } from "../protocol/limits.ts";
import { type Flag, flag, httpUrl, type Kind, listOf, oneOf, switchFlag, text, wholeNumber } from "./flag.ts";

const LISTING_PORT_DEFAULT = 8000;
export const LISTING_URL_DEFAULT = `http://127.0.0.1:${LISTING_PORT_DEFAULT}`;
/** Seconds between two pings of one listed server. */
const CHECK_INTERVAL_SECONDS_DEFAULT = 60;
/** A day: a server that is checked less often than this is not checked. */
const CHECK_INTERVAL_SECONDS_MAX = 86_400;
const PORT_MAX = 65_535;
/** Far past the number at which all of them wait for the sequencer. */
const WORKERS_MAX = 64;
/** The levels of @logtape, and the word that most other programs have for `warning`. */
const LOG_LEVELS = {
  trace: "trace",
  debug: "debug",
  info: "info",
  warning: "warning",
  warn: "warning",
  error: "error",
  fatal: "fatal",
} as const satisfies Record<string, LogLevel>;

/**
 * Characters of a token. One that is typed instead of generated can be guessed, and 16 random characters are some
 * 96 bits; more than 256 do not fit a line of a header comfortably.
 */
const TOKEN_LENGTH = { min: 16, max: 256 };
export const token: Kind<string> = text(
  "TOKEN",
  `${TOKEN_LENGTH.min} to ${TOKEN_LENGTH.max} letters, digits and signs of ASCII, best made at random`,
  new RegExp(`^[!-~]{${TOKEN_LENGTH.min},${TOKEN_LENGTH.max}}$`),
);

function sharedFlags(role: string, port: number) {
  return {
    port: flag(
      "port to listen on; 0 takes a free one, which the log names",
      wholeNumber("PORT", { min: 0, max: PORT_MAX }),
      { default: port },
    ),
    hostname: flag(
      "address to listen on; 127.0.0.1 keeps it on this machine",
      text("ADDRESS", "a host name or an IP address without blanks", /^\S+$/),
      { default: "0.0.0.0" },
    ),
    kv: flag("where it keeps its data: a file's path, :memory:, or the URL of a Deno KV", text("PLACE"), {
      defaultText: `${role}.db in the platform's data folder, as $XDG_DATA_HOME/chatter/${role}.db`,
    }),
    trustProxy: switchFlag("take a client's address from X-Forwarded-For: only behind a proxy that sets it"),
    config: flag("a file of values for these flags; a flag and a variable win over it", text("FILE")),
    tlsCert: flag(
      "the certificate chain in PEM; with --tls-key it makes the server speak TLS",
      text("FILE"),
      {
        requires: "tlsKey",
      },
    ),
    tlsKey: flag("the private key of --tls-cert in PEM", text("FILE"), { requires: "tlsCert" }),
    metricsToken: flag(
      "who has it may read /metrics from anywhere; without one only the server's own machine may",
      token,
      { secret: true },
    ),
    logFormat: flag(
      "how a line of the log looks; the log goes to stderr",
      oneOf<LogFormat>("FORMAT", { pretty: "pretty", json: "json" }),
      { default: "json", defaultText: "pretty on a terminal, else json" },
    ),
    logLevel: flag("the least that is worth a line", oneOf("LEVEL", LOG_LEVELS), { default: "info" }),
  };
}

export const chatFlags = {
  ...sharedFlags("chat", DEFAULT_PORT),
  id: flag("the server's id on the listings", wholeNumber("ID", { min: 0, max: SERVER_ID_MAX }), {
    defaultText: "made at the first start and kept in --kv",
  }),
  name: flag("the server's name, which users see", {
    placeholder: "NAME",
    expected: SERVER_NAME_RULE,
    read: (text) => isServerName(text) ? text.trim() : undefined,
  }, { default: DEFAULT_SERVER_NAME, defaultText: `"${DEFAULT_SERVER_NAME}"` }),
  address: flag("where others reach it, as a listing shows it", {
    placeholder: "ADDRESS",
    expected: "host:port, [v6]:port, host or :port, with wss:// in front where it speaks TLS",
    // Whose address stands for an empty host is the listing's to say: any does to judge the form.
    read: (text) => "problem" in parseAddress(text, "127.0.0.1") ? undefined : text,
  }, { defaultText: ":port, which a listing completes with the address that it sees" }),
  listing: flag(
    "a listing to register with; may be given several times",
    listOf("URL", "an http:// or https:// URL, or several with commas or blanks between them", httpUrl.read),
    { default: [LISTING_URL_DEFAULT], repeatable: true },
  ),
  noListing: switchFlag("register with no listing", { conflicts: "listing" }),
  adminToken: flag("who has it may ban, kick and announce by chatter admin; without one nobody may", token, {
    secret: true,
  }),
  transport: flag(
    "what carries it: serve is Deno's own server; ws can refuse, time and cut whatever a peer does",
    oneOf<"serve" | "ws">("TRANSPORT", { serve: "serve", ws: "ws" }),
    { default: "serve", defaultText: "serve, and ws with --tls-cert, whose renewal drops nobody there" },
  ),
  workers: flag(
    "threads that sessions are spread over, where there are cores to spare",
    wholeNumber("N", { unit: "threads", min: 1, max: WORKERS_MAX }),
    { default: 1 },
  ),
  allowedOrigins: flag(
    "web pages that may connect, by origin; clients that are no browsers name none and may",
    listOf("ORIGINS", "origins as https://chat.example, with commas or blanks between them", readOrigin),
    { defaultText: "any", repeatable: true },
  ),
  limitLoopback: switchFlag(
    "hold clients of this machine to the limits of addresses: behind a proxy that forwards no address",
  ),
  ...limitFlags(LIMITS),
};

export const listingFlags = {
  ...sharedFlags("listing", LISTING_PORT_DEFAULT),
  checkInterval: flag(
    "how often each listed server is pinged",
    wholeNumber("SECONDS", { unit: "seconds", min: 1, max: CHECK_INTERVAL_SECONDS_MAX }),
    { default: CHECK_INTERVAL_SECONDS_DEFAULT },
  ),
  ...limitFlags(LISTING_LIMITS),
};

function limitFlags<Name extends string>(table: { readonly [name in Name]: Limit }) {
  const flags = Object.entries<Limit>(table).map(([name, limit]) => {
    const placeholder = /^[a-z]+$/.test(limit.unit) ? limit.unit.toUpperCase() : "NUMBER";
    const extras = { default: limit.default, isLimit: true } as const;
    return [name, flag(`Why: ${limit.reason}.`, wholeNumber(placeholder, limit), extras)];
  });
  return Object.fromEntries(flags) as { [name in Name]: Flag<number> };
}

/** The limits of `table` out of the values of all flags. */
export function limitsOf<Name extends string>(
  table: { readonly [name in Name]: Limit },
  values: { readonly [name in NoInfer<Name>]: number },
): { readonly [name in Name]: number } {
  const names = Object.keys(table) as Name[];
  return Object.fromEntries(names.map((name) => [name, values[name]])) as { [name in Name]: number };
}

/** An origin as browsers write it: without a path, and without the port that the scheme has anyway. */
function readOrigin(text: string): string | undefined {
  const url = httpUrl.read(text) === undefined ? undefined : new URL(text);
  return url !== undefined && `${url.origin}/` === url.href ? url.origin : undefined;
}

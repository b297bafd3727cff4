/**
 * The flags of `chatter chat` and `chatter listing`.
 *
 * Pure. The flags of limits are made from the limits' own tables, PROTOCOL.md §7 and docs/listing_api.md §9.10.
 *
 * @module
 */
import { parseAddress } from "../address.ts";
import * as rules from "../announcement/announcement.ts";
import { LISTING_LIMITS } from "../announcement/listing_limits.ts";
import type { LogFormat, LogLevel } from "../logging/log.ts";
import { followed, type Limit, LIMITS } from "../protocol/limits.ts";
import { clusterFlags } from "./cluster_flags.ts";
import type { Flag, Kind } from "./flag.ts";
import { FILE, flag, httpUrls, kind, listOf, oneOf, PLACE, switchFlag, wholeNumber } from "./flag.ts";

const LISTING_PORT_DEFAULT = 8000;
export const LISTING_URL_DEFAULT = `http://127.0.0.1:${LISTING_PORT_DEFAULT}`;
const LOG_LEVELS = oneOf<LogLevel>("LEVEL", ["trace", "debug", "info", "warning", "error", "fatal"]);

/** 16 random characters are about 96 bits; more than 256 are unwieldy in a header. */
export const TOKEN: Kind<string> = {
  ...kind("TOKEN", "16 to 256 ASCII letters, digits and signs, best generated at random", /^[!-~]{16,256}$/),
  secret: true,
};

const ORIGINS = listOf(
  "ORIGINS",
  "origins such as https://chat.example, null or *, separated by commas or spaces",
  readOrigin,
);

function sharedFlags(role: string, port: number) {
  return {
    port: flag("port to listen on; 0 chooses a free port, which the log shows")
      .takes(wholeNumber(0, 65_535), { placeholder: "PORT", default: port }),
    hostname: flag("address to listen on; 127.0.0.1 accepts only this machine")
      .takes(kind("ADDRESS", "a host name or an IP address", /^\S+$/), {
        defaultText: ":: for all addresses; 0.0.0.0 without IPv6",
      }),
    kv: flag("where the server keeps its data: a file path, :memory:, or the URL of a Deno KV")
      .takes(PLACE, {
        defaultText: `${role}.db in the platform's data folder, such as $XDG_DATA_HOME/chatter/${role}.db`,
      }),
    trustProxy: switchFlag("read client addresses from X-Forwarded-For; only behind a proxy that sets it"),
    allowedOrigins: flag(
      "web pages that may use the server, by origin, beside its own page; programs always may",
    )
      .takes(ORIGINS, {
        defaultText: "any; on a private address only the server's own page and pages from disk",
      }),
    config: flag("file with values for these flags; flags and variables override it").takes(FILE),
    tlsCert: flag("certificate chain in PEM; with --tls-key, the server uses TLS")
      .takes(FILE, { requires: "tlsKey" }),
    tlsKey: flag("private key of --tls-cert, in PEM").takes(FILE, { requires: "tlsCert" }),
    metricsToken: flag(
      "token that clients of /metrics need; without this flag, only the server's own machine may read it",
    ).takes(TOKEN),
    logFormat: flag("format of the log, which goes to stderr")
      .takes(oneOf<LogFormat>("FORMAT", ["pretty", "json"]), {
        default: "json",
        defaultText: "pretty on a terminal, else json",
        follows: (_, isTerminal) => isTerminal ? "pretty" : "json",
      }),
    logLevel: flag("minimum log level")
      .takes({
        ...LOG_LEVELS,
        // Most other programs say warn.
        read: (text) => LOG_LEVELS.read(text === "warn" ? "warning" : text),
      }, { default: "info" }),
  };
}

export const chatFlags = {
  ...sharedFlags("chat", rules.DEFAULT_PORT),
  id: flag("the server's id on listings")
    .takes(wholeNumber(0, rules.SERVER_ID_MAX), {
      placeholder: "ID",
      defaultText: "generated at the first start and kept in --kv",
    }),
  name: flag("the server's name, shown to users")
    .takes(
      kind("NAME", rules.SERVER_NAME_RULE, (text) => rules.isServerName(text) ? text.trim() : undefined),
      { default: rules.DEFAULT_SERVER_NAME },
    ),
  description: flag("what the server is about, in a sentence that listings show")
    .takes(
      kind("TEXT", rules.DESCRIPTION_RULE, (text) => rules.isDescription(text) ? text.trim() : undefined),
    ),
  tags: flag("words by which users find the server on listings, separated by commas")
    .takes(listOf("TAGS", rules.TAGS_RULE, (text) => text, rules.areTags)),
  language: flag("language of the server, by which users find it on listings")
    .takes(kind("LANGUAGE", rules.LANGUAGE_RULE, rules.canonicalLanguage)),
  address: flag("address that listings show and clients connect to")
    // The listing completes an empty host with the sender's address; any address will do to check the form.
    .takes(
      kind(
        "ADDRESS",
        "host:port, [v6]:port, host or :port, with wss:// in front for TLS",
        (text) => "problem" in parseAddress(text, "127.0.0.1") ? undefined : text,
      ),
      { defaultText: ":port, to which a listing adds the IP address that it sees" },
    ),
  listing: flag("URLs of listings to register with; may be repeated")
    .takes(httpUrls, { default: [LISTING_URL_DEFAULT] }),
  noListing: switchFlag("register with no listing", { conflicts: "listing" }),
  adminToken: flag("token that chatter admin needs; without this flag, the server has no admin API")
    .takes(TOKEN),
  transport: flag("serve is Deno's built-in server; ws enforces limits of size, time and memory on each peer")
    .takes(oneOf("TRANSPORT", ["serve", "ws"]), {
      default: "serve",
      follows: ({ tlsCert }) => tlsCert === undefined ? "serve" : "ws",
      defaultText: "serve; with --tls-cert ws, which can renew a certificate without closing connections",
    }),
  // More threads than the maximum are far more than one sequencer can keep busy.
  workers: flag("threads that sessions are spread over; more than 1 needs spare cores")
    .takes(wholeNumber(1, 64, "threads"), { default: 1 }),
  ...clusterFlags,
  limitLoopback: switchFlag(
    "apply per-address limits to loopback clients; use behind a proxy that does not set X-Forwarded-For",
  ),
  ...limitFlags(LIMITS),
};

export const listingFlags = {
  ...sharedFlags("listing", LISTING_PORT_DEFAULT),
  // The maximum is a day: a longer interval is as good as no checks.
  checkInterval: flag("time between two pings of a listed server")
    .takes(wholeNumber(1, 86_400, "seconds"), { default: 60 }),
  ...limitFlags(LISTING_LIMITS),
};

function limitFlags<Name extends string>(table: { readonly [name in Name]: Limit }) {
  const flags = Object.entries<Limit>(table).map(([name, row]) => {
    const { description, unit, min, max, follows, ...facts } = row;
    const followsOther = follows && {
      follows: (values: Readonly<Record<string, unknown>>) =>
        followed(follows, Number(values[follows.limit])),
      defaultText: follows.text,
    };
    return [name, flag(description).takes(wholeNumber(min, max, unit), { ...facts, ...followsOther })];
  });
  return Object.fromEntries(flags) as { [name in Name]: Flag<number> };
}

/** The values of the limits of `table`, taken from the values of all flags. */
export function limitsOf<Name extends string>(
  table: { readonly [name in Name]: Limit },
  values: { readonly [name in NoInfer<Name>]: number },
): { readonly [name in Name]: number } {
  const names = Object.keys(table) as Name[];
  return Object.fromEntries(names.map((name) => [name, values[name]])) as { [name in Name]: number };
}

/**
 * An origin as browsers write it: without a path, and without the default port of the scheme. Programs made of pages
 * have schemes of their own. `null` is the origin of pages from disk.
 */
function readOrigin(text: string): string | undefined {
  if (text === "*" || text === "null") return text;
  const url = URL.parse(text);
  if (url === null) return undefined;
  if (/^https?:$/.test(url.protocol)) return `${url.origin}/` === url.href ? url.origin : undefined;
  return url.origin === "null" && /^[a-z][a-z0-9+.-]*:\/\/[^/?#@]+$/.test(text) ? text : undefined;
}

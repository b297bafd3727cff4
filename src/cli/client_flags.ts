/**
 * The flags of `chatter client`, `chatter servers` and `chatter health`, and the forms of a chat server's address.
 *
 * Pure, and a part of the table in flags.ts.
 *
 * @module
 */
import { bracketed, parseAddress } from "../address.ts";
import { DEFAULT_PORT } from "../announcement/announcement.ts";
import { type Flag, flag, isHttpUrl, switchFlag, wholeNumber, withoutSlash } from "./flag.ts";
import { USERNAME_LENGTH_MAX } from "../protocol/limits.ts";
import { parseUsername } from "../protocol/names.ts";

const SERVER_URL_DEFAULT = `ws://127.0.0.1:${DEFAULT_PORT}`;

/** Where a chat server is, as what is given to a WebSocket. */
export const serverOperand: Flag<string> = {
  about: "the chat server, in any of the forms in which it is shown elsewhere",
  placeholder: "ADDRESS",
  allowed: "ws://, wss://, http:// or https:// with a host, host:port, or a host alone",
  read: readServerUrl,
  otherwise: SERVER_URL_DEFAULT,
  otherwiseShown: SERVER_URL_DEFAULT,
};

export const clientFlags = {
  name: flag<string | undefined>({
    about: "your name there",
    placeholder: "NAME",
    allowed: `1 to ${USERNAME_LENGTH_MAX} letters, numbers, emoji, _ - . and single blanks between them`,
    read: readUsername,
    otherwise: undefined,
    otherwiseShown: "$USER, or else it is asked for",
    // CHATTER_NAME is the chat server's.
    variable: "CHATTER_CLIENT_NAME",
  }),
  plain: switchFlag("for pipes: a line of stdin is a message, a line of stdout is a frame that came"),
};

/** A username as the server will show it; undefined for what is none. */
export function readUsername(text: string): string | undefined {
  const username = parseUsername(text.trim());
  return "fault" in username ? undefined : username.shown;
}

const WATCHED_URL_DEFAULT = `http://127.0.0.1:${DEFAULT_PORT}`;

/** Where a server is, of either role, as its base URL. */
export const watchedOperand: Flag<string> = {
  about: "the chat server or the listing",
  placeholder: "URL",
  allowed: "an http:// or https:// URL",
  read: (text) => isHttpUrl(text) ? withoutSlash(text) : undefined,
  otherwise: WATCHED_URL_DEFAULT,
  otherwiseShown: WATCHED_URL_DEFAULT,
};

/** Seconds for the answer of a server that is asked whether it is ready: below what watchers wait, often 10. */
const HEALTH_TIMEOUT_SECONDS = { default: 5, max: 300 };

export const healthFlags = {
  timeout: flag<number>({
    ...wholeNumber({ unit: "seconds", min: 1, max: HEALTH_TIMEOUT_SECONDS.max }),
    about: "how long to wait for the answer",
    placeholder: "SECONDS",
    otherwise: HEALTH_TIMEOUT_SECONDS.default,
    otherwiseShown: String(HEALTH_TIMEOUT_SECONDS.default),
    variable: "CHATTER_HEALTH_TIMEOUT",
  }),
};

export function serversFlags(listingUrlDefault: string) {
  return {
    listing: flag<string>({
      about: "the listing to ask",
      placeholder: "URL",
      allowed: "an http:// or https:// URL",
      read: (text) => isHttpUrl(text) ? withoutSlash(text) : undefined,
      otherwise: listingUrlDefault,
      otherwiseShown: listingUrlDefault,
    }),
    json: switchFlag("print what the listing answers as JSON"),
    ping: switchFlag("ping each server from here, and show that round trip in place of the listing's"),
  };
}

/**
 * The WebSocket URL that an address stands for; undefined where it is none. `http://` without a port is port 80, as
 * in a browser; everything else without one is as PROTOCOL.md §9.2 has it.
 */
export function readServerUrl(text: string): string | undefined {
  const [, scheme = "", place = "", path = ""] =
    /^(?:(wss?|https?):\/\/)?([^/?#]*)(\/[^#\s]*)?$/i.exec(text.trim()) ?? [];
  if (place === "" || (scheme === "" && path !== "")) return undefined;
  const isTls = /^(?:wss|https)$/i.test(scheme);
  const webPort = /^http$/i.test(scheme) && !/:[0-9]*$/.test(place) ? ":80" : "";
  const address = parseAddress(`${isTls ? "wss://" : ""}${place}${webPort}`, "127.0.0.1");
  if ("problem" in address) return undefined;
  const { host, port, tls } = address;
  return `${tls ? "wss" : "ws"}://${bracketed(host)}:${port}${path === "/" ? "" : path}`;
}

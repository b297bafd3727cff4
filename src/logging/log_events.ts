/**
 * Every event that a server logs, as one table: its stable name, how much it matters, the values that it may have, and
 * what has happened. What is not here cannot be logged: the types of log.ts follow it, and so does docs/logs.md.
 *
 * Pure. No value is a name of a person, a text that somebody wrote, a key or a token: whoever adds one says which
 * value it is here, where that is seen.
 *
 * @module
 */

export interface LogEvent {
  /** At which it is logged, at the most; what comes again and again is at debug. */
  readonly level: "debug" | "info" | "warn" | "error";
  readonly values: readonly string[];
  readonly about: string;
}

export const LOG_EVENTS = {
  "admin.announced": { level: "info", values: ["by"], about: "An operator said something to everyone." },
  "admin.banned": { level: "info", values: ["by", "ban", "disconnected"], about: "An operator banned." },
  "admin.export_failed": {
    level: "error",
    values: ["error"],
    about: "What the server keeps could not be read.",
  },
  "admin.exported": {
    level: "info",
    values: ["by", "keys"],
    about: "An operator began to take out what the server keeps.",
  },
  "admin.kicked": { level: "info", values: ["by"], about: "An operator put somebody out." },
  "admin.lifted": { level: "info", values: ["by", "bans"], about: "An operator lifted bans." },
  "admin.refused": { level: "warn", values: ["address"], about: "Somebody has no token of the admin API." },
  "bans.store_failed": { level: "error", values: ["error"], about: "A ban could not be stored." },
  "bans.swept": { level: "info", values: ["removed"], about: "Bans past their end were removed." },
  "bug": {
    level: "error",
    values: [
      "where",
      "error",
      "session",
      "input",
      "decision",
      "listing",
      "id",
      "unsaid",
      "method",
      "path",
    ],
    about: "The program has a mistake, with its stack. Everything else goes on: please report it.",
  },
  "check.failed": {
    level: "error",
    values: ["id", "unsaid", "error"],
    about: "The store failed at the check of a listed server.",
  },
  "check.not_made": {
    level: "warn",
    values: ["id", "problem", "unsaid"],
    about: "The listing could not ping a server, which is not the server's fault.",
  },
  "checks.resumed": { level: "info", values: [], about: "Misses of silent servers are counted again." },
  "checks.suspended": {
    level: "warn",
    values: ["why"],
    about: "Most servers are silent at once: nobody is removed for it.",
  },
  "consumer.slow": {
    level: "warn",
    values: ["session", "limitBytes"],
    about: "A client read too slowly and was put out.",
  },
  "history.read_failed": {
    level: "error",
    values: ["error"],
    about: "More of the history is kept since a reload, and it could not be read.",
  },
  "history.sweep_failed": { level: "error", values: ["error"], about: "Old messages could not be removed." },
  "history.swept": { level: "info", values: ["removed"], about: "Old messages were removed." },
  "journal.append_failed": {
    level: "error",
    values: ["entries", "error"],
    about: "Messages could not be stored, and their senders know. Once, until it works again.",
  },
  "journal.append_works": { level: "info", values: [], about: "Messages are stored again." },
  "journal.read_failed": { level: "error", values: ["error"], about: "Old messages could not be read." },
  "listening": {
    level: "info",
    values: ["url", "id", "name"],
    about: "The server is there; name is its own.",
  },
  "listing.key_not_kept": {
    level: "error",
    values: ["listing", "error"],
    about: "The key that a listing gave could not be stored: it works until the next start.",
  },
  "listing.key_unreadable": {
    level: "error",
    values: ["listing", "error"],
    about: "The key of an earlier start could not be read.",
  },
  "listing.refused": {
    level: "warn",
    values: ["listing", "answer", "tryAgainInSeconds"],
    about: "A listing did not take the server, and says why.",
  },
  "listing.registered": { level: "info", values: ["listing"], about: "A listing lists the server." },
  "listing.unreachable": {
    level: "warn",
    values: ["listing", "answer", "tryAgainInSeconds"],
    about: "A listing does not answer.",
  },
  "listing.update_refused": {
    level: "warn",
    values: ["listing", "answer", "tryAgainInSeconds"],
    about: "A listing did not take a change, and says why.",
  },
  "listing.withdrawal_failed": {
    level: "warn",
    values: ["listing", "answer"],
    about: "A listing still lists the server, which stops.",
  },
  "listing.withdrawn": { level: "info", values: ["listing"], about: "A listing lists the server no more." },
  "port.connections_cut": {
    level: "error",
    values: ["port"],
    about: "All connections were cut, to have file descriptors for the port again.",
  },
  "port.lost": { level: "error", values: ["port", "problem"], about: "The port takes nobody any more." },
  "port.not_drained": {
    level: "warn",
    values: ["problem"],
    about: "What came by the port before a new certificate did not end well.",
  },
  "port.not_reopened": {
    level: "error",
    values: ["port", "problem"],
    about: "The port could not be had again yet.",
  },
  "port.reopened": { level: "info", values: ["port"], about: "The port is open again." },
  "positions.reserve_failed": {
    level: "error",
    values: ["error"],
    about: "The store failed to reserve positions: sessions may not resume over the next start.",
  },
  "reload.refused": {
    level: "error",
    values: ["problem"],
    about: "SIGHUP came, and what there is to read is wrong: nothing was changed.",
  },
  "reload.waits_for_restart": {
    level: "warn",
    values: ["flags"],
    about: "What has changed and is in force at the next start only.",
  },
  "reloaded": {
    level: "info",
    values: ["changed", "certificate", "bans"],
    about: "SIGHUP came, and this is in force now.",
  },
  "server.missed": {
    level: "info",
    values: ["id", "address", "problem"],
    about: "A listed server did not answer a check.",
  },
  "server.registered": { level: "info", values: ["id", "address", "renewed"], about: "A server is listed." },
  "server.removed": {
    level: "info",
    values: ["id", "address", "problem"],
    about: "A listed server was silent for too long, and is listed no more.",
  },
  "session.flood": { level: "warn", values: ["session"], about: "A client sent too fast and was put out." },
  "session.unanswered": {
    level: "warn",
    values: ["session", "limitFrames"],
    about: "A client had too many frames unanswered and was put out.",
  },
  "sessions.store_failed": {
    level: "error",
    values: ["sessions", "error"],
    about:
      "Sessions could not be stored: they resume as long as the process runs. Once, until it works again.",
  },
  "sessions.store_works": { level: "info", values: [], about: "Sessions are stored again." },
  "socket.error": {
    level: "debug",
    values: ["code", "problem"],
    about: "A client broke a rule of WebSocket.",
  },
  "socket.refused": { level: "debug", values: ["reason"], about: "A WebSocket was not let in." },
  "stop.cut_short": { level: "warn", values: ["deadlineMs"], about: "The stop took too long, and is ended." },
  "stop.unfinished": { level: "warn", values: [], about: "Connections could not be closed in time." },
  "stopped": { level: "info", values: ["url"], about: "Everything is released." },
  "stopping": {
    level: "info",
    values: ["signal", "because"],
    about: "A signal came, or another instance has the store or wants it.",
  },
  "store.failed": {
    level: "error",
    values: ["problem", "unsaid"],
    about: "The listing's store failed a request.",
  },
  "store.unread": {
    level: "warn",
    values: ["problem"],
    about: "What other processes wrote could not be read: the list is as it was.",
  },
  "sweep.failed": {
    level: "error",
    values: ["error"],
    about: "The store failed while it was looked who is to be checked.",
  },
  "thread.ended": { level: "info", values: ["thread"], about: "A thread that did not end has ended." },
  "thread.lost": {
    level: "error",
    values: ["thread", "problem"],
    about: "A thread of the server was lost, and with it its connections; another takes its place.",
  },
  "thread.not_started": {
    level: "error",
    values: ["thread", "problem"],
    about: "A thread could not be started in the place of one that was lost. It is tried again.",
  },
  "thread.started": {
    level: "info",
    values: ["thread"],
    about: "A thread serves in the place of one that was lost.",
  },
  "thread.stuck": {
    level: "error",
    values: ["thread"],
    about: "A thread does not end, and who comes to it finds nobody: start the server anew.",
  },
  "transport.failed": {
    level: "error",
    values: ["problem"],
    about: "The port has trouble; those who are connected stay.",
  },
  "transport.recommended": {
    level: "info",
    values: ["flag", "because"],
    about: "The server is on the open internet with the transport that is not for it.",
  },
} as const satisfies { readonly [name: string]: LogEvent };

export type EventName = keyof typeof LOG_EVENTS;

/** The values that an event may have. */
export type EventValues<Name extends EventName> = {
  readonly [Value in typeof LOG_EVENTS[Name]["values"][number]]?: unknown;
};

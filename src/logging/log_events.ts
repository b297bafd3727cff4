/**
 * Every event that a server logs, as one table: its stable name, level, values and meaning. The types of log.ts admit no
 * other event and no other value.
 *
 * Pure. No value may hold the name or the text of a user, a key or a token.
 *
 * @module
 */

export interface LogEvent {
  /** The level of the event; a repetition is logged at debug. */
  readonly level: "debug" | "info" | "warn" | "error";
  readonly values: readonly string[];
  readonly about: string;
}

export const LOG_EVENTS = {
  "admin.announced": { level: "info", values: ["by"], about: "An operator broadcast an announcement." },
  "admin.banned": {
    level: "info",
    values: ["by", "ban", "disconnected"],
    about: "An operator banned a user or an address.",
  },
  "admin.export_failed": {
    level: "error",
    values: ["error"],
    about: "Reading the server's data for an export failed.",
  },
  "admin.exported": {
    level: "info",
    values: ["by", "keys"],
    about: "An operator started an export of the server's data.",
  },
  "admin.kicked": { level: "info", values: ["by"], about: "An operator disconnected a user." },
  "admin.lifted": { level: "info", values: ["by", "bans"], about: "An operator lifted bans." },
  "admin.refused": {
    level: "warn",
    values: ["address"],
    about: "A request to the admin API had a wrong token.",
  },
  "bans.store_failed": { level: "error", values: ["error"], about: "Storing a ban failed." },
  "bans.swept": { level: "info", values: ["removed"], about: "Expired bans were removed." },
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
      "suppressed",
      "method",
      "path",
    ],
    about: "The program has a bug; the stack shows where. The server goes on. Please report it.",
  },
  "check.failed": {
    level: "error",
    values: ["id", "suppressed", "error"],
    about: "The store failed during the check of a listed server.",
  },
  "check.not_made": {
    level: "warn",
    values: ["id", "problem", "suppressed"],
    about: "The listing could not ping a server, for a reason that is not the server's fault.",
  },
  "checks.resumed": { level: "info", values: [], about: "The listing counts missed checks again." },
  "checks.suspended": {
    level: "warn",
    values: ["why"],
    about: "Most servers are silent at once: the listing removes none of them for it.",
  },
  "cluster.append_refused": {
    level: "error",
    values: ["problem"],
    about:
      "NATS refuses records, mostly for lack of space: messages get a fault. Logged once until it works.",
  },
  "cluster.append_waits": {
    level: "warn",
    values: ["seconds"],
    about:
      "NATS does not say that it has a record: it elects a leader, lacks a majority, or a disk was full: docs/cluster.md.",
  },
  "cluster.append_works": { level: "info", values: [], about: "NATS takes records again." },
  "cluster.clocks_differ": {
    level: "warn",
    values: ["node", "seconds"],
    about:
      "The clock of another node is so many seconds ahead of this node's, or behind it if they are negative.",
  },
  "cluster.copied": {
    level: "info",
    values: ["record"],
    about: "The server has a copy of the room as of a record, and applies the later records.",
  },
  "cluster.copy_awaited": {
    level: "warn",
    values: ["problem", "help"],
    about: "The start waits for a node that gives a copy of the room: docs/cluster.md. Logged once a minute.",
  },
  "cluster.copying": {
    level: "info",
    values: [],
    about: "The log does not reach back to what the store has: the server copies the room from another node.",
  },
  "cluster.cut_off": {
    level: "error",
    values: ["seconds"],
    about:
      "The cluster's log does not answer, so the server closed its sockets. Clients resume on other nodes.",
  },
  "cluster.led": {
    level: "info",
    values: ["node", "epoch", "isOwn"],
    about: "A node leads the room from now on; isOwn says whether it is this one.",
  },
  "cluster.log_forked": {
    level: "error",
    values: ["problem"],
    about: "The log and this node disagree about its past: NATS lost records, or the log is another one.",
  },
  "cluster.log_short": {
    level: "warn",
    values: ["record", "applied", "help"],
    about:
      "The log ends before what this server applied, as a restored backup does. It is not ready, and closes in a minute.",
  },
  "cluster.lost": {
    level: "warn",
    values: [],
    about:
      "The other nodes lost this one for its silence. It closed its sockets and goes on under a new incarnation.",
  },
  "cluster.node_heard": {
    level: "info",
    values: ["node", "version"],
    about: "Another node of the room is heard, for the first time or again.",
  },
  "cluster.node_silent": {
    level: "warn",
    values: ["node"],
    about: "Another node of the room was not heard for 3 s. Its users are lost after --cluster-lost.",
  },
  "cluster.record_skipped": {
    level: "warn",
    values: ["record", "bytes", "suppressed"],
    about: "Another program wrote a record into the room's log. All nodes skip it: docs/cluster.md.",
  },
  "cluster.settings_differ": {
    level: "warn",
    values: ["settings", "node"],
    about: "The stream in NATS, or another node, has other settings than this node's flags: docs/cluster.md.",
  },
  "cluster.works": { level: "info", values: [], about: "The cluster's log answers again." },
  "consumer.slow": {
    level: "warn",
    values: ["session", "limitBytes", "suppressed"],
    about: "A slow consumer was disconnected.",
  },
  "history.read_failed": {
    level: "error",
    values: ["error"],
    about: "A reload extended the history, and reading the older messages failed.",
  },
  "history.sweep_delayed": {
    level: "info",
    values: ["aheadDays"],
    about: "The clock is over a day ahead of the last sweep: for an hour, no message or ban goes by its age.",
  },
  "history.sweep_failed": { level: "error", values: ["error"], about: "Removing old messages failed." },
  "history.swept": { level: "info", values: ["removed"], about: "Old messages were removed." },
  "journal.append_failed": {
    level: "error",
    values: ["entries", "error"],
    about: "Storing messages failed; their senders got an error. Logged once until it works again.",
  },
  "journal.append_works": { level: "info", values: [], about: "Messages are stored again." },
  "journal.read_failed": { level: "error", values: ["error"], about: "Reading old messages failed." },
  "listening": {
    level: "info",
    values: ["url", "id", "name"],
    about: "The server is listening; name is its display name.",
  },
  "listing.key_not_kept": {
    level: "error",
    values: ["listing", "error"],
    about: "Storing the key from a listing failed: the key works until the next start.",
  },
  "listing.key_unreadable": {
    level: "error",
    values: ["listing", "error"],
    about: "Reading the stored key for a listing failed.",
  },
  "listing.refused": {
    level: "warn",
    values: ["listing", "answer", "tryAgainInSeconds"],
    about: "A listing refused the registration; answer gives the reason.",
  },
  "listing.registered": { level: "info", values: ["listing"], about: "A listing lists the server." },
  "listing.unreachable": {
    level: "warn",
    values: ["listing", "answer", "tryAgainInSeconds"],
    about: "A listing does not answer; debug at the first tries and at repeats.",
  },
  "listing.update_refused": {
    level: "warn",
    values: ["listing", "answer", "tryAgainInSeconds"],
    about: "A listing refused a change; answer gives the reason.",
  },
  "listing.withdrawal_failed": {
    level: "warn",
    values: ["listing", "answer"],
    about: "Withdrawing from a listing failed while the server stopped: the listing still lists it.",
  },
  "listing.withdrawn": { level: "info", values: ["listing"], about: "A listing no longer lists the server." },
  "nats.awaited": {
    level: "warn",
    values: ["problem"],
    about: "NATS is not ready; the server waits for it before it opens its port. Logged once a minute.",
  },
  "nats.connected": {
    level: "info",
    values: ["server", "name", "version"],
    about: "The server is connected to NATS; name is what that NATS server calls itself.",
  },
  "nats.lost": {
    level: "warn",
    values: ["server", "suppressed"],
    about: "The connection to NATS broke. The server connects to the next of its NATS servers.",
  },
  "nats.refused": {
    level: "error",
    values: ["problem"],
    about:
      "NATS refuses something while the server runs, such as its password or a subject. Logged once a minute.",
  },
  "page.refused": {
    level: "warn",
    values: ["because", "origin", "host", "flag", "suppressed"],
    about: "The server refused a web page by its origin or host, which a browser sent; flag allows it.",
  },
  "port.connections_cut": {
    level: "error",
    values: ["port"],
    about: "The server cut all connections, to have file descriptors for the port again.",
  },
  "port.lost": {
    level: "error",
    values: ["port", "problem"],
    about: "The port stopped accepting connections.",
  },
  "port.not_drained": {
    level: "warn",
    values: ["problem"],
    about: "Connections from before a new certificate did not end cleanly.",
  },
  "port.not_reopened": {
    level: "error",
    values: ["port", "problem"],
    about: "Opening the port again failed. The server retries.",
  },
  "port.reopened": { level: "info", values: ["port"], about: "The port is open again." },
  "positions.reserve_failed": {
    level: "error",
    values: ["error"],
    about: "Reserving positions in the store failed: sessions may not resume after the next start.",
  },
  "reload.refused": {
    level: "error",
    values: ["problem"],
    about: "A SIGHUP came, but the configuration is wrong: nothing was changed.",
  },
  "reload.waits_for_restart": {
    level: "warn",
    values: ["flags"],
    about: "These changed flags take effect at the next start.",
  },
  "reloaded": {
    level: "info",
    values: ["changed", "certificate", "bans"],
    about: "A SIGHUP came, and these changes are in force.",
  },
  "sample.failed": {
    level: "error",
    values: ["error"],
    about: "Taking or storing a sample of the servers' users failed: it is in memory at most.",
  },
  "server.missed": {
    level: "info",
    values: ["id", "address", "problem"],
    about: "A listed server did not answer a check.",
  },
  "server.registered": {
    level: "info",
    values: ["id", "address", "renewed"],
    about: "A server was listed, or renewed its registration.",
  },
  "server.removed": {
    level: "info",
    values: ["id", "address", "problem"],
    about: "A listed server was silent for too long and was removed.",
  },
  "session.flood": {
    level: "warn",
    values: ["session", "suppressed"],
    about: "A client sent frames too fast and was disconnected.",
  },
  "session.unanswered": {
    level: "warn",
    values: ["session", "limitFrames", "suppressed"],
    about: "A client had too many unanswered frames and was disconnected.",
  },
  "sessions.store_failed": {
    level: "error",
    values: ["sessions", "error"],
    about:
      "Storing sessions failed: they resume only while this process runs. Logged once until it works again.",
  },
  "sessions.store_works": { level: "info", values: [], about: "Sessions are stored again." },
  "socket.error": {
    level: "debug",
    values: ["code", "problem"],
    about: "A client violated the WebSocket protocol.",
  },
  "socket.refused": { level: "debug", values: ["reason"], about: "The server refused a WebSocket." },
  "stop.cut_short": {
    level: "warn",
    values: ["deadlineMs"],
    about: "The stop took too long and was cut short.",
  },
  "stop.unfinished": { level: "warn", values: [], about: "Some connections could not be closed in time." },
  "stopped": { level: "info", values: ["url"], about: "The server has stopped and released everything." },
  "stopping": {
    level: "info",
    values: ["signal", "because"],
    about: "A signal came, or another instance has the store or wants it.",
  },
  "store.awaited": {
    level: "info",
    values: ["place"],
    about: "Another process has the store: the server is not ready until it is free.",
  },
  "store.closed_to_others": {
    level: "info",
    values: ["paths"],
    about: "Other users of the machine could read or write these paths of the store, and no longer can.",
  },
  "store.failed": {
    level: "error",
    values: ["problem", "suppressed"],
    about: "The listing's store failed a request.",
  },
  "store.scrub_begun": {
    level: "info",
    values: ["bytes"],
    about:
      "The server rewrites this many bytes of its store before it opens its port: some 15 ms a megabyte.",
  },
  "store.scrub_failed": {
    level: "warn",
    values: ["error"],
    about:
      "The bytes of removed messages are still in the store's file. Logged once until a later sweep removes them.",
  },
  "store.scrubbed": {
    level: "debug",
    values: ["ms"],
    about: "The store's file was rewritten without the bytes of removed messages.",
  },
  "store.unread": {
    level: "warn",
    values: ["problem"],
    about: "Reading the changes of other processes failed: the list stays as it was.",
  },
  "sweep.failed": {
    level: "error",
    values: ["error"],
    about: "Reading the servers due for a check, or freeing a kept id, failed.",
  },
  "thread.ended": { level: "info", values: ["thread"], about: "A stuck thread has ended." },
  "thread.lost": {
    level: "error",
    values: ["thread", "problem"],
    about: "A thread of the server was lost, with its connections. Another thread replaces it.",
  },
  "thread.not_started": {
    level: "error",
    values: ["thread", "problem"],
    about: "Starting a thread to replace a lost one failed. The server retries.",
  },
  "thread.started": {
    level: "info",
    values: ["thread"],
    about: "A thread replaces a lost one.",
  },
  "thread.stuck": {
    level: "error",
    values: ["thread"],
    about:
      "A thread is stuck and still owns part of the port: its clients get no answer. Restart the server.",
  },
  "transport.failed": {
    level: "error",
    values: ["problem"],
    about: "The port reported an error; open connections stay open.",
  },
  "transport.recommended": {
    level: "info",
    values: ["flag", "because"],
    about: "The server recommends another transport; because gives the reason.",
  },
} as const satisfies { readonly [name: string]: LogEvent };

export type EventName = keyof typeof LOG_EVENTS;

/** The values that an event may have. */
export type EventValues<Name extends EventName> = {
  readonly [Value in typeof LOG_EVENTS[Name]["values"][number]]?: unknown;
};

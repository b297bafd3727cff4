/**
 * The metrics of a chat server in one table, one object a thread; docs/metrics.md describes them. Pure. Counters change
 * at most once for each turn, commit or session event, never for each delivery.
 *
 * @module
 */
import { type FaultName, FAULTS } from "../src/protocol/faults.ts";
import { BATCH_SIZES, Meters, SECONDS } from "../src/metrics/meters.ts";
import { CLOSE, type CloseCause } from "../src/protocol/close_codes.ts";
import type { JournalEntry } from "./room/message.ts";

/** Upper bounds in seconds: a commit takes milliseconds on a good disk, and far more on a full one. */
const COMMIT_SECONDS: readonly number[] = [...SECONDS.slice(1), 5];

const LOST = "lost";
/** Labels by code and reason: a cause received from another thread is not the same object as here. */
const CAUSES = new Map<string, string>(
  Object.entries(CLOSE).map(([name, cause]) => [
    keyOf(cause),
    name.replace(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`),
  ]),
);

const LISTING_REQUESTS = ["register", "update", "withdraw"] as const;

export interface GaugedRoom {
  readonly connectedUsers: () => number;
  readonly held: { readonly size: number };
  readonly history: { readonly bytes: number };
  readonly bans: { readonly size: number };
  readonly registrations: readonly { readonly isListed: boolean }[];
}

export class ChatMeters extends Meters {
  readonly #users = this.gauge("chatter_users", "Connected users in the room");
  readonly #held = this.gauge(
    "chatter_held_sessions",
    "Sessions without a connection that a client may resume",
  );
  readonly #sockets = this.gauge(
    "chatter_sockets",
    "Open WebSockets, including those before CONNECT",
  );
  readonly #outboxBytes = this.gauge(
    "chatter_outbox_bytes",
    "Bytes of all sessions that sockets have taken and not sent yet",
  );
  readonly #historyBytes = this.gauge(
    "chatter_history_bytes",
    "Bytes of the stored messages, as --history-bytes counts them",
  );
  readonly #bans = this.gauge("chatter_bans", "Bans in force");
  readonly #listings = this.gauge("chatter_listings_registered", "Listings that list this server");

  readonly #opened = this.counter("chatter_sockets_opened_total", "WebSockets that the server accepted");
  readonly #refused = this.counters(
    "chatter_sockets_refused_total",
    "WebSockets that the server refused, by reason: origin, too many in all, too many of one address, too fast",
    [{ reason: "origin" }, { reason: "full" }, { reason: "sockets" }, { reason: "rate" }],
  );
  readonly #ended = this.counters(
    "chatter_sockets_ended_total",
    "WebSockets that ended, by cause: lost, or the reason of the server's close",
    [LOST, ...CAUSES.values()].map((cause) => ({ cause })),
  );

  readonly framesReceived = this.counter("chatter_frames_received_total", "Frames received from clients");
  readonly #faults = this.counters(
    "chatter_faults_total",
    "Frames answered with an error, by fault",
    (Object.keys(FAULTS) as FaultName[]).map((fault) => ({ fault })),
  );
  readonly #messages = this.counters(
    "chatter_messages_total",
    "Messages stored, edited and deleted",
    [{ kind: "said" }, { kind: "edited" }, { kind: "deleted" }],
  );
  readonly #said = this.#messages.of({ kind: "said" });
  readonly deliveries = this.counter(
    "chatter_deliveries_total",
    "Frames given to sessions: answers, and each broadcast once for each session",
  );
  readonly turnInputs = this.histogram("chatter_turn_inputs", "Frames decided in one turn", BATCH_SIZES);
  readonly fanoutSeconds = this.histogram(
    "chatter_fanout_seconds",
    "Seconds to give the broadcasts of one turn to all sessions",
    SECONDS,
  );
  readonly commitSeconds = this.histogram(
    "chatter_commit_seconds",
    "Seconds to store one commit of messages",
    COMMIT_SECONDS,
  );
  readonly commitMessages = this.histogram(
    "chatter_commit_messages",
    "Messages in one commit",
    BATCH_SIZES,
  );
  readonly commitFailures = this.counter("chatter_commit_failures_total", "Commits that the store refused");
  readonly #listingRequests = this.counters(
    "chatter_listing_requests_total",
    "Requests to listings, by request and outcome",
    LISTING_REQUESTS.flatMap((request) =>
      ["accepted", "refused", "unreachable"].map((outcome) => ({ request, outcome }))
    ),
  );

  readRoom({ connectedUsers, held, history, bans, registrations }: GaugedRoom): void {
    this.#users.read = connectedUsers;
    this.#held.read = () => held.size;
    this.#historyBytes.read = () => history.bytes;
    this.#bans.read = () => bans.size;
    this.#listings.read = () => registrations.filter(({ isListed }) => isListed).length;
  }

  readSockets(sessions: ReadonlySet<{ readonly pendingBytes: number }>): void {
    this.#sockets.read = () => sessions.size;
    this.#outboxBytes.read = () => {
      let bytes = 0;
      for (const { pendingBytes } of sessions) bytes += pendingBytes;
      return bytes;
    };
  }

  socketOpened(): void {
    this.#opened.add();
  }

  socketRefused(reason: "origin" | "full" | "sockets" | "rate"): void {
    this.#refused.of({ reason }).add();
  }

  /** `cause`: why the server closed the connection; undefined if it was lost. */
  socketEnded(cause: CloseCause | undefined): void {
    this.#ended.of({ cause: (cause && CAUSES.get(keyOf(cause))) ?? LOST }).add();
  }

  faulted(fault: FaultName): void {
    this.#faults.of({ fault }).add();
  }

  messageStored({ kind, message }: JournalEntry): void {
    // The common case skips the lookup.
    if (kind === "said") this.#said.add();
    else this.#messages.of({ kind: message.text === "" ? "deleted" : "edited" }).add();
  }

  listingAnswered(
    request: typeof LISTING_REQUESTS[number],
    outcome: "accepted" | "refused" | "unreachable",
  ): void {
    this.#listingRequests.of({ request, outcome }).add();
  }
}

function keyOf({ code, reason }: CloseCause): string {
  return `${code} ${reason}`;
}

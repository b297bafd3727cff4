/**
 * The metrics of a listing in one table. It records values and measures nothing itself; docs/metrics.md describes
 * each metric for operators.
 *
 * @module
 */
import type { HttpMeters } from "../src/metrics/http_meters.ts";
import { BATCH_SIZES, Meters, SECONDS } from "../src/metrics/meters.ts";
import { type RefusalName, REFUSALS } from "./refusals.ts";

/** Histogram bounds in seconds for round trips and commits; a ping may take 3 s. */
const ROUND_TRIP_SECONDS: readonly number[] = [...SECONDS.slice(3), 3];

/** Why a ping was sent: for a request (such as a registration) or for a periodic check. */
export type PingReason = "request" | "check";
const PING_OUTCOMES = ["answered", "wrong", "silent", "not_asked"] as const;
/** The outcome of a ping: answered, a wrong answer, silence, or not sent because the listing could not. */
export type PingResult = (typeof PING_OUTCOMES)[number];

/** The parts that the gauges read at each scrape. */
export interface GaugedParts {
  readonly index: {
    readonly size: number;
    servers(): Iterable<{ readonly connectedUsers: number }>;
  };
  readonly events: { readonly size: number };
  readonly pings: { readonly isOutage: boolean };
}

export class ListingMeters extends Meters {
  readonly #servers = this.gauge("chatter_listed_servers", "Servers on the list");
  readonly #users = this.gauge(
    "chatter_listed_users",
    "Users on all listed servers, as the servers report them",
  );
  readonly #streams = this.gauge("chatter_event_streams", "Open event streams");
  readonly #isOutage = this.gauge(
    "chatter_checks_suspended",
    "1 while most servers are silent and the listing counts no misses, else 0",
  );

  readonly #pings = this.counters(
    "chatter_pings_total",
    "Pings of chat servers, by reason and outcome: answered, a wrong answer, no answer, or not sent by the listing",
    (["request", "check"] as const).flatMap((reason) =>
      PING_OUTCOMES.map((outcome) => ({ reason, outcome }))
    ),
  );
  readonly #pingSeconds = this.histogram(
    "chatter_ping_seconds",
    "Seconds of the round trip of answered pings",
    ROUND_TRIP_SECONDS,
  );
  readonly #written = this.counters(
    "chatter_servers_changed_total",
    "Servers registered, registered again, changed, withdrawn, and removed for silence",
    [
      { change: "registered" },
      { change: "renewed" },
      { change: "changed" },
      { change: "withdrawn" },
      { change: "removed" },
    ],
  );
  readonly #refusals = this.counters(
    "chatter_refusals_total",
    "Requests refused, by refusal",
    (Object.keys(REFUSALS) as RefusalName[]).map((refusal) => ({ refusal })),
  );
  readonly commitSeconds = this.histogram(
    "chatter_commit_seconds",
    "Seconds to store one commit of records",
    ROUND_TRIP_SECONDS,
  );
  readonly commitRecords = this.histogram(
    "chatter_commit_records",
    "Records in one commit",
    BATCH_SIZES,
  );
  readonly commitFailures = this.counter("chatter_commit_failures_total", "Commits that the store refused");

  /** Set once the routes exist. */
  http: HttpMeters | undefined;

  readFrom({ index, events, pings }: GaugedParts): void {
    this.#servers.read = () => index.size;
    this.#users.read = () => {
      let users = 0;
      for (const { connectedUsers } of index.servers()) users += connectedUsers;
      return users;
    };
    this.#streams.read = () => events.size;
    this.#isOutage.read = () => Number(pings.isOutage);
  }

  /** `roundTripMs` is given for an answered ping only. */
  pinged(reason: PingReason, outcome: PingResult, roundTripMs?: number): void {
    this.#pings.of({ reason, outcome }).add();
    if (roundTripMs !== undefined) this.#pingSeconds.observe(roundTripMs / 1000);
  }

  serverChanged(change: "registered" | "renewed" | "changed" | "withdrawn" | "removed"): void {
    this.#written.of({ change }).add();
  }

  refused(refusal: RefusalName): void {
    this.#refusals.of({ refusal }).add();
  }
}

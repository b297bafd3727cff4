/**
 * Keeps the server registered with one listing, PROTOCOL.md §10: registers, sends changes, renews to notice a listing
 * that has lost it, and withdraws at the end. The chat never waits for it, and each failure is retried.
 * listing_client.ts sends the requests.
 *
 * @module
 */
import type { Announcement } from "../../src/announcement/schema.ts";
import type { Logger } from "../../src/logging/log.ts";
import { traced, type Tracing } from "../../src/metrics/tracing.ts";
import { type ListingReply, outcomeOf, reasonText } from "./listing_client.ts";
import type { ChatMeters } from "../meters.ts";

/** Seconds between two updates, at least: a listing does not show each join and leave. */
const UPDATE_INTERVAL_SECONDS = 1;
/** Seconds after which an update is sent without a change, to notice a listing that has lost the server. */
const RENEWAL_SECONDS = 15;
/** Seconds before a retry, doubled after each failure from the minimum to the maximum. */
const RETRY_SECONDS_MIN = 1;
export const RETRY_SECONDS_MAX = 30;
/** The maximum for a listing that does not answer; a refused connection is cheap for both sides. */
export const RETRY_UNREACHABLE_SECONDS_MAX = 8;
/** Failures at the start that are no warning: a listing that starts with the server is there some seconds later. */
export const UNREACHABLE_AT_START_MAX = 3;
/** Seconds that a stop waits for the listing, §10.4. */
const WITHDRAWAL_SECONDS_MAX = 2;

/** A key must fit into a header. Any other text, as from a network's login page, would make later requests fail. */
const KEY = /^[!-~]+$/;

/** The requests that a registration needs. */
export interface Listing {
  readonly listing: string;
  /** The secret that its requests show this listing. */
  readonly proof: string;
  register(announcement: Announcement, key: string | undefined, signal: AbortSignal): Promise<ListingReply>;
  update(changes: Announcement, key: string, signal: AbortSignal): Promise<ListingReply>;
  withdraw(key: string, signal: AbortSignal): Promise<ListingReply>;
}

/** Stores each listing's key across restarts. */
export interface KeyStore {
  get(listing: string): Promise<string | undefined>;
  set(listing: string, key: string): Promise<void>;
}

export interface RegistrationOptions {
  readonly listing: Listing;
  readonly keys: KeyStore;
  /** The server's current announcement. */
  readonly describe: () => Announcement;
  /** From 0 to 1, exclusive; spreads retries so that servers do not retry together. */
  readonly random: () => number;
  readonly meters: ChatMeters;
  /** Present if traces are collected. */
  readonly tracing?: Tracing | undefined;
  readonly log: Logger;
}

/** Milliseconds before the next try after `failures` failures in a row. */
export function retryDelayMs(failures: number, longestSeconds: number, random: number): number {
  const seconds = Math.min(longestSeconds, RETRY_SECONDS_MIN * 2 ** (failures - 1));
  // Three quarters to all of the delay, and at least the minimum.
  return Math.max(RETRY_SECONDS_MIN, seconds * (0.75 + 0.25 * random)) * 1000;
}

/** How a property that may be absent is taken back. */
const EMPTY: Announcement = { description: "", tags: [], language: "" };

/** Whether a listing refused a request for one of these properties: one from before them refuses what it lacks. */
function refusesDescription(reply: ListingReply): boolean {
  return reply.answered && reply.status === 400 &&
    Object.keys(EMPTY).some((property) => reply.text.includes(property));
}

/** The properties whose values differ. */
export function changesBetween(announced: Announcement, now: Announcement): Announcement {
  const before = Object.entries({ ...EMPTY, ...announced });
  const known = new Map(before.map(([property, value]) => [property, JSON.stringify(value)]));
  return Object.fromEntries(
    Object.entries({ ...EMPTY, ...now }).filter(([property, value]) =>
      known.get(property) !== JSON.stringify(value)
    ),
  );
}

export class Registration {
  readonly #options: RegistrationOptions;
  readonly #abort = new AbortController();
  readonly #loop: Promise<void>;
  #stopping = false;
  #key: string | undefined;
  /** The announcement that the listing has; undefined while the server is not listed. */
  #announced: Announcement | undefined;
  #failures = 0;
  #hasAnswered = false;
  /** False while the listing is one that refuses the properties of `EMPTY`. */
  #takesDescription = true;
  #lastObjection = "";
  #wake: (() => void) | undefined;

  /** Starts to register at once. */
  constructor(options: RegistrationOptions) {
    this.#options = options;
    this.#loop = this.#run();
  }

  /** True if the server is listed, as far as it knows. */
  get isListed(): boolean {
    return this.#announced !== undefined;
  }

  /** Call after a change: sends it soon, if it concerns the announcement. */
  changed(): void {
    try {
      if (
        this.#announced !== undefined && hasAny(changesBetween(this.#announced, this.#describe()))
      ) {
        this.#wake?.();
      }
    } catch (error) {
      // Logged, because the caller has others to notify.
      this.#logBug(error);
    }
  }

  /** Withdraws; waits at most WITHDRAWAL_SECONDS_MAX. */
  async stop(): Promise<void> {
    this.#stopping = true;
    this.#wake?.();
    // Half of the time for a running request, so that its key is known; the rest for the withdrawal.
    const giveUp = setTimeout(() => this.#abort.abort(), WITHDRAWAL_SECONDS_MAX * 500);
    await this.#loop;
    clearTimeout(giveUp);
    if (this.#announced === undefined || this.#key === undefined) return;
    try {
      await this.#withdraw(this.#key);
    } catch (error) {
      this.#logBug(error);
    }
  }

  /** Stops without a withdrawal: another node goes on with the same entry. */
  async abandon(): Promise<void> {
    this.#stopping = true;
    this.#abort.abort();
    this.#wake?.();
    await this.#loop;
    this.#announced = undefined;
  }

  async #withdraw(key: string): Promise<void> {
    const abort = new AbortController();
    const deadline = setTimeout(() => abort.abort(), WITHDRAWAL_SECONDS_MAX * 500);
    let reply: ListingReply;
    try {
      reply = await this.#options.listing.withdraw(key, abort.signal);
    } finally {
      clearTimeout(deadline);
    }
    const { listing: { listing }, meters, log } = this.#options;
    meters.listingAnswered("withdraw", outcomeOf(reply));
    if (reply.answered && reply.status === 200) return log.info("listing.withdrawn", { listing });
    const values = { listing, answer: this.#reasonText(reply) };
    // A listing that stops too, as after Ctrl-C of `deno task start`, will find the server gone by itself.
    if (reply.answered && reply.status === 503) log.debug("listing.withdrawal_failed", values);
    else log.warn("listing.withdrawal_failed", values);
  }

  async #run(): Promise<void> {
    const { listing: { listing }, keys, log } = this.#options;
    try {
      this.#key = await keys.get(listing);
    } catch (error) {
      log.error("listing.key_unreadable", { listing, error });
    }
    while (!this.#stopping) {
      try {
        await (this.#announced === undefined ? this.#register() : this.#update(this.#announced));
      } catch (error) {
        this.#logBug(error);
        await this.#pause(RETRY_SECONDS_MAX * 1000);
      }
    }
  }

  #logBug(error: unknown): void {
    const { listing: { listing }, log } = this.#options;
    log.error("bug", { where: "registration", listing, error });
  }

  async #register(): Promise<void> {
    const { listing, keys, log } = this.#options;
    this.#takesDescription = true;
    let announcement = this.#describe();
    let reply = await this.#post(announcement);
    if (refusesDescription(reply) && !this.#stopping) {
      this.#takesDescription = false;
      announcement = this.#describe();
      reply = await this.#post(announcement);
    }
    if (!reply.answered || reply.status !== 201) return this.#retryLater("listing.refused", reply);
    const key = reply.text.trim();
    if (!KEY.test(key)) return this.#retryLater("listing.refused", { ...reply, text: "this is no key" });
    this.#key = key;
    this.#announced = announcement;
    this.#hasAnswered = true;
    this.#failures = 0;
    this.#lastObjection = "";
    log.info("listing.registered", { listing: listing.listing });
    try {
      await keys.set(listing.listing, this.#key);
    } catch (error) {
      // The key in memory works until the restart. After it the listing must first find the old server dead.
      log.error("listing.key_not_kept", { listing: listing.listing, error });
    }
    await this.#pause(UPDATE_INTERVAL_SECONDS * 1000, "whole");
  }

  #describe(): Announcement {
    const now = this.#options.describe();
    if (this.#takesDescription) return now;
    return Object.fromEntries(Object.entries(now).filter(([property]) => !(property in EMPTY)));
  }

  async #post(announcement: Announcement): Promise<ListingReply> {
    const { listing, tracing, meters } = this.#options;
    const reply = await traced(
      tracing,
      "register",
      { "chatter.listing": listing.listing },
      () => listing.register(announcement, this.#key, this.#abort.signal),
    );
    meters.listingAnswered("register", outcomeOf(reply));
    return reply;
  }

  async #update(announced: Announcement): Promise<void> {
    const { listing, random } = this.#options;
    if (!hasAny(changesBetween(announced, this.#describe()))) {
      await this.#pause(RENEWAL_SECONDS * (0.8 + 0.2 * random()) * 1000);
      if (this.#stopping) return;
    }
    const now = this.#describe();
    const changes = changesBetween(announced, now);
    // A renewal repeats a current value.
    const body = hasAny(changes) ? changes : { connectedUsers: now.connectedUsers };
    const reply = await listing.update(body, this.#key ?? "", this.#abort.signal);
    this.#options.meters.listingAnswered("update", outcomeOf(reply));
    if (reply.answered && reply.status === 200) {
      this.#announced = { ...announced, ...changes };
      this.#failures = 0;
      this.#lastObjection = "";
      await this.#pause(UPDATE_INTERVAL_SECONDS * 1000, "whole");
      return;
    }
    // The listing has lost the server, or refuses its key or its announcement: register again.
    if (reply.answered && (reply.status === 400 || reply.status === 401)) this.#announced = undefined;
    await this.#retryLater("listing.update_refused", reply);
  }

  async #retryLater(
    event: "listing.refused" | "listing.update_refused",
    reply: ListingReply,
  ): Promise<void> {
    if (this.#stopping) return;
    const { listing: { listing }, random, log } = this.#options;
    this.#failures++;
    this.#hasAnswered ||= reply.answered;
    const isEarly = !this.#hasAnswered && this.#failures <= UNREACHABLE_AT_START_MAX;
    const longest = reply.answered ? RETRY_SECONDS_MAX : RETRY_UNREACHABLE_SECONDS_MAX;
    const delayMs = retryDelayMs(this.#failures, longest, random());
    const answer = this.#reasonText(reply);
    const details = { listing, answer, tryAgainInSeconds: Math.round(delayMs / 100) / 10 };
    const name = reply.answered ? event : "listing.unreachable";
    const isRepeated = answer === this.#lastObjection;
    log[isEarly || isRepeated ? "debug" : "warn"](name, details);
    if (!isEarly) this.#lastObjection = answer;
    await this.#pause(delayMs, "whole");
  }

  /** The listing's answer without the key and the proof, which it may repeat. */
  #reasonText(reply: ListingReply): string {
    const answer = reasonText(reply).replaceAll(this.#options.listing.proof, "(the proof)");
    return this.#key === undefined ? answer : answer.replaceAll(this.#key, "(the key)");
  }

  /** Waits; a stop ends it at once, and so does a change unless `whole` is given. */
  async #pause(ms: number, whole?: "whole"): Promise<void> {
    if (this.#stopping) return;
    await new Promise<void>((resolve) => {
      const timer = setTimeout(resolve, ms);
      this.#wake = () => {
        if (whole && !this.#stopping) return;
        clearTimeout(timer);
        resolve();
      };
    });
    this.#wake = undefined;
  }
}

function hasAny(changes: Announcement): boolean {
  return Object.keys(changes).length > 0;
}

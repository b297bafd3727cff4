/**
 * Keeps one listing informed of this server, PROTOCOL.md §10: registers, tells changes, renews so that a
 * listing which forgot is noticed, withdraws at the end.
 *
 * Whatever the listing does, the chat goes on: nothing here is awaited by it, and every failure ends in
 * another try. How a request is made is listing_client's.
 *
 * @module
 */
import type { Announcement } from "../../src/announcement/schema.ts";
import type { Logger } from "../../src/logging/log.ts";
import { traced, type Tracing } from "../../src/metrics/tracing.ts";
import { type ListingReply, outcomeOf, reasonText } from "./listing_client.ts";
import type { ChatMeters } from "../meters.ts";

/** Seconds between two updates at least: a listing is a directory and no live feed of everyone who comes and goes. */
export const UPDATE_INTERVAL_SECONDS = 1;
/** Seconds after which an update is sent although nothing changed: that is how a listing's loss is noticed. */
export const RENEWAL_SECONDS = 15;
/** Seconds from one try to the next: doubled each time, from the first to the longest. */
export const RETRY_SECONDS_MIN = 1;
export const RETRY_SECONDS_MAX = 30;
/** The longest for a listing that does not answer at all: a refused connection costs nobody anything. */
export const RETRY_UNREACHABLE_SECONDS_MAX = 8;
/** Seconds that a stop waits for the listing at most, §10.4. */
export const WITHDRAWAL_SECONDS_MAX = 2;

/**
 * What can be sent back in a header. Anything else would make every later request fail, also after a restart:
 * a login page of some network between us and the listing, for one.
 */
const KEY = /^[!-~]+$/;

/** The requests, as registration needs them. */
export interface Listing {
  readonly listing: string;
  register(announcement: Announcement, key: string | undefined, signal: AbortSignal): Promise<ListingReply>;
  update(changes: Announcement, key: string, signal: AbortSignal): Promise<ListingReply>;
  withdraw(key: string, signal: AbortSignal): Promise<ListingReply>;
}

/** Where the key of a listing is kept over restarts. */
export interface KeyStore {
  get(listing: string): Promise<string | undefined>;
  set(listing: string, key: string): Promise<void>;
}

export interface RegistrationOptions {
  readonly listing: Listing;
  readonly keys: KeyStore;
  /** What the server says of itself now. */
  readonly describe: () => Announcement;
  /** 0 up to and without 1: spreads retries, so that servers do not come all at once. */
  readonly random: () => number;
  readonly meters: ChatMeters;
  /** There where traces are collected. */
  readonly tracing?: Tracing | undefined;
  readonly log: Logger;
}

/** Milliseconds before try `failures + 1`, after so many failures in a row. */
export function retryDelayMs(failures: number, longestSeconds: number, random: number): number {
  const seconds = Math.min(longestSeconds, RETRY_SECONDS_MIN * 2 ** (failures - 1));
  // Between three quarters and the whole, and never below the first.
  return Math.max(RETRY_SECONDS_MIN, seconds * (0.75 + 0.25 * random)) * 1000;
}

/** The properties whose values differ. */
export function changesBetween(told: Announcement, now: Announcement): Announcement {
  return Object.fromEntries(
    Object.entries(now).filter(([property, value]) => told[property as keyof Announcement] !== value),
  );
}

export class Registration {
  readonly #options: RegistrationOptions;
  readonly #abort = new AbortController();
  readonly #loop: Promise<void>;
  #stopping = false;
  #key: string | undefined;
  /** What the listing knows of us; undefined while it does not list us. */
  #told: Announcement | undefined;
  #failures = 0;
  #lastObjection = "";
  #wake: (() => void) | undefined;

  /** Begins to register at once. */
  constructor(options: RegistrationOptions) {
    this.#options = options;
    this.#loop = this.#run();
  }

  /** Whether the listing lists us, as far as is known. */
  get isListed(): boolean {
    return this.#told !== undefined;
  }

  /** Tells the listing soon what has changed since the last time. */
  changed(): void {
    try {
      if (this.#told !== undefined && hasAny(changesBetween(this.#told, this.#options.describe()))) {
        this.#wake?.();
      }
    } catch (error) {
      // Whoever tells of a change has others to tell.
      this.#logBug(error);
    }
  }

  /** Withdraws, waiting WITHDRAWAL_SECONDS_MAX at most. */
  async stop(): Promise<void> {
    this.#stopping = true;
    this.#wake?.();
    // Half of the time for a request that is under way, so that its key is known; the rest for the withdrawal.
    const giveUp = setTimeout(() => this.#abort.abort(), WITHDRAWAL_SECONDS_MAX * 500);
    await this.#loop;
    clearTimeout(giveUp);
    if (this.#told === undefined || this.#key === undefined) return;
    try {
      await this.#withdraw(this.#key);
    } catch (error) {
      this.#logBug(error);
    }
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
    if (reply.answered && reply.status === 200) log.info("listing.withdrawn", { listing });
    else log.warn("listing.withdrawal_failed", { listing, answer: this.#reasonText(reply) });
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
        await (this.#told === undefined ? this.#register() : this.#update(this.#told));
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
    const { listing, describe, keys, log } = this.#options;
    const announcement = describe();
    const reply = await traced(
      this.#options.tracing,
      "register",
      { "chatter.listing": listing.listing },
      () => listing.register(announcement, this.#key, this.#abort.signal),
    );
    this.#options.meters.listingAnswered("register", outcomeOf(reply));
    if (!reply.answered || reply.status !== 201) return this.#retryLater("listing.refused", reply);
    const key = reply.text.trim();
    if (!KEY.test(key)) return this.#retryLater("listing.refused", { ...reply, text: "this is no key" });
    this.#key = key;
    this.#told = announcement;
    this.#failures = 0;
    this.#lastObjection = "";
    log.info("listing.registered", { listing: listing.listing });
    try {
      await keys.set(listing.listing, this.#key);
    } catch (error) {
      // Until the next start the key in memory does; after it the listing has to find the old server dead.
      log.error("listing.key_not_kept", { listing: listing.listing, error });
    }
    await this.#pause(UPDATE_INTERVAL_SECONDS * 1000, "whole");
  }

  async #update(told: Announcement): Promise<void> {
    const { listing, describe, random } = this.#options;
    if (!hasAny(changesBetween(told, describe()))) {
      await this.#pause(RENEWAL_SECONDS * (0.8 + 0.2 * random()) * 1000);
      if (this.#stopping) return;
    }
    const now = describe();
    const changes = changesBetween(told, now);
    // A renewal says something that is true and changes nothing.
    const body = hasAny(changes) ? changes : { connectedUsers: now.connectedUsers };
    const reply = await listing.update(body, this.#key ?? "", this.#abort.signal);
    this.#options.meters.listingAnswered("update", outcomeOf(reply));
    if (reply.answered && reply.status === 200) {
      this.#told = { ...told, ...changes };
      this.#failures = 0;
      this.#lastObjection = "";
      await this.#pause(UPDATE_INTERVAL_SECONDS * 1000, "whole");
      return;
    }
    // It forgot us, or our key is no longer good, or it wants something else than we say: begin anew.
    if (reply.answered && (reply.status === 400 || reply.status === 401)) this.#told = undefined;
    await this.#retryLater("listing.update_refused", reply);
  }

  async #retryLater(
    event: "listing.refused" | "listing.update_refused",
    reply: ListingReply,
  ): Promise<void> {
    if (this.#stopping) return;
    const { listing: { listing }, random, log } = this.#options;
    this.#failures++;
    const longest = reply.answered ? RETRY_SECONDS_MAX : RETRY_UNREACHABLE_SECONDS_MAX;
    const delayMs = retryDelayMs(this.#failures, longest, random());
    const answer = this.#reasonText(reply);
    const details = { listing, answer, tryAgainInSeconds: Math.round(delayMs / 100) / 10 };
    // The same objection again is no news.
    if (answer === this.#lastObjection) log.debug(event, details);
    else log.warn(reply.answered ? event : "listing.unreachable", details);
    this.#lastObjection = answer;
    await this.#pause(delayMs, "whole");
  }

  /** What a listing says, without the key that it was sent and may repeat. */
  #reasonText(reply: ListingReply): string {
    const answer = reasonText(reply);
    return this.#key === undefined ? answer : answer.replaceAll(this.#key, "(the key)");
  }

  /** Waits; a stop ends it at once, a change ends it unless it is to be waited out whole. */
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

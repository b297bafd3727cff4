/**
 * A registration for tests: the test answers for the listing and moves the timers.
 *
 * @module
 */
import { assert, assertEquals } from "@std/assert";
import { mock } from "node:test";
import type { ListingReply } from "../../chat/announce/listing_client.ts";
import { type KeyStore, type Listing, Registration } from "../../chat/announce/registration.ts";
import { ChatMeters } from "../../chat/meters.ts";
import type { Announcement } from "../../src/announcement/schema.ts";
import { type RecordedLog, recordedLog } from "./recorded_log.ts";

export const URL_OF_LISTING = "http://listing.example";

export interface Request {
  readonly method: "POST" | "PUT" | "DELETE";
  readonly body: Announcement | undefined;
  readonly key: string | undefined;
  /** Whether the registration has aborted it. */
  readonly isAborted: () => boolean;
  /** Answers it, and runs everything that follows without a timer. */
  readonly answer: (status: number, text?: string) => Promise<void>;
  readonly fail: (reason: string) => Promise<void>;
}

/** Runs everything that waits for settled promises only. */
export async function promisesSettled(): Promise<void> {
  for (let i = 0; i < 50; i++) await Promise.resolve();
}

class WaitingListing implements Listing {
  readonly listing = URL_OF_LISTING;
  readonly proof = "the-proof";
  readonly requests: Request[] = [];

  register(body: Announcement, key: string | undefined, signal: AbortSignal): Promise<ListingReply> {
    return this.#request("POST", body, key, signal);
  }

  update(body: Announcement, key: string, signal: AbortSignal): Promise<ListingReply> {
    return this.#request("PUT", body, key, signal);
  }

  withdraw(key: string, signal: AbortSignal): Promise<ListingReply> {
    return this.#request("DELETE", undefined, key, signal);
  }

  #request(
    method: Request["method"],
    body: Announcement | undefined,
    key: string | undefined,
    signal: AbortSignal,
  ): Promise<ListingReply> {
    return new Promise((resolve) => {
      // As with the real client, an aborted request is answered at once.
      signal.addEventListener("abort", () => resolve({ answered: false, reason: "given up" }));
      const settle = (reply: ListingReply) => {
        resolve(reply);
        return promisesSettled();
      };
      this.requests.push({
        method,
        body,
        key,
        isAborted: () => signal.aborted,
        answer: (status, text = "") => settle({ answered: true, status, text }),
        fail: (reason) => settle({ answered: false, reason }),
      });
    });
  }
}

class MemoryKeys implements KeyStore {
  readonly kept = new Map<string, string>();
  readonly fails = { get: false, set: false };

  get(listing: string): Promise<string | undefined> {
    return this.fails.get ? Promise.reject(new Error("disk")) : Promise.resolve(this.kept.get(listing));
  }

  set(listing: string, key: string): Promise<void> {
    if (this.fails.set) return Promise.reject(new Error("disk"));
    this.kept.set(listing, key);
    return Promise.resolve();
  }
}

export class Stage {
  readonly listing = new WaitingListing();
  readonly keys = new MemoryKeys();
  readonly log: RecordedLog = recordedLog();
  /** The server's announcement. */
  now: Announcement = { serverName: "Pub", address: ":5000", connectedUsers: 0, maxUsers: 50 };
  describe: () => Announcement = () => ({ ...this.now });
  random = 0;
  #registration: Registration | undefined;
  #looked = 0;

  /** Begins to register. */
  async start(): Promise<Registration> {
    this.#registration = new Registration({
      listing: this.listing,
      keys: this.keys,
      describe: () => this.describe(),
      random: () => this.random,
      meters: new ChatMeters(),
      log: this.log.log,
    });
    await promisesSettled();
    return this.#registration;
  }

  /** Begins, and is registered with `key`. */
  async registered(key = "the-key"): Promise<Registration> {
    const registration = await this.start();
    await this.next().answer(201, key);
    return registration;
  }

  /** Changes the announcement, and notifies the registration. */
  async change(changes: Announcement): Promise<void> {
    this.now = { ...this.now, ...changes };
    this.#registration?.changed();
    await promisesSettled();
  }

  /** Moves the timers on. */
  async pass(seconds: number): Promise<void> {
    mock.timers.tick(Math.round(seconds * 1000));
    await promisesSettled();
  }

  /** The only request since the last look. */
  next(): Request {
    const fresh = this.listing.requests.slice(this.#looked);
    assertEquals(fresh.length, 1, `requests since the last look: ${fresh.map(({ method }) => method)}`);
    this.#looked++;
    return fresh[0]!;
  }

  /** Asserts that there was no request since the last look. */
  quiet(): void {
    assertEquals(this.listing.requests.slice(this.#looked).map(({ method, body }) => [method, body]), []);
  }

  /** Asserts that the next request comes after so many seconds, and not a millisecond before. */
  async nextAfter(seconds: number): Promise<Request> {
    this.quiet();
    await this.pass(seconds - 0.001);
    this.quiet();
    await this.pass(0.001);
    return this.next();
  }

  /** Stops the registration; no request is answered any more. */
  async end(): Promise<void> {
    let ended = false;
    const stop = this.#registration?.stop().then(() => ended = true);
    for (let i = 0; i < 3 && !ended; i++) await this.pass(1);
    assert(ended, "it did not stop");
    await stop;
  }
}

/** A test that moves the timers of a registration, which is stopped at its end. */
export function registrationTest(name: string, test: (stage: Stage) => Promise<void>): void {
  Deno.test(`registration ${name}`, async () => {
    mock.timers.enable({ apis: ["setTimeout"] });
    const stage = new Stage();
    try {
      await test(stage);
      await stage.end();
    } finally {
      mock.timers.reset();
    }
  });
}

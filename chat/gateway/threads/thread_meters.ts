/**
 * Adds the counts of gateway threads to those of the sequencer's thread: both have the same rows in the same order.
 * Counts since the last read of a lost thread are lost.
 *
 * @module
 */
import { steadyClock } from "../../../src/clock.ts";
import { settlesWithin } from "../../../src/deadline.ts";
import type { Logger } from "../../../src/logging/log.ts";
import { addedUp, type Meters } from "../../../src/metrics/meters.ts";
import type { Limits } from "../../../src/protocol/limits.ts";
import { WebAssets } from "../../../src/serving/web_assets.ts";
import { chatApp } from "../http_app.ts";
import type { ChatMeters } from "../../meters.ts";
import type { ThreadLink } from "./link.ts";
import { handedOn } from "./http_forwarding.ts";

/** Adds the gateways' HTTP rows to the meters of the sequencer's thread, through the same application. */
export function addRowsOfThreads(
  meters: ChatMeters,
  { isAdministered, limits, log }: {
    readonly isAdministered: boolean;
    readonly limits: Limits;
    readonly log: Logger;
  },
): void {
  chatApp({
    serverName: "",
    refusePage: neverAsked,
    upgrade: neverAsked,
    isReady: neverAsked,
    countUsers: neverAsked,
    admin: handedOn({ isAdministered, limits, answer: neverAsked }),
    assets: WebAssets.load([]),
    metrics: neverAsked,
    meters,
    steadyMs: steadyClock,
    log,
  });
}

/** Milliseconds for a gateway's answer; after that its last answer counts. */
const ANSWER_MS = 1000;

/** The gateways' counts, including ended threads, so that counters never decrease. */
export class CountsOfThreads {
  readonly #links: ReadonlySet<ThreadLink>;
  readonly #meters: Meters;
  /** The last answer of each gateway. */
  readonly #said = new Map<ThreadLink, readonly number[]>();
  /** The sum of ended threads. */
  #gone: readonly number[] | undefined;

  /** `links` are the current gateways; `meters` have the same rows. */
  constructor(links: ReadonlySet<ThreadLink>, meters: Meters) {
    this.#links = links;
    this.#meters = meters;
  }

  /** The lists of numbers to add. */
  async read(): Promise<readonly (readonly number[])[]> {
    await Promise.all(Array.from(this.#links, (link) => this.#ask(link)));
    for (const [link, numbers] of this.#said) {
      if (this.#links.has(link)) continue;
      const kept = this.#meters.withoutGauges(numbers);
      this.#gone = this.#gone === undefined ? kept : addedUp([this.#gone, kept]);
      this.#said.delete(link);
    }
    return [...this.#said.values(), ...this.#gone === undefined ? [] : [this.#gone]];
  }

  /** A thread that hangs, is gone or does not serve yet has no answer. */
  async #ask(link: ThreadLink): Promise<void> {
    const asked = link.calls.ask("meters").then((numbers) => {
      if (numbers.length > 0) this.#said.set(link, numbers);
    }, () => {});
    await settlesWithin(asked, ANSWER_MS);
  }
}

function neverAsked(): never {
  throw new Error("nothing is asked of an application that is there for its rows");
}

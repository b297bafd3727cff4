/**
 * What gateways on other threads count, so that it can be added up with what the sequencer's thread counts: the same
 * rows in the same places, those of their HTTP sides among them. What a thread that was lost had counted since it was
 * asked last is lost.
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

/** Gives the meters of the sequencer's thread the rows that those of the gateways have, by the same application. */
export async function addRowsOfThreads(
  meters: ChatMeters,
  { isAdministered, limits, log }: {
    readonly isAdministered: boolean;
    readonly limits: Limits;
    readonly log: Logger;
  },
): Promise<void> {
  chatApp({
    serverName: "",
    upgrade: neverAsked,
    isReady: neverAsked,
    admin: handedOn({ isAdministered, limits, answer: neverAsked }),
    assets: await WebAssets.load([]),
    metrics: neverAsked,
    meters,
    steadyMs: steadyClock,
    log,
  });
}

/** Milliseconds in which a gateway has to say what it has counted; past that it is what it said last. */
const ANSWER_MS = 1000;

/** What the gateways have counted, those that are gone included: what only grows is never less than it was. */
export class CountsOfThreads {
  readonly #links: ReadonlySet<ThreadLink>;
  readonly #meters: Meters;
  /** What each has said last. */
  readonly #said = new Map<ThreadLink, readonly number[]>();
  /** Of those that are gone. */
  #gone: readonly number[] | undefined;

  /** `links` are those that serve at the moment; `meters` have the same rows. */
  constructor(links: ReadonlySet<ThreadLink>, meters: Meters) {
    this.#links = links;
    this.#meters = meters;
  }

  /** The numbers to be added up. */
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

  /** One that hangs, or is gone, or does not serve yet, says nothing. */
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

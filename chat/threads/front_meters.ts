/**
 * What fronts on other threads count, so that it can be added up with what the sequencer's thread counts: the same
 * rows in the same places, those of their HTTP sides among them. What a thread that was lost had counted is lost.
 *
 * @module
 */
import { steadyClock } from "../../src/clock.ts";
import type { Logger } from "../../src/log.ts";
import type { Limits } from "../../src/protocol/limits.ts";
import { WebAssets } from "../../src/web_assets.ts";
import { chatApp } from "../app.ts";
import type { ChatMeters } from "../meters.ts";
import type { ThreadLink } from "./link.ts";
import { handedOn } from "./requests.ts";

/** Gives the meters of the sequencer's thread the rows that those of the fronts have, by the same application. */
export async function addRowsOfFronts(
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

/** What each of the fronts that serve has counted. */
export async function countsOfFronts(links: Iterable<ThreadLink>): Promise<readonly (readonly number[])[]> {
  const counts = await Promise.all(Array.from(links, ({ calls }) => calls.ask("meters").catch(() => [])));
  return counts.filter((numbers) => numbers.length > 0);
}

function neverAsked(): never {
  throw new Error("nothing is asked of an application that is there for its rows");
}

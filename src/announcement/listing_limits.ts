/**
 * The limits of a listing that have a flag, as one table, docs/listing_api.md §9.10. The command line makes flags
 * from it.
 *
 * Other limits of the listing are constants, in the file that enforces them.
 *
 * @module
 */
import type { Limit } from "../protocol/limits.ts";
import { type Rate, rateOf } from "../token_bucket.ts";

export const LISTING_LIMITS = {
  maxServers: {
    flag: "max-servers",
    description: "servers on the list",
    unit: "servers",
    default: 100_000,
    min: 1,
    max: 1_000_000,
    reason: "each server takes 1 to 4 KiB of memory and one ping per check interval",
  },
  maxServersPerOrigin: {
    flag: "max-servers-per-origin",
    description: "servers of one address",
    unit: "servers",
    default: 32,
    min: 1,
    max: 1_000_000,
    reason: "enough for a house full of servers, too few to fill the list from one address",
  },
  pingBurstPerOrigin: {
    flag: "ping-burst-per-origin",
    description: "pings that one address may cause in a burst",
    unit: "pings",
    default: 80,
    min: 1,
    max: 1_000_000,
    reason:
      "32 servers that restart together cause at most two pings each: of the incumbent and of the server itself",
  },
  pingRatePerOrigin: {
    flag: "ping-rate-per-origin",
    description: "sustained rate of pings that one address may cause",
    unit: "pings/s",
    default: 1,
    min: 0,
    max: 1_000_000,
    reason: "a ping goes to any host that the sender names; 0 turns the limit off",
  },
  writeBurstPerOrigin: {
    flag: "write-burst-per-origin",
    description: "writes of one address without a valid key in a burst",
    unit: "requests",
    default: 200,
    min: 1,
    max: 1_000_000,
    reason: "32 servers that the listing lost return with a PUT and some POSTs each",
  },
  writeRatePerOrigin: {
    flag: "write-rate-per-origin",
    description: "sustained rate of writes of one address without a valid key",
    unit: "requests/s",
    default: 5,
    min: 0,
    max: 1_000_000,
    reason: "each write without a valid key costs a read of the store; 0 turns the limit off",
  },
  maxEventStreams: {
    flag: "max-event-streams",
    description: "open event streams of the listing",
    unit: "streams",
    default: 1000,
    min: 0,
    max: 1_000_000,
    reason: "each open page holds a connection; with 0, pages poll the list instead",
  },
  maxEventStreamsPerOrigin: {
    flag: "max-event-streams-per-origin",
    description: "open event streams of one address",
    unit: "streams",
    default: 32,
    min: 1,
    max: 1_000_000,
    reason: "enough for a house full of open pages, too few to take all streams from one address",
  },
} as const satisfies Record<string, Limit>;

export type ListingLimitName = keyof typeof LISTING_LIMITS;
/** The limits in force on one listing. */
export type ListingLimits = { readonly [name in ListingLimitName]: number };

export const DEFAULT_LISTING_LIMITS: ListingLimits = Object.freeze(
  Object.fromEntries(Object.entries(LISTING_LIMITS).map(([name, limit]) => [name, limit.default])),
) as ListingLimits;

/** Networks of one IPv6 site that may use their whole share. Hosters give each customer a /64 of one /48. */
export const NETWORKS_PER_SITE = 16;

/** The rate of a whole site. */
export function siteRate(rate: Rate): Rate {
  return rateOf(() => rate.burst * NETWORKS_PER_SITE, () => rate.perSecond * NETWORKS_PER_SITE);
}

/**
 * What peers of the listing can make grow and an operator may want otherwise, PROTOCOL.md §9.10: one table, with
 * the flag that changes it, its unit, and its reason.
 *
 * The command line makes its flags from it, and a test holds PROTOCOL.md to it. Limits that nobody has to change
 * are constants where they are held.
 *
 * @module
 */
import type { Limit } from "../protocol/limits.ts";
import { type Rate, rateOf } from "../token_bucket.ts";

export const LISTING_LIMITS = {
  maxServers: {
    flag: "max-servers",
    unit: "servers",
    default: 100_000,
    min: 1,
    max: 1_000_000,
    reason: "each takes some 2 KiB of memory, and all of them are pinged once an interval",
  },
  maxServersPerOrigin: {
    flag: "max-servers-per-origin",
    unit: "servers",
    default: 32,
    min: 1,
    max: 1_000_000,
    reason: "a house full of servers, and no way to fill the list alone",
  },
  pingBurstPerOrigin: {
    flag: "ping-burst-per-origin",
    unit: "pings",
    default: 80,
    min: 1,
    max: 1_000_000,
    reason: "32 servers that restart together cost two pings each at worst, the incumbent's and their own",
  },
  pingRatePerOrigin: {
    flag: "ping-rate-per-origin",
    unit: "pings/s",
    default: 1,
    min: 0,
    max: 1_000_000,
    reason: "a ping reaches whomever the sender names; 0 switches the limit off",
  },
  writeBurstPerOrigin: {
    flag: "write-burst-per-origin",
    unit: "requests",
    default: 200,
    min: 1,
    max: 1_000_000,
    reason: "32 servers that a listing forgot come back with a PUT and some POSTs each",
  },
  writeRatePerOrigin: {
    flag: "write-rate-per-origin",
    unit: "requests/s",
    default: 5,
    min: 0,
    max: 1_000_000,
    reason: "writes without the right key cost a read of the store each; 0 switches the limit off",
  },
  maxEventStreams: {
    flag: "max-event-streams",
    unit: "streams",
    default: 1000,
    min: 0,
    max: 1_000_000,
    reason: "each open page holds a connection; 0 offers none, and pages ask for the list now and then",
  },
  maxEventStreamsPerOrigin: {
    flag: "max-event-streams-per-origin",
    unit: "streams",
    default: 32,
    min: 1,
    max: 1_000_000,
    reason: "a house full of open pages, and no way to take all streams alone",
  },
} as const satisfies Record<string, Limit>;

export type ListingLimitName = keyof typeof LISTING_LIMITS;
/** The limits in force on one listing. */
export type ListingLimits = { readonly [name in ListingLimitName]: number };

export const DEFAULT_LISTING_LIMITS: ListingLimits = Object.freeze(
  Object.fromEntries(Object.entries(LISTING_LIMITS).map(([name, limit]) => [name, limit.default])),
) as ListingLimits;

/** Networks of one IPv6 site that may use their share to the full: hosters give each customer a /64 of one /48. */
export const NETWORKS_PER_SITE = 16;

/** What a whole site may do. */
export function siteRate(rate: Rate): Rate {
  return rateOf(() => rate.burst * NETWORKS_PER_SITE, () => rate.perSecond * NETWORKS_PER_SITE);
}

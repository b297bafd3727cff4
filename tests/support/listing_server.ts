/**
 * A listing in the test's own process, on a free port of loopback, that ends with the test.
 *
 * @module
 */
import { type ListingOptions, type RunningListing, startListing } from "../../listing/mod.ts";

export function startTestListing(options: Partial<ListingOptions> = {}): Promise<RunningListing> {
  return startListing({
    hostname: "127.0.0.1",
    port: 0,
    kv: ":memory:",
    checkInterval: 60,
    trustProxy: false,
    tls: undefined,
    ...options,
  });
}

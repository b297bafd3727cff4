/**
 * A listing whose wall clock jumps while it runs, or is wrong from a start on: no server loses its entry or its id by it.
 *
 * @module
 */
import { assertEquals } from "@std/assert";
import { ID_KEPT_MS, KEY_LOST_MS } from "../../../listing/registry/rules.ts";
import { openKv } from "../../../src/kv/kv.ts";
import { ANSWERED, ListingUnderTest } from "../listing_under_test.ts";

const DAY_MS = 86_400_000;
const HOME = "198.51.100.7";
const ITS_OWN = { body: { address: ":5000" }, peer: HOME };
const PROVEN = { ...ITS_OWN, headers: { "C2-Proof": "p".repeat(43) } };

for (
  const [days, where] of [[100, "100 days ahead"], [400, "400 days ahead"], [-1, "a day behind"]] as const
) {
  Deno.test(`a listing whose clock jumps ${where} does not give away the entry of a server in use`, async () => {
    await using listing = await ListingUnderTest.start();
    const key = await listing.list(7, ITS_OWN.body, ITS_OWN);
    listing.wallAheadMs = days * DAY_MS;
    assertEquals((await listing.ask("POST", "/servers/7", ITS_OWN)).status, 409);
    listing.nowMs += KEY_LOST_MS - 1;
    assertEquals((await listing.ask("POST", "/servers/7", ITS_OWN)).status, 409);
    assertEquals((await listing.ask("PUT", "/servers/7", { key, body: {}, peer: HOME })).status, 200);
    listing.wallAheadMs = 0;
    assertEquals((await listing.ask("POST", "/servers/7", ITS_OWN)).status, 409);
    listing.nowMs += KEY_LOST_MS;
    assertEquals((await listing.ask("POST", "/servers/7", ITS_OWN)).status, 201);
  });

  Deno.test(`a listing whose clock jumps ${where} keeps the id of a proven server for its ten minutes, and no longer`, async () => {
    const kv = await openKv(":memory:");
    await using listing = new ListingUnderTest(kv);
    listing.prober.answer = (_, { proof }) => ({ ...ANSWERED, isProven: proof !== undefined });
    const key = await listing.list(7, PROVEN.body, PROVEN);
    assertEquals((await listing.ask("DELETE", "/servers/7", { key, peer: HOME })).status, 200);
    const stranger = { body: { address: "x.example" } };
    const isKept = async (by: ListingUnderTest) => {
      await by.registry.forget();
      return (await by.ask("POST", "/servers/7", stranger)).status === 409;
    };
    listing.wallAheadMs = days * DAY_MS;
    assertEquals(await isKept(listing), true);
    listing.nowMs += ID_KEPT_MS - 1;
    assertEquals(await isKept(listing), true);
    // Another process, which starts with the wrong clock, counts from its start.
    await using after = new ListingUnderTest(kv, { sharedKv: true });
    after.wallAheadMs = days * DAY_MS;
    after.prober.answer = () => ANSWERED;
    assertEquals(await isKept(after), true);
    listing.nowMs += 1;
    assertEquals(await isKept(listing), false);
  });
}

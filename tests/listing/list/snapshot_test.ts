/**
 * Lists are made once for all readers, and the origins that have written since are remembered.
 *
 * @module
 */
import { assert, assertEquals } from "@std/assert";
import { LARGE_LIST, LARGE_LIST_AGE_MS, WRITERS_MAX } from "../../../listing/list/snapshot.ts";
import { ListingUnderTest } from "../listing_under_test.ts";

async function change(listing: ListingUnderTest, connectedUsers: number): Promise<void> {
  const found = await listing.store.get(0);
  await listing.store.write(0, found?.version, { ...found!.record, connectedUsers });
}

Deno.test("a list is made once for all clients, in each order", async () => {
  await using listing = await ListingUnderTest.start();
  await listing.put(0, 3);
  for (const sort of ["id", "users", "name", "age"] as const) {
    const made = await listing.snapshot.list(sort);
    assert(await listing.snapshot.list(sort) === made);
    assert(await made.gzipped() === await made.gzipped(), "and compressed once");
    const { text } = await listing.ask("GET", `/servers?sort=${sort}`);
    assertEquals(text, new TextDecoder().decode(made.bytes));
  }
});

Deno.test("writers are remembered up to a limit, past which a long list is stale for all", async () => {
  await using listing = await ListingUnderTest.start();
  await listing.put(0, LARGE_LIST);
  listing.nowMs += LARGE_LIST_AGE_MS;
  await change(listing, 5);
  const write = (n: number) => listing.snapshot.noteWriter(`10.${n >> 16}.${n >> 8 & 255}.${n & 255}`);
  for (let n = 1; n < WRITERS_MAX; n++) write(n);
  assertEquals(listing.snapshot.isStaleFor("192.0.2.1"), false);
  write(WRITERS_MAX);
  assertEquals(listing.snapshot.isStaleFor("192.0.2.1"), true);
});

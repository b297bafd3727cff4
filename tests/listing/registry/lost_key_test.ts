/**
 * A server that lost its key and keeps its id: when it gets a new key, and why no other server does.
 *
 * @module
 */
import { assertEquals, assertStringIncludes } from "@std/assert";
import { openKv } from "../../../src/kv/kv.ts";
import { KEY_LOST_MS } from "../../../listing/registry/rules.ts";
import { ANSWERED, ListingUnderTest, SILENT } from "../listing_under_test.ts";

const HOME = "198.51.100.7";
const ITS_OWN = { body: { address: ":5000" }, peer: HOME };

Deno.test("a server that lost its key is listed again when the key was not used for five minutes", async () => {
  await using listing = await ListingUnderTest.start();
  const lost = await listing.list(7, ITS_OWN.body, ITS_OWN);
  listing.nowMs += KEY_LOST_MS - 1;
  const early = await listing.ask("POST", "/servers/7", ITS_OWN);
  assertEquals(early.status, 409);
  assertStringIncludes(early.text, `register again ${KEY_LOST_MS / 1000} s after`);
  listing.nowMs += 1;
  const pinged = listing.prober.pinged.length;
  const again = await listing.ask("POST", "/servers/7", ITS_OWN);
  assertEquals(again.status, 201);
  assertEquals(listing.prober.pinged.length - pinged, 1, "one ping is enough: it was of both");
  assertEquals((await listing.ask("PUT", "/servers/7", { key: lost, body: {}, peer: HOME })).status, 401);
  assertEquals(
    (await listing.ask("PUT", "/servers/7", { key: again.text, body: {}, peer: HOME })).status,
    200,
  );
});

Deno.test("the key is in use as long as requests come with it: no other server gets its entry", async () => {
  await using listing = await ListingUnderTest.start();
  const key = await listing.list(7, ITS_OWN.body, ITS_OWN);
  for (let renewal = 0; renewal < 30; renewal++) {
    listing.nowMs += 15_000;
    assertEquals(
      (await listing.ask("PUT", "/servers/7", { key, body: { connectedUsers: 0 }, peer: HOME })).status,
      200,
    );
    assertEquals((await listing.ask("POST", "/servers/7", ITS_OWN)).status, 409);
  }
});

Deno.test("from elsewhere, for another address, or for a server that moved it stays taken", async () => {
  await using listing = await ListingUnderTest.start();
  await listing.list(7, { address: `${HOME}:5000` }, { peer: HOME });
  listing.nowMs += 100 * KEY_LOST_MS;
  const others = [
    { body: { address: `${HOME}:5000` }, peer: "198.51.100.8" },
    { body: { address: `${HOME}:5001` }, peer: HOME },
    { body: { address: `wss://${HOME}:5000` }, peer: HOME },
    { body: { address: "own.example:5000" }, peer: HOME },
  ];
  for (const asked of others) {
    assertEquals((await listing.ask("POST", "/servers/7", asked)).status, 409, JSON.stringify(asked));
  }
  let isMoved = false;
  listing.prober.answer = async () => {
    const record = await listing.store.get(7);
    if (!isMoved && record) {
      isMoved = await listing.store.write(7, record.version, {
        ...record.record,
        address: "moved.example:5000",
      });
    }
    return ANSWERED;
  };
  assertEquals((await listing.ask("POST", "/servers/7", ITS_OWN)).status, 409);
});

Deno.test("the time in which the listing did not run is not held against a key", async () => {
  const kv = await openKv(":memory:");
  await using before = new ListingUnderTest(kv);
  await before.list(7, ITS_OWN.body, ITS_OWN);
  const after = new ListingUnderTest(kv, { sharedKv: true });
  // As if the listing had been down for a day and had just started.
  const record = await after.store.get(7);
  await after.store.write(7, record?.version, { ...record!.record, keyUsedAtMs: after.nowMs - 86_400_000 });
  assertEquals((await after.ask("POST", "/servers/7", ITS_OWN)).status, 409);
  after.nowMs += KEY_LOST_MS;
  assertEquals((await after.ask("POST", "/servers/7", ITS_OWN)).status, 201);
});

Deno.test("two that claim a lost key at once get one entry between them, and it works", async () => {
  await using listing = await ListingUnderTest.start();
  await listing.list(7, ITS_OWN.body, ITS_OWN);
  listing.nowMs += KEY_LOST_MS;
  const answers = await Promise.all([1, 2].map(() => listing.ask("POST", "/servers/7", ITS_OWN)));
  assertEquals(answers.map(({ status }) => status).sort(), [201, 409]);
  listing.prober.answer = () => SILENT;
  const key = answers.find(({ status }) => status === 201)?.text ?? "";
  assertEquals((await listing.ask("DELETE", "/servers/7", { key, peer: HOME })).status, 200);
});

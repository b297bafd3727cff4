/**
 * The listing's page with some servers that are not there, for the documents.
 *
 * @module
 */
import type { Stage } from "../support/browser.ts";
import { ABROAD_RECORD } from "../listing/abroad_record.ts";
import { ListingUnderTest } from "../listing/listing_under_test.ts";
import { type Sample, SAMPLES_KEPT, slotOf } from "../../listing/store/sample_store.ts";
import type { ServerRecord } from "../../listing/store/store.ts";
import { type Scene, VIEWS } from "./screenshots.ts";

const HOUR_MS = 3_600_000;

const SERVERS: readonly [
  name: string,
  address: string,
  users: number,
  max: number,
  hours: number,
  ms: number,
][] = [
  ["The Corner Pub", "pub.example:5000", 41, 50, 2300, 12],
  ["Rust & Coffee", "wss://rust.example:5001", 24, 100, 700, 31],
  ["Board games on Thursdays", "games.example.org:5000", 20, 20, 99, 24],
  ["Ελληνικό καφενείο", "kafe.example:5000", 12, 40, 30, 48],
  ["Late shift", "[2001:db8::17]:5000", 5, 50, 7, 90],
  ["שיחות ערב", "erev.example:5000", 3, 25, 3, 65],
  ["Test lounge", "203.0.113.9:5000", 0, 50, 0.4, 18],
];

/** What some of them say that they are, in their order. */
const SAID: readonly Partial<ServerRecord>[] = [
  {
    description: "A quiet place after work, all are welcome",
    tags: ["off-topic", "evening"],
    language: "en-GB",
  },
  {
    description: "Rust, async and good beans: questions of beginners too",
    tags: ["rust", "programming", "coffee"],
  },
  { tags: ["games", "boardgames"], language: "en" },
  { description: "Καφές και κουβέντα", language: "el" },
  {},
  { description: "שיחה נעימה בערב", tags: ["evening"], language: "he" },
];

/** More people in the evening of each server, and some at random that is the same at each run. */
function sampleOf(slot: number): Sample {
  const users = SERVERS.map(([, , now, max], id) => {
    const day = Math.sin((slot + id * 40) / SAMPLES_KEPT * 2 * Math.PI) / 2 + 0.6;
    const noise = Math.sin(slot * 12.9898 + id * 78.233) * 0.15;
    return Math.round(Math.min(max, Math.max(0, now * (day + noise))));
  });
  return { slot, ids: Float64Array.from(SERVERS.keys()), users: Uint32Array.from(users) };
}

export const listingScene: Scene = async (stage: Stage, shoot) => {
  await using listing = await ListingUnderTest.start();
  listing.nowMs = Date.now();
  for (const [id, [serverName, address, connectedUsers, maxUsers, hours, roundTripMs]] of SERVERS.entries()) {
    const onlineSince = Date.now() - hours * HOUR_MS;
    const checks = Math.ceil(hours * 60) + 1;
    await listing.store.write(id, undefined, {
      ...ABROAD_RECORD,
      ...{ id, serverName, address, connectedUsers, maxUsers, roundTripMs, onlineSince, checks },
      ...SAID[id],
      keyUsedAtMs: Date.now() - HOUR_MS,
      peakUsers: Math.min(maxUsers, Math.ceil(connectedUsers * 1.3)),
      answered: id % 3 === 1 ? Math.floor(checks * 0.996) : checks,
    });
  }
  const lastSlot = slotOf(listing.nowMs);
  for (let slot = lastSlot - SAMPLES_KEPT + 1; slot <= lastSlot; slot++) listing.people.add(sampleOf(slot));
  const server = Deno.serve(
    { hostname: "127.0.0.1", port: 0, onListen: () => {} },
    (request) => listing.app.fetch(request, { peer: "127.0.0.1", arrivedAt: "127.0.0.1" }),
  );
  for (const [suffix, view] of Object.entries(VIEWS)) {
    const page = await stage.visitor(view);
    await page.goto(`http://127.0.0.1:${server.addr.port}/`);
    await page.waitForSelector('#state[data-state="live"]');
    await shoot(page, suffix);
    await page.close();
  }
  listing.events.close();
  await server.shutdown();
};

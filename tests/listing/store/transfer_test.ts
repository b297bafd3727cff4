/**
 * The rows of a listing's import: those at a limit are shown, and one past it is refused.
 *
 * @module
 */
import { Buffer } from "node:buffer";
import { assertEquals, assertMatch } from "@std/assert";
import { USERS_MAX } from "../../../src/announcement/announcement.ts";
import { ListingTransfer } from "../../../listing/store/transfer.ts";
import { ABROAD_RECORD } from "../abroad_record.ts";
import { ListingUnderTest } from "../listing_under_test.ts";

/** The latest time that has a date. */
const LAST_MS = 8.64e15;

function row(id: number, more: object = {}) {
  const keyHash = Buffer.from(ABROAD_RECORD.keyHash).toString("base64url");
  return { kind: "server", ...ABROAD_RECORD, id, keyHash, ...more };
}

Deno.test("an imported server is shown at every limit of its row, and refused past it", async () => {
  await using listing = await ListingUnderTest.start();
  const transfer = new ListingTransfer(listing.store, 1);
  const latest = { onlineSince: LAST_MS, sinceMs: LAST_MS, peakAtMs: LAST_MS, keyUsedAtMs: LAST_MS };
  const most = { connectedUsers: USERS_MAX, maxUsers: USERS_MAX, peakUsers: USERS_MAX };
  const good = row(7, { ...latest, ...most, checks: 1, answered: 1 });
  assertEquals(await transfer.accept([good]), { taken: 1, skipped: 0 });
  for (const path of ["/", "/servers/7"]) {
    const { status, text } = await listing.ask("GET", path, { headers: { accept: "text/html" } });
    assertEquals(status, 200, text);
    assertMatch(text, /1,000,000 of 1,000,000, full/);
  }
  const bad: [object, RegExp][] = [
    ...Object.keys(latest).map((
      name,
    ): [object, RegExp] => [{ [name]: LAST_MS + 1 }, new RegExp(`^${name}: `)]),
    ...Object.keys(most).map((
      name,
    ): [object, RegExp] => [{ [name]: USERS_MAX + 1 }, new RegExp(`^${name}: `)]),
    [{ checks: 0, answered: 0 }, /^checks: /],
    [{ checks: 1, answered: 2 }, /^answered: /],
  ];
  for (const [fields, says] of bad) {
    const came = await transfer.accept([row(8), row(9, fields)]);
    assertEquals(
      "problem" in came && [says.test(came.problem), came.row],
      [true, 1],
      JSON.stringify([fields, came]),
    );
  }
  assertEquals([await listing.shown(8), await listing.shown(9)], [undefined, undefined]);
});

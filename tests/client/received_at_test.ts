/**
 * When a message was received, as a client shows it.
 *
 * @module
 */
import { assertEquals } from "@std/assert";
import fc from "fast-check";
import { receivedAtMs } from "../../src/client/session/received_at.ts";
import { FakeDriver } from "../support/fake_driver.ts";
import { idAt } from "../support/journal_stage.ts";
import { runs } from "../support/property_runs.ts";

const NOW_MS = Date.UTC(2026, 0, 2);
const DAY_MS = 86_400_000;

Deno.test("a message's time is what the history says, also where that is ahead or long ago", () => {
  const uuid = idAt(NOW_MS);
  for (const received of [0, NOW_MS, NOW_MS + 400 * DAY_MS, 8.64e15]) {
    assertEquals(receivedAtMs(uuid, received, NOW_MS), received);
  }
});

Deno.test("a message's time without history is its id's, and the present one where the id runs ahead", () => {
  assertEquals(receivedAtMs(idAt(NOW_MS - 5000), undefined, NOW_MS), NOW_MS - 5000);
  assertEquals(receivedAtMs(idAt(NOW_MS + 400 * DAY_MS), undefined, NOW_MS), NOW_MS);
});

Deno.test("a message's time is one that a date can have, whatever a server sends", () => {
  fc.assert(
    fc.property(
      fc.oneof(fc.string(), fc.uuid()),
      fc.option(fc.double(), { nil: undefined }),
      (uuid, received) => {
        const ms = receivedAtMs(uuid, received, NOW_MS);
        assertEquals(Number.isNaN(new Date(ms).getTime()), false, `${ms}`);
      },
    ),
    runs(300),
  );
});

Deno.test("a session shows each message of a server whose ids run ahead with the time at which it came", () => {
  const driver = new FakeDriver();
  driver.wallMs = NOW_MS;
  const entry = (n: number, received: number) => ({
    uuid: idAt(NOW_MS + 400 * DAY_MS + n),
    username: "bob",
    timestamp: 1,
    message: `text ${n}`,
    edited: false,
    received,
  });
  driver.enter("alice", { history: JSON.stringify([entry(1, NOW_MS - 60_000), entry(2, NOW_MS - 30_000)]) });
  for (const n of [3, 4]) {
    driver.wallMs += 1000;
    driver.receive(`c2/MSG bob; 1; ${idAt(NOW_MS + 400 * DAY_MS + n)}; text ${n}`);
  }
  const shown = driver.events.flatMap((event) => event.type === "message" ? [event.message.receivedMs] : []);
  assertEquals(shown, [NOW_MS + 1000, NOW_MS + 2000]);
});

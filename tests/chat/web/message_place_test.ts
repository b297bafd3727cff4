/**
 * Which messages go on with the group of the one before, from whichever message on rows are made.
 *
 * @module
 */
import { assertEquals } from "@std/assert";
import { MessageLog } from "../../../chat/web/log/message_log.ts";
import { placeOf } from "../../../chat/web/log/message_place.ts";

const NOON_MS = Date.UTC(2026, 10, 30, 12);

Deno.test("where groups begin does not depend on the message whose row is made first", () => {
  // By minute: a break in the middle, a notice, another author, and groups that end by time.
  const minutes = [0, 1, 2, 4, 5, 6, 9, 20, 21, 24, 25, 26, 27, 30];
  const goesOnFrom = (first: number) => {
    const log = new MessageLog();
    for (const [n, minute] of minutes.entries()) {
      const username = n === 10 ? "carol" : "bob";
      const ms = NOON_MS + minute * 60_000;
      const uuid = String(n).padStart(4, "0");
      log.upsert(
        { uuid, username, timestamp: ms, receivedMs: ms, isOwn: false, text: "hi", edited: false },
        true,
      );
      if (n === 5) log.addNotice(["dave joined"]);
    }
    const entries = Array.from({ length: log.end - log.start }, (_, n) => log.at(log.start + n)!);
    return entries.slice(first).map((entry) =>
      entry.kind === "message" ? placeOf(entry, log, undefined, () => false).goesOn : undefined
    );
  };
  const whole = goesOnFrom(0);
  assertEquals(whole.filter((goesOn) => goesOn === false).length, 6);
  for (let first = 0; first < whole.length; first++) assertEquals(goesOnFrom(first), whole.slice(first));
});

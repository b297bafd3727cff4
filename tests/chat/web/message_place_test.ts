/**
 * Which messages go on with the group of the one before, from whichever message on rows are made.
 *
 * @module
 */
import { assertEquals } from "@std/assert";
import { MessageLog } from "../../../chat/web/log/message_log.ts";
import { GROUP_MAX, placeOf } from "../../../chat/web/log/message_place.ts";

const NOON_MS = Date.UTC(2026, 10, 30, 12);

/** A message of this author, received after so many minutes. */
function message(n: number, username: string, minute: number) {
  const ms = NOON_MS + minute * 60_000;
  const uuid = String(n).padStart(4, "0");
  return { uuid, username, timestamp: ms, receivedMs: ms, isOwn: false, text: "hi", edited: false };
}

Deno.test("where groups begin does not depend on the message whose row is made first", () => {
  // By minute: a break in the middle, a notice, another author, and groups that end by time.
  const minutes = [0, 1, 2, 4, 5, 6, 9, 20, 21, 24, 25, 26, 27, 30];
  const goesOnFrom = (first: number) => {
    const log = new MessageLog();
    for (const [n, minute] of minutes.entries()) {
      log.upsert(message(n, n === 10 ? "carol" : "bob", minute), true);
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

Deno.test("the group of a message is looked for among so many before it, and no more", () => {
  const log = new MessageLog();
  for (let n = 0; n < GROUP_MAX + 2; n++) log.upsert(message(n, "bob", 0), true);
  const entries = Array.from({ length: log.end - log.start }, (_, n) => log.at(log.start + n)!);
  const last = entries.at(-1)!;
  if (last.kind === "message") placeOf(last, log, undefined, () => false);
  const known = entries.filter((entry) => entry.kind === "message" && entry.groupMs !== undefined);
  assertEquals([known.length, entries.indexOf(known[0]!)], [GROUP_MAX + 1, 1]);
});

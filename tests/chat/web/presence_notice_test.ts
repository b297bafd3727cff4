/**
 * The notice of those who came and went: one row for many, with the last change of each.
 *
 * @module
 */
import { assertEquals } from "@std/assert";
import { type Presence, PRESENCES_MAX, presenceWords } from "../../../chat/web/people/presence_notice.ts";
import { MessageLog, type NoticeEntry } from "../../../chat/web/log/message_log.ts";

function text(entry: Pick<NoticeEntry, "words">): string {
  return entry.words().map((word) => typeof word === "string" ? word : word.name).join("");
}

function said(...changes: [string, Presence][]): string {
  return text({ words: () => presenceWords(new Map(changes)) });
}

Deno.test("up to three names are written out for each change, and the others counted", () => {
  assertEquals(said(["a", "joined"]), "a joined");
  assertEquals(said(["a", "joined"], ["b", "joined"]), "a and b joined");
  assertEquals(said(["a", "joined"], ["b", "joined"], ["c", "joined"]), "a, b and c joined");
  const four = ["a", "b", "c", "d"].map((name): [string, Presence] => [name, "joined"]);
  assertEquals(said(...four), "a, b, c and 1 other joined");
  assertEquals(
    said(...four, ["e", "joined"], ["f", "left"], ["g", "lost the connection"]),
    "a, b, c and 2 others joined; f left; g lost the connection",
  );
});

Deno.test("twelve who join are one entry, until a message or another notice is in between", () => {
  const log = new MessageLog();
  for (let n = 1; n <= 12; n++) log.addPresence(`user ${n}`, "joined");
  const entry = log.addPresence("user 1", "left");
  assertEquals([log.end, text(entry)], [1, "user 2, user 3, user 4 and 8 others joined; user 1 left"]);
  log.addNotice(["said"]);
  assertEquals(text(log.addPresence("user 2", "left")), "user 2 left");
  assertEquals(log.end, 3);
});

Deno.test("an entry holds as many users as the limit says, and the next one begins another", () => {
  const log = new MessageLog();
  for (let n = 0; n < PRESENCES_MAX; n++) log.addPresence(`user ${n}`, "joined");
  assertEquals(log.end, 1);
  log.addPresence("one more", "joined");
  assertEquals(log.end, 2);
});

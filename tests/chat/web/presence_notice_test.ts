/**
 * The notice of those who came and went: one row for many, with the last change of each.
 *
 * @module
 */
import { assertEquals } from "@std/assert";
import {
  BRIEF_MS,
  type Presence,
  Presences,
  PRESENCES_MAX,
} from "../../../chat/web/people/presence_notice.ts";
import { MessageLog, type NoticeEntry } from "../../../chat/web/log/message_log.ts";

function text(entry: Pick<NoticeEntry, "words">, isWhole = false): string {
  return entry.words(isWhole).map((word) =>
    typeof word === "string" ? word : "more" in word ? `[${word.more}]` : word.name
  ).join("");
}

function noted(...changes: [string, Presence, atMs?: number][]): Presences {
  const presences = new Presences();
  for (const [name, presence, atMs = 0] of changes) presences.add(name, presence, atMs);
  return presences;
}

function said(...changes: [string, Presence, atMs?: number][]): string {
  return text(noted(...changes));
}

Deno.test("up to three names are written out for each change, and the others counted", () => {
  assertEquals(said(["a", "joined"]), "a joined");
  assertEquals(said(["a", "joined"], ["b", "joined"]), "a and b joined");
  assertEquals(said(["a", "joined"], ["b", "joined"], ["c", "joined"]), "a, b and c joined");
  const four = ["a", "b", "c", "d"].map((name): [string, Presence] => [name, "joined"]);
  assertEquals(said(...four), "a, b, c and [1 other] joined");
  assertEquals(
    said(...four, ["e", "joined"], ["f", "left"], ["g", "lost the connection"]),
    "a, b, c and [2 others] joined; f left; g lost the connection",
  );
  assertEquals(text(noted(...four, ["e", "joined"]), true), "a, b, c, d and e joined");
});

Deno.test("two opposite changes of a user within a minute are left out, and later ones are not", () => {
  assertEquals(said(["a", "joined"], ["a", "left", BRIEF_MS - 1]), "");
  assertEquals(
    said(["a", "lost the connection"], ["a", "joined", BRIEF_MS - 1], ["b", "joined"]),
    "b joined",
  );
  assertEquals(said(["a", "joined"], ["a", "left", BRIEF_MS]), "a left");
  assertEquals(said(["a", "lost the connection"], ["a", "left", 1]), "a left");
});

Deno.test("twelve who join are one entry, until a message or another notice is in between", () => {
  const log = new MessageLog();
  for (let n = 1; n <= 12; n++) log.addPresence(`user ${n}`, "joined", 0);
  const entry = log.addPresence("user 1", "left", BRIEF_MS);
  assertEquals([log.end, text(entry)], [1, "user 2, user 3, user 4 and [8 others] joined; user 1 left"]);
  log.addNotice(["said"]);
  assertEquals(text(log.addPresence("user 2", "left", 0)), "user 2 left");
  assertEquals(log.end, 3);
});

Deno.test("an entry holds as many users as the limit says, and the next one begins another", () => {
  const log = new MessageLog();
  for (let n = 0; n < PRESENCES_MAX; n++) log.addPresence(`user ${n}`, "joined", 0);
  assertEquals(log.end, 1);
  log.addPresence("one more", "joined", 0);
  assertEquals(log.end, 2);
});

/**
 * For what the user is called back, what a notification says, and what the tab shows.
 *
 * @module
 */
import { assertEquals } from "@std/assert";
import {
  isCalled,
  notificationWords,
  parseChoice,
  writeChoice,
} from "../../../chat/web/notifications/notification_choice.ts";
import { iconPath, titleMark } from "../../../chat/web/notifications/tab_mark.ts";

Deno.test("the choice is kept as words, and by default a sound calls for mentions", () => {
  assertEquals(parseChoice(""), { calledFor: "mentions", hasSound: true, hasNotifications: false });
  assertEquals(parseChoice("no such words"), parseChoice(""));
  for (const calledFor of ["mentions", "all", "nothing"] as const) {
    for (const hasSound of [false, true]) {
      for (const hasNotifications of [false, true]) {
        const choice = { calledFor, hasSound, hasNotifications };
        assertEquals(parseChoice(writeChoice(choice)), choice);
        assertEquals(isCalled(choice, true), calledFor !== "nothing");
        assertEquals(isCalled(choice, false), calledFor === "all");
      }
    }
  }
});

Deno.test("messages that come together are one notification, of the mention if one of them is", () => {
  const message = (text: string, isMention = false) => ({ username: `by ${text}`, text, isMention });
  assertEquals(notificationWords([], "The Inn"), undefined);
  assertEquals(notificationWords([message("one")], "The Inn"), { title: "by one in The Inn", body: "one" });
  assertEquals(notificationWords([message("one", true), message("two")], "The Inn"), {
    title: "by one mentions you in The Inn",
    body: "one\n1 more message",
  });
  assertEquals(
    notificationWords([message("> alice: is it late?\n**very**", true)], "The Inn")?.body,
    "very",
    "of a reply the answer, and without marks",
  );
  assertEquals(
    notificationWords([message("one"), message("two"), message("x".repeat(4000))], "I")?.body,
    [
      "x".repeat(300),
      "2 more messages",
    ].join("\n"),
  );
});

Deno.test("the tab shows the count, and another mark for a mention", async () => {
  const cases: [count: number, mentions: number, title: string, icon: string][] = [
    [0, 0, "", "chat/web/icon.svg"],
    [1, 0, "(1) ", "chat/web/notifications/icon_1.svg"],
    [9, 0, "(9) ", "chat/web/notifications/icon_9.svg"],
    [10, 0, "(10) ", "chat/web/notifications/icon_many.svg"],
    [3, 1, "@ (3) ", "chat/web/notifications/icon_mention.svg"],
  ];
  for (const [count, mentions, title, icon] of cases) {
    assertEquals([titleMark({ count, mentions }), iconPath({ count, mentions })], [title, icon]);
  }
  for (let count = 0; count <= 10; count++) {
    assertEquals((await Deno.stat(iconPath({ count, mentions: 0 }))).isFile, true);
  }
});

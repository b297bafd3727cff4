/**
 * A message without the marks that format it.
 *
 * @module
 */
import { assertEquals } from "@std/assert";
import { readableText } from "../../src/text/readable_text.ts";

Deno.test("a message reads without marks of bold, code, quotes and actions, and with all of its words", () => {
  const cases: [text: string, read: string][] = [
    ["**ten *long* minutes** ~~late~~ at `7:42`", "ten long minutes late at 7:42"],
    ["/me waves *twice*", "waves twice"],
    ["see:\n```sh\n$ tail\n```\ndone", "see:\n$ tail\ndone"],
    ["> bob: is it *late*?\nyes", "bob: is it late?\nyes"],
    ["> bob: /me waves *twice*\nhello", "bob waves twice\nhello"],
    ["> bob: /me\nhello", "bob: /me\nhello"],
    ["> only\n> quoted", "only\nquoted"],
    ["@bob 2 * 3 https://a.example/b_c_d", "@bob 2 * 3 https://a.example/b_c_d"],
    ["", ""],
  ];
  for (const [text, read] of cases) assertEquals(readableText(text), read);
});

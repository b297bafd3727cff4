/**
 * Web addresses in texts: what belongs to one, in any script.
 *
 * @module
 */
import { assertEquals } from "@std/assert";
import fc from "fast-check";
import { linkParts } from "../../src/text/links.ts";
import { codePoint } from "../support/code_point.ts";
import { runs } from "../support/property_runs.ts";

Deno.test("addresses in a text are found with where they lead, and end where a sentence goes on", () => {
  const cases: [text: string, ...links: string[]][] = [
    ["see https://example.org/a?b=c#d.", "https://example.org/a?b=c#d"],
    ["(https://example.org/x_(y))", "https://example.org/x_(y)"],
    ["<https://example.org> and HTTP://EXAMPLE.org/A!", "https://example.org", "HTTP://EXAMPLE.org/A"],
    ["javascript:alert(1) data:text/html,a ftp://a.b file:///etc mailto:a@b"],
    ["https://a\u202Egro.elgoog/", "https://a"],
    // A user before the host looks like the host.
    ["https://example.org@other.net https://user:secret@other.net/a https://@other.net"],
    ["https://example.org/@user?a=@b", "https://example.org/@user?a=@b"],
    ["http://[ https://"],
    // What ends text ends an address, in any script; a host is not made longer by what looks like a dot.
    ["https://example.com。谢谢", "https://example.com"],
    ["https://example.com，好", "https://example.com"],
    ["（https://example.com/a）「https://example.com/b」", "https://example.com/a", "https://example.com/b"],
    ["“https://example.com/a” «https://example.com/b»", "https://example.com/a", "https://example.com/b"],
    ["https://example.com/a、https://example.com/b", "https://example.com/a", "https://example.com/b"],
    [
      "https://example.com؟ https://example.com। https://example.com๛",
      ...Array(3).fill("https://example.com"),
    ],
    ["https://example.com．evil.example https://example.com｡evil", ...Array(2).fill("https://example.com")],
    ["https://exampl⒈com https://example%2Ecom"],
    ["**https://example.com/a**, https://example.com/b👍", "https://example.com/a", "https://example.com/b"],
    ["https://example.com/a?b=…", "https://example.com/a?b="],
    // What is part of words is part of addresses.
    ["https://ja.wikipedia.org/wiki/ジョン・レノン。", "https://ja.wikipedia.org/wiki/ジョン・レノン"],
    ["https://col·lecció.cat/ruïna·", "https://col·lecció.cat/ruïna"],
    ["https://de.wikipedia.org/wiki/A–B", "https://de.wikipedia.org/wiki/A–B"],
    ["https://пример.испытание/путь?я=1", "https://пример.испытание/путь?я=1"],
    ["https://a.com・https://b.com", "https://a.com", "https://b.com"],
    ["http://[::1]:5000/a", "http://[::1]:5000/a"],
    // What formats an address is not part of it; the same at its end alone is.
    ["_https://a.com/b_ ~~https://a.com~~", "https://a.com/b", "https://a.com"],
    ["https://a.com/b_ https://a.com/~", "https://a.com/b_", "https://a.com/~"],
  ];
  for (const [text, ...links] of cases) {
    const found = linkParts(text);
    assertEquals(found.filter(({ href }) => href !== undefined).map(({ text }) => text), links, text);
    assertEquals(found.every(({ href }) => href === undefined || /^https?:\/\//.test(href)), true);
  }
});

Deno.test("the parts of any text are the text", () => {
  // Not fc.webUrl(), which takes a second to begin with.
  const webUrl = fc.stringMatching(
    /^https?:\/\/[a-z0-9.-]{1,20}(?::[0-9]{1,5})?(?:\/[a-z0-9%&=?#~().,;'_-]{0,30})?$/,
  );
  const text = fc.array(
    fc.oneof(fc.string({ unit: codePoint }), webUrl, fc.constantFrom("(", ").", " ", "https://")),
  );
  fc.assert(
    fc.property(text, (pieces) => {
      const whole = pieces.join("");
      assertEquals(linkParts(whole).map(({ text }) => text).join(""), whole);
    }),
    runs(300),
  );
});

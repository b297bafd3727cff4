/**
 * Usernames: a table of what is one and what is not, which are the same, and properties over any text.
 *
 * @module
 */
import { assert, assertEquals } from "@std/assert";
import fc from "fast-check";
import { fault } from "../../src/protocol/faults.ts";
import { foldName, nearestUsername, parseUsername } from "../../src/protocol/names.ts";
import { superlinear } from "../support/growth.ts";
import { runs } from "../support/property_runs.ts";

const NAMES = [
  "alice",
  "Alice",
  "a",
  "0",
  "_",
  "-",
  ".",
  "a.b-c_d",
  "john doe",
  "a b c",
  "日本語",
  "Ελλάδα",
  "Привет",
  "שלום",
  "עִבְרִית",
  "हिन्दी",
  "ไทย",
  "é",
  "e\u0301",
  "½",
  "Ⅷ",
  "😀",
  "😀😀",
  "alice😀",
  "❤",
  "❤️",
  "👍🏽",
  "👩‍👩‍👧‍👦",
  "🏳️‍🌈",
  "🇩🇪",
  "1️⃣",
  "x".repeat(32),
  "👍".repeat(32),
]; // deno-fmt-ignore
const MALFORMED = [
  " alice", "alice ", " ", "a  b", "a\tb", "a\nb", "a\u00a0b", "a\u2003b", "a;b", "a,b", "[a", "a]", "a/b", "<b>", "a@b",
  "a'b", 'a"b', "a\\b", "a&b", "#a", "$a", "a+b", "a\u0000b", "a\u001bb", "a\u007fb", "a\u0085b", "a\u200bb", "a\u200cb", "a\u200db",
  "a\u2060b", "\ufeffa", "a\u00adb", "a\u061cb", "a\u200eb", "a\u202eb", "a\u2066b", "a\ufe0f", "\u034fa", "\u3164", "\uffa0", "\u115f",
  "\u2800", "\ue000", "\u{f0000}", "\ufffd", "\ud800", "\u0301a", "a\u2028b", "\u{e0061}a", "🏴\u{e0067}\u{e0062}\u{e007f}", "\u{10ffff}",
]; // deno-fmt-ignore

Deno.test("parseUsername() takes letters, marks, numbers, emoji, _ - . and single inner spaces", () => {
  for (const name of NAMES) {
    const parsed = parseUsername(name);
    assertEquals("fault" in parsed ? parsed.fault : parsed.shown, name.normalize("NFC"), JSON.stringify(name));
  }
});

Deno.test("parseUsername() refuses separators, blanks around, controls, and everything that cannot be seen", () => {
  for (const name of MALFORMED) {
    const parsed = parseUsername(name);
    assertEquals("fault" in parsed ? parsed.fault : parsed.shown, "NAME_MALFORMED", JSON.stringify(name));
  }
});

Deno.test("parseUsername() counts code points after normalising: 32 are taken, 33 are not, none is missing", () => {
  const fault = (name: string) => {
    const parsed = parseUsername(name);
    return "fault" in parsed ? parsed.fault : undefined;
  };
  assertEquals(fault("e\u0301".repeat(32)), undefined);
  assertEquals(fault("x".repeat(33)), "NAME_TOO_LONG");
  assertEquals(fault("👍".repeat(33)), "NAME_TOO_LONG");
  assertEquals(fault("x".repeat(65_536)), "NAME_TOO_LONG");
  assertEquals(fault(""), "NAME_MISSING");
});

Deno.test("foldName() joins what a reader takes for the same name, and only that", () => {
  const same = [
    ["alice", "ALICE", "ａｌｉｃｅ", "Alice"],
    ["straße", "STRASSE", "STRAẞE"],
    ["ὈΔΥΣΣΕΎΣ", "ὀδυσσεύς", "ὀδυσσεύσ"],
    ["ﬁn", "fin", "FIN"],
    ["é", "e\u0301", "É"],
    ["①", "1"],
    ["❤", "❤️"],
    ["Å", "\u212b", "å"],
  ];
  for (const names of same) {
    assertEquals(new Set(names.map(foldName)).size, 1, names.join(" "));
  }
  assertEquals(new Set(same.map(([name]) => foldName(name!))).size, same.length);
});

Deno.test("a name is never anything that would break a frame or a list, and parsing it again changes nothing", () => {
  fc.assert(
    fc.property(fc.string({ unit: "grapheme", minLength: 1, maxLength: 40 }), (written) => {
      const parsed = parseUsername(written);
      if ("fault" in parsed) return;
      assert(!/[;,[\]\p{Cc}\p{Zl}\p{Zp}\p{Bidi_Control}]|^\s|\s$|\s\s/u.test(parsed.shown), written);
      assertEquals(parseUsername(parsed.shown), parsed);
      assertEquals(foldName(parsed.folded), parsed.folded);
    }),
    runs(1000),
  );
});

Deno.test("the username nearest to a server's name is that name where it is one, and else what may stay of it", () => {
  const nearest: [string, string][] = [
    ["Chatter Server", "Chatter Server"],
    ["Café", "Café"],
    ["The Pub; est. 1990", "The Pub est. 1990"],
    ["[dev] chat, v2", "dev chat v2"],
    ["  a\t b ", "a b"],
    ["हिन्दी; चैट", "हिन्दी चैट"],
    ["Tea & 👩‍👩‍👧‍👦 Room!", "Tea 👩‍👩‍👧‍👦 Room"],
    ["x".repeat(31) + " yz", "x".repeat(31)],
    ["x".repeat(64), "x".repeat(32)],
    [";\u0301a", "a"],
    [";;;", "Server"],
    ["", "Server"],
  ];
  for (const [name, username] of nearest) assertEquals(nearestUsername(name, "Server").shown, username, name);
});

Deno.test("the username nearest to any text is a username, and the nearest to a username is itself", () => {
  fc.assert(
    fc.property(fc.string({ unit: "grapheme", maxLength: 64 }), (text) => {
      const { shown, folded } = nearestUsername(text, "Server");
      assertEquals(parseUsername(shown), { shown, folded });
      assertEquals(nearestUsername(shown, "Server"), { shown, folded });
    }),
    runs(1000),
  );
});

Deno.test("a name of emoji that end in a wrong character is refused at once, however its emoji can be divided", async () => {
  // A hand and a skin tone are one emoji or two: 2^16 divisions of the longest name.
  const name = (emoji: number) => "👋🏻".repeat(emoji) + "!";
  assertEquals(parseUsername(name(15)), fault("NAME_MALFORMED"));
  const work = (n: number) => () => {
    for (let i = 0; i < 100; i++) parseUsername(name(n / 4 - 1));
  };
  assertEquals(await superlinear(work, 64), undefined);
});

/**
 * Which names may not be on a server together, and which may: a table, and that being alike does not depend
 * on who came first.
 *
 * @module
 */
import { assert, assertEquals } from "@std/assert";
import fc from "fast-check";
import { areTooAlike, nameKeys } from "../src/lookalikes.ts";
import { parseUsername, type Username } from "../src/protocol/names.ts";
import { runs } from "./support/property_runs.ts";

function named(name: string): Username {
  const username = parseUsername(name);
  if ("fault" in username) throw new Error(`${JSON.stringify(name)} is no name: ${username.fault}`);
  return username;
}

/** By their keys, as the room and the bans judge it, and by the function that says it outright. */
function areAlike(a: string, b: string): boolean {
  const ofB = nameKeys(named(b));
  const shareAKey = nameKeys(named(a)).some((key) => ofB.includes(key));
  assertEquals(areTooAlike(named(a), named(b)), shareAKey);
  return shareAKey;
}

const ALIKE: [string, string][] = [
  // Letter case and compatibility forms.
  ["alice", "ALICE"],
  ["alice", "ａｌｉｃｅ"],
  ["alice", "𝒶𝓁𝒾𝒸ℯ"],
  ["Ian", "ian"],
  ["Вася", "вася"],
  ["Νίκος", "ΝΊΚΟΣ"],
  ["straße", "STRASSE"],
  ["ﬁn", "fin"],
  ["é", "e\u0301"],
  ["①", "1"],
  // Other scripts.
  ["paypal", "раураl"],
  ["PAYPAL", "РАУРАL"],
  ["paypal", "pаypal"],
  ["alice", "аlice"],
  ["alice", "аlісе"],
  ["Bob", "Вob"],
  ["bob", "Вob"],
  ["coco", "сосо"],
  ["Hope", "Норе"],
  ["Athena", "Αthena"],
  ["Kate", "Κate"],
  ["omar", "οmar"],
  ["nico", "niсо"],
  ["admin", "аdmin"],
  ["admin", "adm\u0131n"],
  ["root", "rооt"],
  ["scope", "ѕсоре"],
  ["jose", "јоѕе"],
  ["Xavier", "Хavier"],
  ["yes", "уes"],
  // Within one script.
  ["lan", "Ian"],
  ["paypal", "paypaI"],
  ["paypal", "paypa1"],
  ["bill", "bi11"],
  ["bob", "b0b"],
  ["BOB", "B0B"],
  ["modern", "modem"],
  ["Arnold", "Amold"],
  ["MODERN", "modem"],
];

/** Ways to stand beside `felix` with a character that shows nothing. */
const BESIDE_FELIX = [
  "feli\u0307x", // A dot above the dot of i.
  "fel\u0131\u0307x", // The dot of an i without one.
  "fel\u0456\u0307x",
  "felix\u{16fe4}", // KHITAN SMALL SCRIPT FILLER
  "f\u{16fe4}elix",
  "felix\u2d7f", // TIFINAGH CONSONANT JOINER
  "felix\u{1107f}", // BRAHMI NUMBER JOINER
  "felix\u{13441}", // EGYPTIAN HIEROGLYPH FULL BLANK
  "felix\u17d2", // KHMER SIGN COENG
  "fe\u1039lix", // MYANMAR SIGN VIRAMA
  "felix\uaaf6", // MEETEI MAYEK VIRAMA
  "felix\u0e3a", // THAI CHARACTER PHINTHU
  "fe\u0335lix", // A short stroke over the bar of e.
  "FEL\u0130X", // A capital I with a dot, whose small letter is i with a dot above.
  "ｆｅｌｉ\u0307ｘ",
  "𝒇elix",
  "feⅼix",
];

const APART: [string, string][] = [
  ["alice", "alicia"],
  ["alice", "bob"],
  ["ian", "lan"],
  ["José", "Jose"],
  ["Müller", "Muller"],
  ["a b", "ab"],
  ["a.b", "a-b"],
  ["a_b", "a-b"],
  ["anna", "ana"],
  ["Вася", "Bacя1"],
  ["иван", "ivan"],
  ["нина", "hиha1"],
  ["日本", "日木"],
  ["東京", "京東"],
  ["שלום", "שלומ1"],
  ["नमस्ते", "नमस्त"],
  ["😀", "😁"],
  ["👍🏽", "👍🏿"],
  ["🇩🇪", "🇫🇷"],
  ["user1", "user2"],
  ["x", "y"],
  ["ñ", "n"],
  ["ø", "o1"],
  ["Đorđe", "Dorde"],
  ["ក្ក", "កក"],
  ["မြန်မာ", "မြနမာ"],
  ["ไทย", "ไทยิ"],
  ["が", "か"],
  ["ė", "e"],
  ["ż", "z"],
  ["ħ", "h"],
];

Deno.test("names of other letters that look the same cannot be on a server together", () => {
  assert(ALIKE.length + APART.length >= 60);
  const beside = ALIKE.filter(([a, b]) => !areAlike(a, b));
  assertEquals(beside, []);
});

Deno.test("no name can be beside another by a character or a mark that shows nothing", () => {
  const beside = BESIDE_FELIX.filter((name) => !areAlike("felix", name));
  assertEquals(beside, []);
  assert(areAlike("José", "Jose\u0301\u0301"), "a mark twice");
  assert(areAlike("ja\u0323\u0307", "ja\u0307\u0323"), "marks in another order");
  assert(areAlike("👩‍👩‍👧‍👦", "👩👩👧👦"), "emoji with and without joiners");
  assert(areAlike("فاطمة", "فاطمة\u{16fe4}"));
  // Filler and blanks that are no part of a name at all.
  for (const blank of ["\u3164", "\u2800", "\u200d", "\ufe0f", "\u{e0100}", "\u034f", "\u17b4", "\u180b"]) {
    const parsed = parseUsername(`felix${blank}`);
    assert("fault" in parsed, blank.codePointAt(0)!.toString(16));
  }
});

Deno.test("names that a reader tells apart can be on a server together", () => {
  const refused = APART.filter(([a, b]) => areAlike(a, b));
  assertEquals(refused, []);
});

Deno.test("being alike goes both ways, and every name is like itself in any letter case", () => {
  const name = fc.string({ unit: "grapheme", minLength: 1, maxLength: 12 })
    .filter((written) => !("fault" in parseUsername(written)));
  fc.assert(
    fc.property(name, name, (a, b) => {
      assertEquals(areAlike(a, b), areAlike(b, a));
      assert(areAlike(a, a));
      if (!("fault" in parseUsername(a.toLowerCase()))) assert(areAlike(a, a.toLowerCase()));
    }),
    runs(300),
  );
});

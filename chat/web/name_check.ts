/**
 * What is wrong with a username while it is written, PROTOCOL.md §3.1: a light check, since the server judges in the
 * end, and alone knows who is there.
 *
 * @module
 */
// @ts-check

const LENGTH_MAX = 32;

/** Letters, marks, numbers, whole emoji, `_ - .`; or what a browser that does not know the sets of the flag v can do. */
const CHARACTER = (() => {
  try {
    return new RegExp(
      String.raw`\p{RGI_Emoji}|\p{Extended_Pictographic}|` +
        String.raw`[[\p{L}\p{M}\p{N}_.\-]--\p{Default_Ignorable_Code_Point}]|\s`,
      "gv",
    );
  } catch {
    return /[\p{L}\p{M}\p{N}\p{Extended_Pictographic}\p{Emoji_Component}_.\-\s]/gu;
  }
})();

/**
 * Why a name cannot be one, for a person; undefined where it looks right.
 *
 * @param {string} written
 * @returns {string | undefined}
 */
export function nameProblem(written) {
  const name = written.normalize("NFC");
  if (name === "") return "A name is needed.";
  if (/^\s|\s$/.test(name)) return "No blank at the beginning or the end.";
  if (/\s{2}|[^\S ]/.test(name)) return "One blank at a time, please.";
  if (/^\p{M}/u.test(name)) return "A name begins with a letter, a number or an emoji.";
  if (/[\u{E0000}-\u{E007F}]/u.test(name)) return "Flags of regions cannot be in a name.";
  const strange = name.replace(CHARACTER, "");
  if (strange !== "") {
    const [first = ""] = strange;
    const isVisible = /[\p{P}\p{S}]/u.test(first);
    return `Letters, numbers, emoji, and _ - . are allowed${isVisible ? `, ${first} is not` : ""}.`;
  }
  const length = [...name].length;
  if (length > LENGTH_MAX) return `At most ${LENGTH_MAX} characters: this has ${length}.`;
  return undefined;
}

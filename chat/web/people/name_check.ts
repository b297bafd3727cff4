/**
 * Checks a username while it is typed, PROTOCOL.md §3.1. It is a light check: the server decides, and it alone holds
 * the names in use.
 *
 * @module
 */
import { USERNAME_LENGTH_MAX } from "../../../src/protocol/limits.ts";
import { USERNAME_UNITS_MAX, withoutNameCharacters } from "../../../src/protocol/names.ts";

/** What is wrong with a name, as a text for the user; undefined if nothing is. */
export function nameProblem(written: string): string | undefined {
  const tooLong = (text: string) => {
    return `At most ${USERNAME_LENGTH_MAX} characters: this has ${[...text].length}.`;
  };
  if (written.length > USERNAME_UNITS_MAX) return tooLong(written);
  const name = written.normalize("NFC");
  if (name === "") return "Enter a name.";
  if (/^\s|\s$/.test(name)) return "Spaces at the beginning or the end are not allowed.";
  if (/\s{2}|[^\S ]/.test(name)) return "Two spaces in a row are not allowed.";
  if (/^\p{M}/u.test(name)) return "A name begins with a letter, a number or an emoji.";
  if (/[\u{E0000}-\u{E007F}]/u.test(name)) return "Flags of regions are not allowed.";
  const strange = strangeCharacters(name);
  if (strange !== "") {
    const [first = ""] = strange;
    const isVisible = /[\p{P}\p{S}]/u.test(first);
    return `Letters, numbers, emoji, and _ - . are allowed${isVisible ? `, ${first} is not` : ""}.`;
  }
  return [...name].length > USERNAME_LENGTH_MAX ? tooLong(name) : undefined;
}

function strangeCharacters(name: string): string {
  try {
    return withoutNameCharacters(name);
  } catch {
    // The browser does not support the regular expression flag v, so the server decides.
    return "";
  }
}

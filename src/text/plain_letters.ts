/**
 * A folded text without the marks on its letters, so that those who have no é on their keyboard find a name by e. Pure.
 *
 * @module
 */
const ASCII = /^[\0-\x7f]*$/;

export function plainLetters(folded: string): string {
  return ASCII.test(folded) ? folded : folded.normalize("NFD").replace(/\p{M}+/gu, "").normalize("NFC");
}

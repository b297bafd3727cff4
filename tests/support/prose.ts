/**
 * Prose that can be counted: the idioms that Chatter does not use, and the sentences of a text in Markdown.
 *
 * @module
 */

/** The idioms as CONTRIBUTING.md shows them, and how they are found, in any letter case and as whole words. */
export const IDIOMS: readonly (readonly [shown: string, pattern: RegExp])[] = [
  ["anew", /\banew\b/],
  ["whoever, whomever", /\bwho(?:m|so)?ever\b/],
  // In quotes it is the name of rows in a store.
  ["told, untold", /(?<!")\b(?:un)?told\b(?!")/],
  ["stands, stood", /\b(?:stands|stood)\b/],
  ["bring about", /\b(?:bring(?:s|ing)?|brought) about\b/],
  ["somebody, nobody, everybody", /\b(?:some|no|every)body\b/],
  ["no news", /\bno news\b/],
  ["is had, are had", /\b(?:is|are|was|were) had\b/],
  ["at the most, at the least", /\bat the (?:most|least)\b/],
  ["for want of", /\bfor want of\b/],
  ["what comes, who comes", /\b(?:what|who) comes\b/],
  ["of its own accord", /\bof its own accord\b/],
  ["put out", /\bput(?:s|ting)? (?:\S+ )?out\b/],
  ["goes on its way", /\bgo(?:es)? on its way\b/],
  ["in the place of", /\bin the place of\b/],
  ["for ever", /\bfor ever\b/],
  ["lest", /\blest\b/],
  ["thereof", /\bthereof\b/],
  ["wherever it is", /\bwherever it is\b/],
  ["hears", /\bhears?\b/],
  ["knows of", /\bknows? of\b/],
];

/** A space of an idiom: it may be a line break, in a comment too. */
const SPACE = "[\\s*/#]+";

/** The idioms in a text, each with its line, in the order of the list. */
export function idiomsIn(text: string): string[] {
  return IDIOMS.flatMap(([, { source }]) =>
    [...text.matchAll(new RegExp(source.replaceAll(" ", SPACE), "gi"))].map(({ 0: idiom, index }) =>
      `${text.slice(0, index).split("\n").length}: ${idiom}`
    )
  );
}

/** The sentences of Markdown or plain text, without code blocks and comments; code in a line is one word, `X`. */
export function sentencesOf(text: string): string[] {
  return text.replaceAll(/^( *)(`{3,})[^\n]*\n[\s\S]*?^\1\2$/gm, "\n")
    .replaceAll(/<!--[\s\S]*?-->/g, "\n")
    .split(/\n\s*\n|\n(?= *(?:[-*]|[0-9]+\.|\||#+) ?)/)
    .flatMap((block) => block.startsWith("|") ? cellsOf(block) : [block])
    .map((block) => plain(block.replace(/^\s*(?:[-*]|[0-9]+\.|#+) /, "")))
    .flatMap((block) => block.split(/(?<=[.!?]["”)]?) (?=["“(]?\p{Lu})/u))
    .map((sentence) => sentence.trim())
    .filter((sentence) => sentence !== "");
}

function cellsOf(row: string): string[] {
  return row.split("|").map((cell) => cell.trim()).filter((cell) => !/^:?-*:?$/.test(cell));
}

function plain(text: string): string {
  return text.replaceAll(/\s+/g, " ")
    .replaceAll(/`[^`]+`/g, "X")
    .replaceAll(/!?\[([^\]]*)\]\([^)]*\)/g, "$1");
}

export function wordsOf(sentence: string): number {
  return sentence.split(" ").filter((word) => /[\p{L}\p{N}]/u.test(word)).length;
}

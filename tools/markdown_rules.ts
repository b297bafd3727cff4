/**
 * The rules of markdown-it that read the marks inside a line. vendor_markdown.ts makes one file of them for browsers and
 * the terminal; the program itself does not import this one.
 *
 * @module
 */
export { default as backticks } from "markdown-it/lib/rules_inline/backticks.mjs";
export { default as balancePairs } from "markdown-it/lib/rules_inline/balance_pairs.mjs";
export { default as emphasis } from "markdown-it/lib/rules_inline/emphasis.mjs";
export { default as strikethrough } from "markdown-it/lib/rules_inline/strikethrough.mjs";

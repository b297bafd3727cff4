/**
 * The hue of a username, the same on the page and in the terminal. Each of them has its own colours for the hues.
 *
 * @module
 */

import { foldText } from "../protocol/search_words.ts";

const HUES = 12;

/** From 0 to below HUES. A mention has the hue of the name however it is written. */
export function nameHue(username: string): number {
  // FNV-1a: similar names get different hues.
  const folded = foldText(username);
  let hash = 0x811c9dc5;
  for (let n = 0; n < folded.length; n++) hash = Math.imul(hash ^ folded.charCodeAt(n), 0x01000193);
  return ((hash >>> 8) ^ (hash >>> 20)) % HUES;
}

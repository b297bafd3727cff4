/**
 * The colour class of a username, the same everywhere on the page. The colours themselves are in people.css.
 *
 * @module
 */

const HUES = 12;

export function hueClass(username: string): string {
  // FNV-1a: similar names get different colours.
  let hash = 0x811c9dc5;
  for (let n = 0; n < username.length; n++) hash = Math.imul(hash ^ username.charCodeAt(n), 0x01000193);
  return `hue-${((hash >>> 8) ^ (hash >>> 20)) % HUES}`;
}

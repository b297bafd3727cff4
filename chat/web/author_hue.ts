/**
 * A colour for each name, the same wherever it is shown: one of a few that can be read on every ground.
 *
 * @module
 */

const HUES = 8;

/** The class of a name's colour. */
export function hueClass(username: string): string {
  // FNV-1a: names that differ little are to differ in colour.
  let hash = 0x811c9dc5;
  for (let n = 0; n < username.length; n++) hash = Math.imul(hash ^ username.charCodeAt(n), 0x01000193);
  return `hue-${((hash >>> 8) ^ (hash >>> 20)) % HUES}`;
}

/**
 * A colour for each name, the same wherever it is shown: one of a few that can be read on every ground.
 *
 * @module
 */
// @ts-check

const HUES = 8;

/** The class of a name's colour. @param {string} username */
export function hueClass(username) {
  let sum = 0;
  for (const character of username) sum = (sum * 31 + (character.codePointAt(0) ?? 0)) % 65_521;
  return `hue-${sum % HUES}`;
}

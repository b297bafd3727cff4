/**
 * The colour class of a username, the same everywhere on the page. The colours themselves are in src/web/tokens.css.
 *
 * @module
 */

import { nameHue } from "../../../src/text/name_hue.ts";

export function hueClass(username: string): string {
  return `hue-${nameHue(username)}`;
}

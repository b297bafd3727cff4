/**
 * The colour class of a username, the same everywhere on the page. The colours themselves are in src/web/tokens.css.
 *
 * @module
 */
import { kept } from "../../../src/text/kept_results.ts";
import { nameHue } from "../../../src/text/name_hue.ts";

/** Names of which something is kept: more than people in the list. */
export const KEPT_NAMES_MAX = 4000;

export const hueClass: (username: string) => string = kept(
  KEPT_NAMES_MAX,
  (username) => `hue-${nameHue(username)}`,
);

/**
 * The classes of a username, the same everywhere on the page: its colour, and whether it is long. The colours themselves
 * are in src/web/tokens.css.
 *
 * @module
 */
import { kept } from "../../../src/text/kept_results.ts";
import { nameHue } from "../../../src/text/name_hue.ts";

/** Names of which something is kept: more than people in the list. */
export const KEPT_NAMES_MAX = 4000;
/** UTF-16 code units of a name that fits everywhere. Only a longer one is cut, since each cut costs time to paint. */
const FITTING_UNITS = 8;

export const hueClass: (username: string) => string = kept(
  KEPT_NAMES_MAX,
  (username) => `hue-${nameHue(username)}`,
);

/** For a name in one line. */
export const nameClass: (username: string) => string = kept(
  KEPT_NAMES_MAX,
  (username) => username.length > FITTING_UNITS ? `${hueClass(username)} long` : hueClass(username),
);

/**
 * The colour class of a username, the same everywhere on the page. The colours themselves are in src/web/tokens.css.
 *
 * @module
 */

import { nameHue } from "../../../src/text/name_hue.ts";
import { kept } from "../page/kept_results.ts";

export const hueClass: (username: string) => string = kept((username) => `hue-${nameHue(username)}`);

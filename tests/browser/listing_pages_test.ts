/**
 * The pages of the listing, and what holds for every page, in one browser.
 *
 * @module
 */
import "./listing_page.ts";
import "./listing_page_live.ts";
import "./api_page.ts";
import "./page_load.ts";
import "./harness.ts";

/**
 * The chat's page, and pages of others that talk with it, in one browser.
 *
 * @module
 */
import "./chat_page.ts";
import "./lost_connection.ts";
import "./unsent_messages.ts";
import "./away.ts";
import "./calling_back.ts";
import "./finding.ts";
import "./formatted_text.ts";
import "./layout.ts";
import "./installed_page.ts";
import "./example_page.ts";
import "./seed_client.ts";

/**
 * The list of messages of the chat's page, in one browser.
 *
 * @module
 */
import "./end_of_list.ts";
import "./long_conversation.ts";
import "./many_people.ts";
import "./reading.ts";

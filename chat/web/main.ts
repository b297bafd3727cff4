/**
 * The chat page put together: what the session tells goes to the parts of the page, what a person does there to the
 * session.
 *
 * @module
 */
// @ts-check
/// <reference lib="dom" />
import { byId, show } from "./page_elements.js";
import { NameForm } from "./name_form.js";
import { Room } from "./room.js";
import { SessionDriver } from "./session_driver.js";

/** @typedef {import("../../src/client/session_events.js").SessionEvent} SessionEvent */

const NAME_KEY = "chatter.name";

const url = new URL("./", location.href);
url.protocol = url.protocol === "https:" ? "wss:" : "ws:";
const driver = new SessionDriver(url.href, (events) => events.forEach(take));
const room = new Room(driver);
const joining = new NameForm(byId("join-form", HTMLFormElement), byId("name-said", HTMLElement), join);

/** Whether the conversation is shown, and not the form that leads to it. */
let isInside = false;

/** @param {string} name */
function join(name) {
  joining.wait(true);
  driver.do((session, nowMs) => session.join(nowMs, name));
}

/** @param {SessionEvent} event */
function take(event) {
  if (event.type === "entered") {
    enter(event.username);
  } else if (event.type === "state" && !isInside) {
    joining.wait(event.state === "opening" || event.state === "entering" || event.state === "waiting");
    if (event.state === "refused") joining.say(event.text);
    else if (event.state === "over") leave(event.text);
    else if (event.state === "waiting") say(`${event.text}. Trying again…`);
    return;
  } else if (event.type === "state" && event.state === "refused") {
    leave(undefined);
    joining.say(event.text);
  } else if (event.type === "state" && event.state === "over") {
    driver.keep(false);
    // Who left on purpose need not be told.
    if (event.reason === "goodbye") leave(undefined);
  }
  room.take(event);
}

/** @param {string} username */
function enter(username) {
  isInside = true;
  remember(username);
  driver.keep(true);
  say(undefined);
  joining.wait(false);
  joining.clear();
  byId("join", HTMLElement).hidden = true;
  byId("room", HTMLElement).hidden = false;
  document.body.dataset["view"] = "room";
  room.focus();
}

/** Back to the form, with the reason where there is one. @param {string | undefined} why */
function leave(why) {
  isInside = false;
  driver.keep(false);
  byId("join", HTMLElement).hidden = false;
  byId("room", HTMLElement).hidden = true;
  document.body.dataset["view"] = "join";
  joining.value = driver.username;
  joining.wait(false);
  joining.focus();
  say(why);
}

/** @param {string | undefined} text */
function say(text) {
  show(byId("join-why", HTMLElement), text);
}

/** The name is offered at the next visit. @param {string} name */
function remember(name) {
  try {
    localStorage.setItem(NAME_KEY, name);
  } catch {
    // Then it is not.
  }
}

function remembered() {
  try {
    return localStorage.getItem(NAME_KEY) ?? "";
  } catch {
    return "";
  }
}

joining.value = driver.savedName ?? remembered();
if (driver.savedName !== undefined) join(driver.savedName);
else joining.focus();

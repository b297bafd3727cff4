/**
 * The entry point of the chat page: passes events of the session to the name form or the room, and switches between
 * them. room.ts and the parts that it uses do the rest.
 *
 * @module
 */
/// <reference lib="dom" />
import type { SessionEvent } from "../../src/client/session/session_events.ts";
import { NameForm } from "./name_form.ts";
import { byId, show } from "./page_elements.ts";
import { Room } from "./room.ts";
import { TabSession } from "./tab_session.ts";

const NAME_KEY = "chatter.name";

const url = new URL("./", location.href);
url.protocol = url.protocol === "https:" ? "wss:" : "ws:";
const session = new TabSession(url.href, handle);
const room = new Room(session);
const joining = new NameForm(byId("join-form", HTMLFormElement), byId("name-said", HTMLElement), join);

let isInside = false;

function join(name: string): void {
  joining.wait(true);
  session.join(name);
}

function handle(event: SessionEvent): void {
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
    session.keep(false);
    // The user left on purpose and needs no reason.
    if (event.reason === "goodbye") leave(undefined);
  }
  room.show(event);
}

function enter(username: string): void {
  isInside = true;
  remember(username);
  session.keep(true);
  say(undefined);
  joining.wait(false);
  joining.clear();
  showView("room");
  room.focus();
}

/** Returns to the form, and shows why. */
function leave(why: string | undefined): void {
  isInside = false;
  session.keep(false);
  showView("join");
  joining.value = session.username;
  joining.wait(false);
  joining.focus();
  say(why);
}

function showView(view: "join" | "room"): void {
  byId("join", HTMLElement).hidden = view !== "join";
  byId("room", HTMLElement).hidden = view !== "room";
  // A page has one <main> at a time.
  byId("talk", HTMLElement).hidden = view !== "room";
  document.body.dataset["view"] = view;
}

function say(text: string | undefined): void {
  show(byId("join-why", HTMLElement), text);
}

function remember(name: string): void {
  try {
    localStorage.setItem(NAME_KEY, name);
  } catch {
    // Without storage the next visit starts with an empty field.
  }
}

function remembered(): string {
  try {
    return localStorage.getItem(NAME_KEY) ?? "";
  } catch {
    return "";
  }
}

joining.value = session.savedName ?? remembered();
if (session.savedName !== undefined) join(session.savedName);
else joining.focus();

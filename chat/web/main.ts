/**
 * The entry point of the chat page: passes events of the session to the name form or the room, and switches between
 * them. room.ts and the parts that it uses do the rest.
 *
 * @module
 */
/// <reference lib="dom" />
import type { SessionEvent } from "../../src/client/session/session_events.ts";
import { keepChoice, keptChoice } from "./page/kept_choice.ts";
import { inLocalTime } from "./page/local_time.ts";
import { countOnJoin } from "./people/join_count.ts";
import { NameForm } from "./people/name_form.ts";
import { byId, isComposing, show } from "./page/page_elements.ts";
import { RoomPage } from "./room_page.ts";
import { installLater } from "./visit/installed.ts";
import { TabSession } from "./visit/tab_session.ts";
import { VisitStorage } from "./visit/visit_storage.ts";

const url = new URL("./", location.href);
url.protocol = url.protocol === "https:" ? "wss:" : "ws:";
const joining = new NameForm(byId("join-form", HTMLFormElement), byId("name-said", HTMLElement), join);
joining.wait(true);
const storage = await VisitStorage.open();
const session = new TabSession(url.href, storage, handle);
const room = new RoomPage(session, chooseName);

let isRoomShown = false;
let isInstalled = false;

function join(name: string): void {
  joining.wait(true);
  session.join(name);
}

function handle(event: SessionEvent): void {
  if (event.type === "entered") enter(event.username);
  else if (event.type === "state" && event.state === "over") session.isInside = false;
  if (event.type === "state" && !isRoomShown) showOnForm(event);
  else if (event.type === "state" && event.state === "refused") chooseName(event.text);
  // The user left on purpose and needs no reason.
  else if (event.type === "state" && event.state === "over" && event.cause === "left") leave(undefined);
  room.show(event);
  if (!isRoomShown) showKept();
}

function showOnForm(event: Extract<SessionEvent, { type: "state" }>): void {
  joining.wait(event.state === "opening" || event.state === "entering");
  if (event.state === "refused") joining.say(inLocalTime(event.text));
  // What the user writes in the field stays, and Join connects again.
  else if (event.state === "over" && event.cause !== "timeout") {
    leave(event.cause === "left" ? undefined : event.text);
  } else if (event.state === "waiting") say(`${event.text}. Trying again…`);
}

function enter(username: string): void {
  keepChoice("name", username);
  session.isInside = true;
  say(undefined);
  joining.wait(false);
  joining.clear();
  byId("elsewhere", HTMLElement).hidden = true;
  if (!isRoomShown) showRoom();
  if (!isInstalled) installLater(() => room.isConnected);
  isInstalled = true;
}

function showRoom(): void {
  isRoomShown = true;
  showView("room");
  room.focus();
}

/** Returns to the form, and shows why. */
function leave(why: string | undefined): void {
  isRoomShown = false;
  session.isInside = false;
  room.close();
  showView("join");
  countAgain();
  joining.value = session.username;
  joining.wait(false);
  joining.focus();
  say(why);
  showKept();
}

/** Returns to the form because the server refuses the name. */
function chooseName(why: string): void {
  leave(undefined);
  joining.say(inLocalTime(why));
}

function showView(view: "join" | "room"): void {
  byId("join", HTMLElement).hidden = view !== "join";
  byId("room", HTMLElement).hidden = view !== "room";
  // A page has one <main> at a time.
  byId("talk", HTMLElement).hidden = view !== "room";
  document.body.dataset["view"] = view;
}

function say(text: string | undefined): void {
  show(byId("join-why", HTMLElement), text && inLocalTime(text));
}

/** What waits for the user to join. */
function showKept(): void {
  const count = session.unsent;
  const what = count === 1 ? "1 message is" : `${count} messages are`;
  show(byId("join-kept", HTMLElement), count === 0 ? undefined : `${what} not sent yet, and kept here.`);
}

function offerTakeover(username: string): void {
  byId("elsewhere-name", HTMLElement).textContent = username;
  byId("elsewhere", HTMLElement).hidden = false;
  byId("elsewhere-button", HTMLButtonElement).addEventListener("click", () => storage.takeOver());
}

// Enter that ends a composition submits no form, whichever field it is typed in.
document.addEventListener("keydown", (event) => {
  if (event.key === "Enter" && isComposing(event) && event.target instanceof HTMLInputElement) {
    event.preventDefault();
  }
});
const { visit, elsewhere } = storage;
joining.value = (visit?.session.username || undefined) ?? keptChoice("name");
joining.wait(false);
showKept();
if (visit?.isInside) {
  // At once, so that what waits to be sent is seen also while the server is away.
  showRoom();
  join(visit.session.username);
} else {
  if (elsewhere !== undefined) offerTakeover(elsewhere.session.username);
  joining.focus();
}
const countAgain = countOnJoin(() => !isRoomShown);

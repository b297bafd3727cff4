/**
 * Calls the user back to the page by a sound and a notification of the browser, by the user's choice, for messages that
 * arrive while the page is not looked at. It counts nothing; unread.ts does.
 *
 * @module
 */
/// <reference lib="dom" />
import type { Message } from "../../../src/client/session/session_events.ts";
import { keepChoice, keptChoice } from "../page/kept_choice.ts";
import { chime } from "./chime.ts";
import {
  isCalled,
  type NotificationChoice,
  notificationWords,
  parseChoice,
  writeChoice,
} from "./notification_choice.ts";

const KEPT = "notifications";
/** Milliseconds of messages that are one notification, and from one to the next. */
const TOGETHER_MS = 300;
const PAUSE_MS = 3000;
/** Messages that are kept for a notification, which shows one of them and counts the others. */
const CALLED_MAX = 100;

interface Called {
  readonly uuid: string;
  readonly username: string;
  readonly text: string;
  readonly isMention: boolean;
}

export class Notifications {
  #choice: NotificationChoice = parseChoice(keptChoice(KEPT));
  #called: Called[] = [];
  #calling: ReturnType<typeof setTimeout> | undefined;
  #calledAtMs = -Infinity;
  #shown: { readonly uuids: ReadonlySet<string>; readonly close: () => void } | undefined;
  readonly #room: () => string;
  readonly #open: (uuid: string) => void;

  /** `room` is the server's name; `open` shows a message whose notification was pressed. */
  constructor(room: () => string, open: (uuid: string) => void) {
    this.#room = room;
    this.#open = open;
    document.addEventListener("visibilitychange", () => this.#look());
    addEventListener("focus", () => this.#look());
    navigator.serviceWorker?.addEventListener("message", ({ data }) => {
      if (typeof data?.notification === "string") this.#pressed(data.notification);
    });
  }

  get choice(): NotificationChoice {
    return this.#choice;
  }

  set choice(choice: NotificationChoice) {
    this.#choice = choice;
    keepChoice(KEPT, writeChoice(choice));
  }

  /** Whether messages call by a notification: the user wants that, and the browser permits it. */
  get isNotifying(): boolean {
    return this.#choice.hasNotifications && isPermitted();
  }

  /** Call with each new message of another user. */
  came({ uuid, username, text }: Message, isMention: boolean): void {
    if (isLookedAt() || !isCalled(this.#choice, isMention)) return;
    this.#called.push({ uuid, username, text, isMention });
    if (this.#called.length > CALLED_MAX) this.#called.shift();
    const inMs = Math.max(TOGETHER_MS, this.#calledAtMs + PAUSE_MS - performance.now());
    this.#calling ??= setTimeout(() => this.#call(), inMs);
  }

  /** Call when a message was changed or deleted: its former text is shown no more. */
  changed(uuid: string): void {
    this.#called = this.#called.filter((called) => called.uuid !== uuid);
    if (!this.#shown?.uuids.has(uuid)) return;
    this.#shown.close();
    this.#shown = undefined;
  }

  /** Asks the browser, which asks the user, for permission to show notifications. Returns whether it was given. */
  async askPermission(): Promise<boolean> {
    if (!("Notification" in globalThis)) return false;
    return await Notification.requestPermission() === "granted";
  }

  #call(): void {
    this.#calling = undefined;
    const called = this.#called.splice(0);
    const words = notificationWords(called, this.#room());
    if (words === undefined || isLookedAt()) return;
    this.#calledAtMs = performance.now();
    if (this.#choice.hasSound) chime(called.some(({ isMention }) => isMention) ? "mention" : "message");
    if (this.isNotifying) this.#notify(words, called);
  }

  #notify({ title, body }: { title: string; body: string }, called: readonly Called[]): void {
    const first = (called.find(({ isMention }) => isMention) ?? called[0])!.uuid;
    const uuids = new Set(called.map(({ uuid }) => uuid));
    // One for each room: the next replaces it, and calls again.
    const tag = location.href;
    const options = { body, tag, icon: "chat/web/icon.svg", renotify: true, silent: true, data: first };
    try {
      const notification = new Notification(title, options);
      notification.addEventListener("click", () => this.#pressed(first));
      this.#shown = { uuids, close: () => notification.close() };
    } catch {
      // Some browsers, as on Android, show only those of a service worker.
      const shown = showByWorker(title, options);
      // Also before it is shown: what it says may be taken back meanwhile.
      this.#shown = { uuids, close: () => void shown.then((close) => close()) };
    }
  }

  #pressed(uuid: string): void {
    focus();
    this.close();
    this.#open(uuid);
  }

  #look(): void {
    if (isLookedAt()) this.close();
  }

  /** Takes back what is shown, and what would be. */
  close(): void {
    this.#called = [];
    this.#shown?.close();
    this.#shown = undefined;
  }
}

/** Returns what closes the notification. */
async function showByWorker(title: string, options: NotificationOptions): Promise<() => Promise<void>> {
  const registration = await navigator.serviceWorker?.getRegistration();
  // Refused, if the user has withdrawn the permission meanwhile.
  await registration?.showNotification(title, options).catch(() => {});
  return async () => {
    const shown = await registration?.getNotifications({ tag: options.tag ?? "" });
    for (const notification of shown ?? []) notification.close();
  };
}

function isPermitted(): boolean {
  return "Notification" in globalThis && Notification.permission === "granted";
}

function isLookedAt(): boolean {
  return !document.hidden && document.hasFocus();
}

/**
 * The settings of notifications in the user's menu: for what, with a sound, and with notifications of the browser, which
 * are asked for by pressing the button and at no other time.
 *
 * @module
 */
/// <reference lib="dom" />
import { byId, show } from "../page/page_elements.ts";
import { chime } from "./chime.ts";
import { CALLED_FOR } from "./notification_choice.ts";
import type { Notifications } from "./notifications.ts";

const BLOCKED = "Your browser blocks notifications of this page: allow them in its settings for this site.";
const MISSING = "This browser shows no notifications of a page without HTTPS.";

export class NotificationSettings {
  readonly #notifications: Notifications;
  readonly #button = byId("notify-button", HTMLButtonElement);
  readonly #said = byId("notify-said", HTMLElement);
  readonly #sound = byId("notify-sound", HTMLInputElement);

  constructor(notifications: Notifications) {
    this.#notifications = notifications;
    for (const what of CALLED_FOR) {
      const radio = byId(`notify-${what}`, HTMLInputElement);
      radio.checked = notifications.choice.calledFor === what;
      radio.addEventListener(
        "change",
        () => notifications.choice = { ...notifications.choice, calledFor: what },
      );
    }
    this.#sound.checked = notifications.choice.hasSound;
    this.#sound.addEventListener("change", () => {
      notifications.choice = { ...notifications.choice, hasSound: this.#sound.checked };
      // As an example.
      if (this.#sound.checked) chime("mention");
    });
    this.#button.addEventListener("click", () => void this.#turn());
    this.#show();
  }

  async #turn(): Promise<void> {
    const isOn = this.#notifications.isNotifying;
    const hasNotifications = !isOn && await this.#notifications.askPermission();
    this.#notifications.choice = { ...this.#notifications.choice, hasNotifications };
    this.#show();
    const why = "Notification" in globalThis && isSecureContext ? BLOCKED : MISSING;
    show(this.#said, isOn || hasNotifications ? undefined : why);
  }

  #show(): void {
    this.#button.setAttribute("aria-pressed", String(this.#notifications.isNotifying));
  }
}

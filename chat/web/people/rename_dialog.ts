/**
 * The dialog for another name. It sends nothing; its caller does, and says what came of it.
 *
 * @module
 */
/// <reference lib="dom" />
import { byId } from "../page/page_elements.ts";
import { NameForm } from "./name_form.ts";

export class RenameDialog {
  readonly #dialog = byId("rename", HTMLDialogElement);
  readonly #form: NameForm;

  /** `rename` gets a name that differs from the present one, and returns why it cannot be sent now. */
  constructor(present: () => string, rename: (username: string) => string | undefined) {
    this.#form = new NameForm(
      byId("rename-form", HTMLFormElement),
      byId("new-name-said", HTMLElement),
      (username) => {
        if (username === present()) return this.close();
        const problem = rename(username);
        if (problem === undefined) this.#form.wait(true);
        else this.#form.say(problem);
      },
    );
    // The menu that led here is closed, so that the browser has nowhere to return the focus to.
    this.#dialog.addEventListener("close", () => byId("own-button", HTMLButtonElement).focus());
    byId("rename-cancel", HTMLButtonElement).addEventListener("click", () => this.close());
    byId("rename-button", HTMLButtonElement).addEventListener("click", () => {
      this.#form.clear();
      this.#form.wait(false);
      this.#form.value = present();
      this.#dialog.showModal();
      this.#form.focus();
    });
  }

  close(): void {
    this.#dialog.close();
  }

  /** Says why the name is not changed; false if the dialog is closed. */
  say(text: string): boolean {
    this.#form.wait(false);
    if (this.#dialog.open) this.#form.say(text);
    return this.#dialog.open;
  }

  /** Call when the connection is lost. */
  lost(): void {
    if (this.#form.isWaiting) this.say("The connection was lost. Your name changes when it is back.");
  }
}

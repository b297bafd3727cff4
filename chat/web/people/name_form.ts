/**
 * A form with a field for a name: shows what is wrong with it while the user types, and later the server's refusal.
 * It serves both joining and renaming.
 *
 * @module
 */
/// <reference lib="dom" />
import { nameProblem } from "./name_check.ts";
import { within } from "../page/page_elements.ts";

export class NameForm {
  readonly #field: HTMLInputElement;
  readonly #said: HTMLElement;
  readonly #button: HTMLButtonElement;
  readonly #hint: string;

  /** `said` shows problems; `submit` receives a name that passes the light check. */
  constructor(form: HTMLFormElement, said: HTMLElement, submit: (name: string) => void) {
    this.#field = within(form, "input", HTMLInputElement);
    this.#button = within(form, "[type=submit]", HTMLButtonElement);
    this.#said = said;
    this.#hint = said.textContent ?? "";
    this.#field.addEventListener("input", () => this.#judge());
    form.addEventListener("submit", (event) => {
      event.preventDefault();
      // Spaces at the ends are typing mistakes.
      this.#field.value = this.#field.value.trim();
      if (this.#field.value === "") this.say("Enter a name.");
      else if (this.#judge()) submit(this.#field.value);
      else this.#field.focus();
    });
  }

  get value(): string {
    return this.#field.value;
  }

  set value(name: string) {
    this.#field.value = name;
  }

  say(text: string): void {
    this.#complain(text);
    this.focus();
  }

  clear(): void {
    this.#said.textContent = this.#hint;
    this.#said.classList.remove("wrong");
    this.#field.removeAttribute("aria-invalid");
  }

  get isWaiting(): boolean {
    return this.#button.disabled;
  }

  wait(isBusy: boolean): void {
    this.#button.disabled = isBusy;
  }

  focus(): void {
    this.#field.focus();
    this.#field.select();
  }

  #judge(): boolean {
    const written = this.#field.value;
    const problem = nameProblem(written.trimEnd());
    // An empty field needs no complaint.
    if (problem === undefined || written === "") this.clear();
    else this.#complain(problem);
    return problem === undefined;
  }

  #complain(text: string): void {
    this.#said.textContent = text;
    this.#said.classList.add("wrong");
    this.#field.setAttribute("aria-invalid", "true");
  }
}

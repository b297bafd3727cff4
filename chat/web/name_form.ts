/**
 * A field for a name with its form: it says while one writes what is wrong, and after the server has judged what the
 * server said.
 *
 * @module
 */
/// <reference lib="dom" />
import { nameProblem } from "./name_check.ts";
import { within } from "./page_elements.ts";

export class NameForm {
  readonly #field: HTMLInputElement;
  readonly #said: HTMLElement;
  readonly #button: HTMLButtonElement;
  readonly #hint: string;

  /** In `said` it is said what is wrong; `submit` gets a name that looks right. */
  constructor(form: HTMLFormElement, said: HTMLElement, submit: (name: string) => void) {
    this.#field = within(form, "input", HTMLInputElement);
    this.#button = within(form, "[type=submit]", HTMLButtonElement);
    this.#said = said;
    this.#hint = said.textContent ?? "";
    this.#field.addEventListener("input", () => this.#judge());
    form.addEventListener("submit", (event) => {
      event.preventDefault();
      // A blank at an end is nobody's wish.
      this.#field.value = this.#field.value.trim();
      if (this.#judge()) submit(this.#field.value);
      else this.#field.focus();
    });
  }

  get value(): string {
    return this.#field.value;
  }

  set value(name: string) {
    this.#field.value = name;
  }

  /** Says something of the name, as the server's refusal. */
  say(text: string): void {
    this.#said.textContent = text;
    this.#said.classList.add("wrong");
    this.#field.setAttribute("aria-invalid", "true");
    this.focus();
  }

  /** Says nothing but the hint. */
  clear(): void {
    this.#said.textContent = this.#hint;
    this.#said.classList.remove("wrong");
    this.#field.removeAttribute("aria-invalid");
  }

  /** Whether the server is being asked. */
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
    // While nothing is written yet there is nothing to complain of.
    if (problem === undefined || written === "") this.clear();
    else {
      this.#said.textContent = problem;
      this.#said.classList.add("wrong");
      this.#field.setAttribute("aria-invalid", "true");
    }
    return problem === undefined;
  }
}

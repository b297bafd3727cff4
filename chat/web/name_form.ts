/**
 * A field for a name with its form: it says while one writes what is wrong, and after the server has judged what the
 * server said.
 *
 * @module
 */
// @ts-check
/// <reference lib="dom" />
import { nameProblem } from "./name_check.js";
import { within } from "./page_elements.js";

export class NameForm {
  #field;
  #said;
  #button;
  #hint;

  /**
   * @param {HTMLFormElement} form
   * @param {HTMLElement} said where it is said what is wrong
   * @param {(name: string) => void} submit gets a name that looks right
   */
  constructor(form, said, submit) {
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

  get value() {
    return this.#field.value;
  }

  /** @param {string} name */
  set value(name) {
    this.#field.value = name;
  }

  /** Says something of the name, as the server's refusal. @param {string} text */
  say(text) {
    this.#said.textContent = text;
    this.#said.classList.add("wrong");
    this.#field.setAttribute("aria-invalid", "true");
    this.focus();
  }

  /** Says nothing but the hint. */
  clear() {
    this.#said.textContent = this.#hint;
    this.#said.classList.remove("wrong");
    this.#field.removeAttribute("aria-invalid");
  }

  /** Whether the server is being asked. @param {boolean} isBusy */
  wait(isBusy) {
    this.#button.disabled = isBusy;
  }

  focus() {
    this.#field.focus();
    this.#field.select();
  }

  #judge() {
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

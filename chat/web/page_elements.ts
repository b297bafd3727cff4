/**
 * The elements that page.html has by their ids, each of the kind that its user needs.
 *
 * @module
 */
// @ts-check
/// <reference lib="dom" />

/**
 * The element of that id. Throws where the page has none of that kind, which is a bug.
 *
 * @template {HTMLElement} T
 * @param {string} id
 * @param {new () => T} kind
 * @returns {T}
 */
export function byId(id, kind) {
  const element = document.getElementById(id);
  if (!(element instanceof kind)) throw new Error(`page.html has no ${kind.name} #${id}`);
  return element;
}

/**
 * The first of a kind inside of another, by its class. Throws where there is none, which is a bug.
 *
 * @template {HTMLElement} T
 * @param {ParentNode} parent
 * @param {string} selector
 * @param {new () => T} kind
 * @returns {T}
 */
export function within(parent, selector, kind) {
  const element = parent.querySelector(selector);
  if (!(element instanceof kind)) throw new Error(`There is no ${kind.name} ${selector}`);
  return element;
}

/**
 * A copy of what a template holds.
 *
 * @template {HTMLElement} T
 * @param {string} id
 * @param {new () => T} kind
 * @returns {T}
 */
export function fromTemplate(id, kind) {
  const copy = byId(id, HTMLTemplateElement).content.firstElementChild?.cloneNode(true);
  if (!(copy instanceof kind)) throw new Error(`The template #${id} holds no ${kind.name}`);
  return copy;
}

/** Shows a text, or hides its element where there is none. @param {HTMLElement} element @param {string | undefined} text */
export function show(element, text) {
  element.textContent = text ?? "";
  element.hidden = text === undefined || text === "";
}

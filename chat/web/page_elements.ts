/**
 * The elements that page.html has by their ids, each of the kind that its user needs.
 *
 * @module
 */
/// <reference lib="dom" />

/** The element of that id. Throws where the page has none of that kind, which is a bug. */
export function byId<T extends HTMLElement>(id: string, kind: new () => T): T {
  const element = document.getElementById(id);
  if (!(element instanceof kind)) throw new Error(`page.html has no ${kind.name} #${id}`);
  return element;
}

/** The first of a kind inside of another, by its class. Throws where there is none, which is a bug. */
export function within<T extends HTMLElement>(parent: ParentNode, selector: string, kind: new () => T): T {
  const element = parent.querySelector(selector);
  if (!(element instanceof kind)) throw new Error(`There is no ${kind.name} ${selector}`);
  return element;
}

/** A copy of what a template holds. */
export function fromTemplate<T extends HTMLElement>(id: string, kind: new () => T): T {
  const copy = byId(id, HTMLTemplateElement).content.firstElementChild?.cloneNode(true);
  if (!(copy instanceof kind)) throw new Error(`The template #${id} holds no ${kind.name}`);
  return copy;
}

/** Shows a text, or hides its element where there is none. */
export function show(element: HTMLElement, text: string | undefined): void {
  element.textContent = text ?? "";
  element.hidden = text === undefined || text === "";
}

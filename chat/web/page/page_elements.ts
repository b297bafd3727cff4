/**
 * Typed access to the elements of page.html by id, class or template. A missing element is a bug and throws.
 *
 * @module
 */
/// <reference lib="dom" />

export function byId<T extends HTMLElement>(id: string, kind: new () => T): T {
  const element = document.getElementById(id);
  if (!(element instanceof kind)) throw new Error(`page.html has no ${kind.name} #${id}`);
  return element;
}

export function within<T extends HTMLElement>(parent: ParentNode, selector: string, kind: new () => T): T {
  const element = parent.querySelector(selector);
  if (!(element instanceof kind)) throw new Error(`There is no ${kind.name} ${selector}`);
  return element;
}

export function fromTemplate<T extends HTMLElement>(id: string, kind: new () => T): T {
  const copy = byId(id, HTMLTemplateElement).content.firstElementChild?.cloneNode(true);
  if (!(copy instanceof kind)) throw new Error(`The template #${id} holds no ${kind.name}`);
  return copy;
}

/** True while an input method composes text: its Enter and Escape are not the page's. Safari tells it by the code 229. */
export function isComposing(event: KeyboardEvent): boolean {
  return event.isComposing || event.keyCode === 229;
}

export function show(element: HTMLElement, text: string | undefined): void {
  element.textContent = text ?? "";
  element.hidden = text === undefined || text === "";
}

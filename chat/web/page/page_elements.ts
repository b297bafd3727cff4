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
  write(element, text ?? "");
  hide(element, text === undefined || text === "");
}

/** Writes a text, and nothing if it is there: the browser would lay out the page again for the same text. */
export function write(element: HTMLElement, text: string): void {
  if (element.textContent !== text) element.textContent = text;
}

/** Hides an element or shows it, and does nothing if that is so. */
export function hide(element: HTMLElement, isHidden: boolean): void {
  if (element.hidden !== isHidden) element.hidden = isHidden;
}

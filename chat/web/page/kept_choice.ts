/**
 * A choice of the user that this browser keeps, such as the name. Without storage it lasts until the page closes.
 *
 * @module
 */
/// <reference lib="dom" />

export function keptChoice(name: string): string {
  try {
    return localStorage.getItem(`chatter.${name}`) ?? "";
  } catch {
    return "";
  }
}

/** Keeps a choice, or forgets it if it is empty. */
export function keepChoice(name: string, value: string): void {
  try {
    if (value === "") localStorage.removeItem(`chatter.${name}`);
    else localStorage.setItem(`chatter.${name}`, value);
  } catch {
    // There is no storage, or it is full.
  }
}

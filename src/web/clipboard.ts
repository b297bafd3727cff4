/**
 * Copies a text, on both pages: by the clipboard API, or by a selection on pages that came by plain HTTP from another
 * machine.
 *
 * @module
 */
/// <reference lib="dom" />

/** Milliseconds for which a button says how it went. */
const SAID_MS = 2000;

/** Copies `text` for a button with this label, which says for a while how it went. Returns whether it was copied. */
export async function copyByButton(button: HTMLElement, text: string, label = "Copy"): Promise<boolean> {
  const isCopied = await copyText(text);
  button.textContent = isCopied ? "Copied" : "Not copied";
  button.classList.toggle("done", isCopied);
  setTimeout(() => {
    button.textContent = label;
    button.classList.remove("done");
  }, SAID_MS);
  return isCopied;
}

/** Copies `text`; false if the browser refuses. */
export async function copyText(text: string): Promise<boolean> {
  try {
    await navigator.clipboard.writeText(text);
    return true;
  } catch {
    // The API is missing here, or not permitted.
    return copyInTheOldWay(text);
  }
}

function copyInTheOldWay(text: string): boolean {
  const focused = document.activeElement;
  const area = document.createElement("textarea");
  area.value = text;
  area.className = "off-screen";
  document.body.append(area);
  area.select();
  const isCopied = document.execCommand("copy");
  area.remove();
  if (focused instanceof HTMLElement) focused.focus({ preventScroll: true });
  return isCopied;
}

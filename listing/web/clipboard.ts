/**
 * Copying a text: by the clipboard where the page may use it, and in the old way where it came by plain HTTP from
 * another machine.
 *
 * @module
 */
/// <reference lib="dom" />

/** Puts `text` on the clipboard; false where the browser does not let it. */
export async function copyText(text: string): Promise<boolean> {
  try {
    await navigator.clipboard.writeText(text);
    return true;
  } catch {
    // There is no clipboard here, or it may not be used.
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

/**
 * Copying a text: by the clipboard where the page may use it, and in the old way where it came by plain HTTP from
 * another machine.
 *
 * @module
 */
// @ts-check
/// <reference lib="dom" />

/**
 * Puts `text` on the clipboard; false where the browser does not let it.
 *
 * @param {string} text
 * @returns {Promise<boolean>}
 */
export async function copyText(text) {
  try {
    await navigator.clipboard.writeText(text);
    return true;
  } catch {
    // There is no clipboard here, or it may not be used.
    return copyInTheOldWay(text);
  }
}

/** @param {string} text */
function copyInTheOldWay(text) {
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

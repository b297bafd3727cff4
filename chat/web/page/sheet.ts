/**
 * A dialog at the lower edge of a phone. It closes by Escape, by a press beside it, and by a swipe down; the focus
 * stays inside until then.
 *
 * @module
 */
/// <reference lib="dom" />

/** Pixels of a swipe that closes. */
const SWIPE_PX = 60;

const arranged = new WeakSet<HTMLDialogElement>();

/** Opens a sheet; `onClose` is called once when it is closed. */
export function openSheet(sheet: HTMLDialogElement, onClose: () => void): void {
  if (sheet.open) return;
  if (!arranged.has(sheet)) arrange(sheet);
  arranged.add(sheet);
  sheet.addEventListener("close", onClose, { once: true });
  sheet.showModal();
}

function arrange(sheet: HTMLDialogElement): void {
  // A press that began before the sheet was there, such as the one that opened it, is none beside it.
  let isBeside = false;
  sheet.addEventListener("pointerdown", ({ target, clientY }) => {
    isBeside = target === sheet && clientY < sheet.getBoundingClientRect().top;
  });
  sheet.addEventListener("click", () => {
    if (isBeside) sheet.close();
    isBeside = false;
  });
  let fromY: number | undefined;
  sheet.addEventListener("touchstart", ({ touches, target }) => {
    // A list that is scrolled down scrolls up first.
    const isScrolled = target instanceof Element && scrolledAbove(target, sheet);
    fromY = isScrolled || touches.length > 1 ? undefined : touches[0]?.clientY;
  }, { passive: true });
  sheet.addEventListener("touchmove", ({ touches }) => {
    const toY = touches[0]?.clientY;
    if (fromY === undefined || toY === undefined) return;
    sheet.style.translate = `0 ${Math.max(0, toY - fromY)}px`;
  }, { passive: true });
  const end = ({ changedTouches }: TouchEvent) => {
    const toY = changedTouches[0]?.clientY;
    sheet.style.translate = "";
    if (fromY !== undefined && toY !== undefined && toY - fromY > SWIPE_PX) sheet.close();
    fromY = undefined;
  };
  sheet.addEventListener("touchend", end);
  sheet.addEventListener("touchcancel", () => {
    sheet.style.translate = "";
    fromY = undefined;
  });
}

function scrolledAbove(target: Element, sheet: Element): boolean {
  for (let element: Element | null = target; element !== null; element = element.parentElement) {
    if (element.scrollTop > 0) return true;
    if (element === sheet) break;
  }
  return false;
}

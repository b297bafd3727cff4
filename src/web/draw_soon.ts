/**
 * Draws once for any number of changes between two animation frames, in a task of its own: what it makes and lays out
 * does not lengthen the frame that shows it, and a key that is pressed does not wait for both.
 *
 * @module
 */
/// <reference lib="dom" />

/** Milliseconds to a drawing of a background tab, which has no animation frames. */
const HIDDEN_MS = 100;

/** Returns a function that has `draw` called after the next animation frame, and at the latest in the one after it. */
export function drawnSoon(draw: () => void): () => void {
  let isWaiting = false;
  const drawNow = () => {
    isWaiting = false;
    draw();
  };
  return () => {
    if (isWaiting) return;
    isWaiting = true;
    if (document.hidden) setTimeout(drawNow, HIDDEN_MS);
    else requestAnimationFrame(() => afterFrame(drawNow));
  };
}

function afterFrame(act: () => void): void {
  let isDone = false;
  const once = () => {
    if (isDone) return;
    isDone = true;
    cancelAnimationFrame(late);
    act();
  };
  const late = requestAnimationFrame(once);
  setTimeout(once);
}

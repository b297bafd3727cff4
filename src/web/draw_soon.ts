/**
 * Draws once for any number of changes between two animation frames.
 *
 * @module
 */
/// <reference lib="dom" />

/** Milliseconds to a drawing of a background tab, which has no animation frames. */
const HIDDEN_MS = 100;

/** Returns a function that has `draw` called at the next animation frame. */
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
    else requestAnimationFrame(drawNow);
  };
}

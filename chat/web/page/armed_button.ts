/**
 * A button that asks before it acts: the first press arms it, the second acts. It disarms by itself after a while, and
 * by a press elsewhere.
 *
 * @module
 */
/// <reference lib="dom" />

/** Milliseconds for the second press: enough to read the question. */
const ARMED_MS = 5000;

/**
 * `question` is shown while the button is armed, in `place`, which is the button unless given. Returns a function that
 * disarms it.
 */
export function askFirst(
  button: HTMLButtonElement,
  question: string,
  act: () => void,
  place: HTMLElement = button,
): () => void {
  const label = place.textContent;
  let timer: ReturnType<typeof setTimeout> | undefined;
  const disarm = () => {
    clearTimeout(timer);
    document.removeEventListener("pointerdown", pressed, true);
    delete button.dataset["asks"];
    place.textContent = label;
  };
  // Not every browser gives a pressed button the focus, so its loss alone does not tell of a press elsewhere.
  const pressed = ({ target }: Event) => {
    if (!(target instanceof Node && button.contains(target))) disarm();
  };
  button.addEventListener("click", ({ detail }) => {
    // The second press of a double click is no answer.
    if (detail > 1) return;
    if (button.dataset["asks"] === "") {
      disarm();
      return act();
    }
    button.dataset["asks"] = "";
    place.textContent = question;
    timer = setTimeout(disarm, ARMED_MS);
    document.addEventListener("pointerdown", pressed, true);
  });
  button.addEventListener("blur", disarm);
  return disarm;
}

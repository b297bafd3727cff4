/**
 * The field that replaces an own message while the user changes it. It sends nothing; its caller does.
 *
 * @module
 */
/// <reference lib="dom" />
import { fromTemplate, isComposing, within } from "../page/page_elements.ts";
import { growWithText, isTouchKeyboard } from "../composer/composer.ts";

/** Opens the field in a row. It closes on save or cancel, then `onEnd` moves the focus. */
export function editInPlace(
  row: HTMLElement,
  text: string,
  { save, onEnd }: { readonly save: (text: string) => void; readonly onEnd: () => void },
): void {
  if (row.querySelector(".editing") !== null) return;
  const form = fromTemplate("edit-form", HTMLFormElement);
  const field = within(form, "textarea", HTMLTextAreaElement);
  const end = () => {
    row.classList.remove("in-edit");
    form.remove();
    onEnd();
  };
  const submit = () => {
    const changed = field.value.trim() === "" ? text : field.value;
    end();
    if (changed !== text) save(changed);
  };
  field.value = text;
  form.addEventListener("submit", (event) => {
    event.preventDefault();
    submit();
  });
  within(form, ".cancel", HTMLButtonElement).addEventListener("click", end);
  field.addEventListener("keydown", (event) => {
    if (isComposing(event)) return;
    if (event.key === "Escape") end();
    else if (event.key === "Enter" && !event.shiftKey && !isTouchKeyboard()) {
      event.preventDefault();
      submit();
    }
  });
  row.classList.add("in-edit");
  within(row, ".content", HTMLElement).append(form);
  growWithText(field);
  // The focus alone would show the field without its buttons.
  field.focus({ preventScroll: true });
  row.scrollIntoView({ block: "nearest" });
  field.setSelectionRange(text.length, text.length);
}

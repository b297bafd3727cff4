/**
 * Gives the page the chosen colours before anything is drawn: a script of its own, because modules run after that.
 * people/own_menu.ts keeps the choice.
 *
 * @module
 */
/// <reference lib="dom" />
{
  try {
    const theme = localStorage.getItem("chatter.theme");
    if (theme === "light" || theme === "dark") document.documentElement.dataset["theme"] = theme;
  } catch {
    // Without storage the colours are the system's.
  }
}

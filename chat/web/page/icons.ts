/**
 * The icons of buttons that a script makes, as paths in a box of 20. Those of page.html are written there.
 *
 * @module
 */
/// <reference lib="dom" />

const PATHS = {
  copy: "M7 7h9v9H7zM13 7V4H4v9h3",
  reply: "M8 5 3 10l5 5M3 10h8c4 0 6 2 6 5",
  edit: "M4 16v-3l9-9 3 3-9 9zM11 6l3 3",
  delete: "M4 6h12M8 6V4h4v2M6 6l1 11h6l1-11",
} as const;
export type IconName = keyof typeof PATHS;

const SVG = "http://www.w3.org/2000/svg";

export function icon(name: IconName): SVGSVGElement {
  const drawing = document.createElementNS(SVG, "svg");
  drawing.setAttribute("class", "icon");
  drawing.setAttribute("viewBox", "0 0 20 20");
  drawing.setAttribute("aria-hidden", "true");
  const path = document.createElementNS(SVG, "path");
  path.setAttribute("d", PATHS[name]);
  drawing.append(path);
  return drawing;
}

/**
 * The letter of a person in a square of the person's hue. It says no more than the name beside it does.
 *
 * @module
 */
/// <reference lib="dom" />
import { kept } from "../../../src/text/kept_results.ts";
import { hueClass, KEPT_NAMES_MAX } from "./author_hue.ts";

const GRAPHEMES = "Segmenter" in Intl ? new Intl.Segmenter() : undefined;

/** Gives an avatar the letter and the hue of a name. */
export function paintAvatar(avatar: HTMLElement, name: string): void {
  avatar.className = `avatar ${hueClass(name)}`;
  avatar.dataset["letter"] = letterOf(name);
}

export function avatarOf(name: string): HTMLSpanElement {
  const avatar = document.createElement("span");
  avatar.ariaHidden = "true";
  paintAvatar(avatar, name);
  return avatar;
}

const letterOf = kept(KEPT_NAMES_MAX, (name) => {
  // The first of them needs no more of the name than a flag or a family has.
  const start = name.slice(0, 32);
  const [first] = GRAPHEMES?.segment(start) ?? [];
  return (first?.segment ?? [...start][0] ?? "").toLocaleUpperCase();
});

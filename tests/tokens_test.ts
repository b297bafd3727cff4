/**
 * The design tokens: every ink can be read on every ground, by the formula of WCAG 2. What a page makes of them is
 * judged by axe, in tests/browser/.
 *
 * @module
 */
import { assertEquals, assertGreater } from "@std/assert";

const text = await Deno.readTextFile(new URL("../src/web/tokens.css", import.meta.url));
/** Name to colour in light and in dark. */
const colours = new Map(
  [...text.matchAll(/--([a-z0-9-]+): light-dark\((#[0-9a-f]{6}), (#[0-9a-f]{6})\);/g)]
    .map(([, name = "", light = "", dark = ""]) => [name, [light, dark] as const]),
);

const GROUNDS = "sunken ground surface raised hover code mention accent-soft bad-soft".split(" ");
const INKS = "ink ink-soft accent accent-strong good warn bad mention-bar unread".split(" ");
const HUES = Array.from({ length: 12 }, (_, n) => `hue-${n}`);

function luminance(colour: string): number {
  const [red = 0, green = 0, blue = 0] = [1, 3, 5].map((at) => parseInt(colour.slice(at, at + 2), 16) / 255)
    .map((part) => part <= 0.04045 ? part / 12.92 : ((part + 0.055) / 1.055) ** 2.4);
  return 0.2126 * red + 0.7152 * green + 0.0722 * blue;
}

function contrast(a: string, b: string): number {
  const [dark = 0, light = 0] = [luminance(a), luminance(b)].sort((x, y) => x - y);
  return (light + 0.05) / (dark + 0.05);
}

/** The pairs whose contrast is below `least`, in either scheme. */
function faint(inks: readonly string[], grounds: readonly string[], least: number): string[] {
  return [0, 1].flatMap((scheme) =>
    inks.flatMap((ink) =>
      grounds.filter((ground) => contrast(colours.get(ink)![scheme]!, colours.get(ground)![scheme]!) < least)
        .map((ground) => `${ink} on ${ground} in ${scheme === 0 ? "light" : "dark"}`)
    )
  );
}

Deno.test("every ink is readable on every ground, light and dark", () => {
  assertEquals(faint(INKS, GROUNDS, 4.5), []);
  assertEquals(faint(["on-accent"], ["accent", "accent-strong"], 4.5), []);
  assertGreater(faint(["line"], GROUNDS, 4.5).length, 0, "a faint line is not told from an ink");
});

Deno.test("every hue is readable on the grounds of a conversation, and a letter on its soft ground", () => {
  assertEquals(faint(HUES, GROUNDS, 4.5), []);
  assertEquals(HUES.flatMap((hue) => faint([hue], [`${hue}-soft`], 4.5)), []);
});

Deno.test("the edge of a control stands out from every ground, light and dark", () => {
  assertEquals(faint(["edge"], ["sunken", "ground", "surface", "raised"], 3), []);
});

Deno.test("contrast is what WCAG says it is", () => {
  assertEquals(contrast("#ffffff", "#000000"), 21);
  assertEquals(contrast("#777777", "#ffffff").toFixed(2), "4.48");
});

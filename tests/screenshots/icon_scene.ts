/**
 * The icons of the chat's page as PNG, from its icons as SVG: some phones install a page by PNG only.
 *
 * @module
 */
import type { Stage } from "../support/browser.ts";
import type { Scene } from "./screenshots.ts";

/** Pixels of each icon, by the suffix of its name, and the picture that it is made from. */
export const ICONS: Readonly<Record<string, { readonly from: string; readonly size: number }>> = {
  "_192": { from: "icon.svg", size: 192 },
  "_512": { from: "icon.svg", size: 512 },
  "_maskable_512": { from: "icon_maskable.svg", size: 512 },
  // iOS: without a transparent ground, which it would make black.
  "_touch_180": { from: "icon_maskable.svg", size: 180 },
};

export const iconScene: Scene = async (stage: Stage, shoot) => {
  for (const [suffix, { from, size }] of Object.entries(ICONS)) {
    const svg = await Deno.readTextFile(new URL(`../../chat/web/${from}`, import.meta.url));
    const page = await stage.visitor({ size: { width: size, height: size } });
    await page.setContent(
      `<!doctype html><meta name="viewport" content="width=device-width" />
       <style>body { margin: 0 } svg { display: block; width: ${size}px }</style>${svg}`,
    );
    await shoot(page, suffix);
    await page.close();
  }
};

/**
 * `deno task screenshots`: the pictures of the documents, docs/images/, made from the program as it is, and the icons
 * of the chat's page. A scene sets up one page and says what is shot; the picture is kept small by a palette. They are
 * no tests: nothing is compared.
 *
 * @module
 */
import UPNG from "upng-js";
import type { Page } from "puppeteer-core";
import { PHONE, type Stage, type VisitorOptions, withBrowser } from "../support/browser.ts";
import { chatScene } from "./chat_scene.ts";
import { iconScene } from "./icon_scene.ts";
import { listingScene } from "./listing_scene.ts";

/** Sets up what is shown, shoots it by `shoot`, and ends what it set up. */
export type Scene = (
  stage: Stage,
  shoot: (page: Page, suffix: string) => Promise<void>,
) => Promise<void>;

/** Name of the picture, `<folder><name><suffix>.png`, and its scene. */
const SCENES: Readonly<Record<string, { readonly scene: Scene; readonly folder: string }>> = {
  chat: { scene: chatScene, folder: "docs/images/" },
  listing: { scene: listingScene, folder: "docs/images/" },
  icon: { scene: iconScene, folder: "chat/web/" },
};

/** What each scene is shot with, by the suffix of its name. */
export const VIEWS: Readonly<Record<string, VisitorOptions>> = {
  "": { size: { width: 1080, height: 640 }, scheme: "light" },
  "_dark": { size: { width: 1080, height: 640 }, scheme: "dark" },
  "_phone": { size: PHONE, scheme: "light" },
  "_phone_dark": { size: PHONE, scheme: "dark" },
};

const ROOT = new URL("../../", import.meta.url);
/** Colours of a picture: flat areas and the edges of letters need no more. */
const COLOURS = 64;
/** Bytes of one picture, since each new one stays in the history of the project. */
const BYTES_MAX = 60_000;

/** The same picture with a palette. */
function withPalette(png: Uint8Array): Uint8Array {
  const image = UPNG.decode(new Uint8Array(png).buffer);
  return new Uint8Array(UPNG.encode(UPNG.toRGBA8(image), image.width, image.height, COLOURS));
}

async function shoot(page: Page, name: string): Promise<void> {
  // Scrollbars and a cursor that blinks are not the page.
  const style = "* { caret-color: transparent !important } ::-webkit-scrollbar { display: none }";
  await page.evaluate((style) => {
    const sheet = new CSSStyleSheet();
    sheet.replaceSync(style);
    document.adoptedStyleSheets.push(sheet);
    // What a mention does at its arrival is over when the page is looked at.
    for (const motion of document.getAnimations()) {
      if (Number.isFinite(motion.effect?.getComputedTiming().endTime)) motion.finish();
    }
  }, style);
  const png = withPalette(await page.screenshot({ type: "png", omitBackground: true }));
  if (png.length > BYTES_MAX) {
    throw new Error(`${name}.png has ${png.length} bytes: at most ${BYTES_MAX} are kept`);
  }
  await Deno.writeFile(new URL(`${name}.png`, ROOT), png);
  await Deno.stdout.write(new TextEncoder().encode(`${name}.png: ${png.length} bytes\n`));
}

if (import.meta.main) {
  const asked = Deno.args.length > 0 ? Deno.args : Object.keys(SCENES);
  await withBrowser(async (stage) => {
    for (const name of asked) {
      const asked = SCENES[name];
      if (asked === undefined) {
        throw new Error(`No scene ${name}: there are ${Object.keys(SCENES).join(", ")}`);
      }
      await asked.scene(stage, (page, suffix) => shoot(page, asked.folder + name + suffix));
    }
  });
}

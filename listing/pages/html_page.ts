/**
 * The frame that the listing's pages share: document head, skip link, heading and footer. Pure. Each page's own file
 * provides its content and its HTTP headers. All addresses are relative, because a proxy may serve the pages under a
 * path.
 *
 * @module
 */
import { html } from "hono/html";

export type Html = ReturnType<typeof html>;

export interface HtmlPage {
  readonly title: string;
  readonly description: string;
  /** Paths of the page's own files, in addition to those of all pages. */
  readonly style: string;
  readonly script?: string;
  /** The way from the page to the listing's root; "" if it is directly below. */
  readonly root?: string;
  /** Shown before the heading. */
  readonly icon?: Html;
  /** The modules that the script imports, for preloading. */
  readonly modules?: readonly string[];
  /** The target of the skip link and its name. */
  readonly skipTo: readonly [id: string, what: string];
  /** Shown beside the heading, which is the title. */
  readonly facts: Html;
  readonly main: Html;
  readonly footer: Html;
}

export async function htmlPage(page: HtmlPage): Promise<string> {
  const { title, description, style, script, modules = [], skipTo: [id, what], facts, main, footer } = page;
  const { root = "", icon = "" } = page;
  return String(
    await html`
      <!DOCTYPE html>
      <html lang="en">
        <head>
          <meta charset="utf-8">
          <meta name="viewport" content="width=device-width, initial-scale=1">
          <title>${title}</title>
          <meta name="description" content="${description}">
          <link rel="icon" href="${root}src/web/icon.svg" type="image/svg+xml">
          <link rel="stylesheet" href="${root}src/web/tokens.css">
          <link rel="stylesheet" href="${root}listing/web/base.css">
          <link rel="stylesheet" href="${root}${style}">
          ${modules.map((path) => html`<link rel="modulepreload" fetchpriority="low" href="${path}">`)}
          ${script === undefined ? "" : html`<script type="module" src="${script}"></script>`}
        </head>
        <body>
          <a class="skip" href="#${id}">Skip to the ${what}</a>
          <header>
            <h1>${icon}<bdi>${title}</bdi></h1>
            <p class="facts">${facts}</p>
          </header>
          <main>${main}</main>
          <footer>
            <p>${footer}</p>
          </footer>
        </body>
      </html>
    `,
  );
}

/**
 * What the listing's pages have in common: their head, the way past what comes first, and where it is that one leads.
 *
 * Pure. What is on a page is its own file's business, as are its headers.
 *
 * @module
 */
import { html } from "hono/html";

export type Html = ReturnType<typeof html>;

export interface HtmlPage {
  readonly title: string;
  /** What search engines show of it. */
  readonly description: string;
  /** Paths of its own files, beside those that all pages have. */
  readonly style: string;
  readonly script?: string;
  /** What the script imports, to be fetched along with it. */
  readonly modules?: readonly string[];
  /** Where its main thing is, by id, and what that is called. */
  readonly skipTo: readonly [id: string, what: string];
  /** What stands beside the heading, which is the title. */
  readonly facts: Html;
  readonly main: Html;
  readonly footer: Html;
}

/** The page as text. */
export async function htmlPage(page: HtmlPage): Promise<string> {
  const { title, description, style, script, modules = [], skipTo: [id, what], facts, main, footer } = page;
  return String(
    await html`
      <!DOCTYPE html>
      <html lang="en">
        <head>
          <meta charset="utf-8">
          <meta name="viewport" content="width=device-width, initial-scale=1">
          <title>${title}</title>
          <meta name="description" content="${description}">
          <link rel="icon" href="/src/web/icon.svg" type="image/svg+xml">
          <link rel="stylesheet" href="/src/web/tokens.css">
          <link rel="stylesheet" href="/listing/web/base.css">
          <link rel="stylesheet" href="${style}">
          ${modules.map((path) => html`<link rel="modulepreload" fetchpriority="low" href="${path}">`)}
          ${script === undefined ? "" : html`<script type="module" src="${script}"></script>`}
        </head>
        <body>
          <a class="skip" href="#${id}">Skip to the ${what}</a>
          <header>
            <h1>${title}</h1>
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

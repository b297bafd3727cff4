/**
 * The HTML of all pages by the rules of the standard, as html-validate has them: what browsers repair in silence is a
 * fault here. Accessibility is tested in tests/browser/ by axe.
 *
 * @module
 */
import { assertEquals } from "@std/assert";
import { HtmlValidate, StaticConfigLoader } from "html-validate";
import { startTestChat } from "./support/chat_server.ts";
import { startTestListing } from "./support/listing_server.ts";

const validator = new HtmlValidate(new StaticConfigLoader({ extends: ["html-validate:standard"] }));

// What html-validate has no rule for: a time that names none, since empty text is no time of the standard, and a button
// without a name, also while it is hidden, where axe does not look.
const EMPTY_TIME = /<time(?![^>]* datetime=)[^>]*>\s*<\/time>/;
const NAMELESS_BUTTON = /<button(?![^>]* (?:title|aria-label(?:ledby)?)=)[^>]*>(?:\s|<[^>]*>)*?<\/button>/;

async function faultsAt(url: string, status = 200): Promise<string[]> {
  const response = await fetch(url, { headers: { accept: "text/html" } });
  assertEquals([response.status, response.headers.get("content-type")?.slice(0, 9)], [status, "text/html"]);
  const html = await response.text();
  for (const fault of [EMPTY_TIME, NAMELESS_BUTTON]) assertEquals(html.match(fault)?.[0], undefined, url);
  const { results } = await validator.validateString(html);
  return results.flatMap(({ messages }) =>
    messages.map(({ line, ruleId, message }) => `${line}: ${ruleId}: ${message}`)
  );
}

Deno.test("the listing's pages, with servers and without, are HTML of the standard", async () => {
  await using listing = await startTestListing();
  assertEquals(await faultsAt(`${listing.url}/`), []);
  assertEquals(await faultsAt(`${listing.url}/servers/1`, 404), []);
  await using chat = await startTestChat({ name: "<b>The Inn</b>" });
  const port = new URL(chat.url).port;
  const listed = await fetch(`${listing.url}/servers/${chat.id}`, {
    method: "POST",
    body: JSON.stringify({ serverName: "<b>The Inn</b>", address: `127.0.0.1:${port}` }),
  });
  assertEquals([listed.status, (await listed.text()).length > 0], [201, true]);
  for (const path of ["/", "/?sort=users&q=inn&full=false", "/docs", `/servers/${chat.id}`]) {
    assertEquals(await faultsAt(`${listing.url}${path}`), [], path);
  }
});

Deno.test("the chat's page is HTML of the standard, its templates included", async () => {
  await using chat = await startTestChat({ name: "<b>The Inn</b>" });
  assertEquals(await faultsAt(`${chat.url}/`), []);
});

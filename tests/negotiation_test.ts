/**
 * What an Accept header is answered by, of any length.
 *
 * @module
 */
import { assertEquals } from "@std/assert";
import { ACCEPT_LENGTH_MAX, prefersHtml } from "../src/serving/negotiation.ts";

const prefers = (accept?: string) =>
  prefersHtml(new Request("http://localhost/", { headers: accept === undefined ? {} : { accept } }));

Deno.test("browsers prefer HTML, other clients text", () => {
  const browser = "text/html,application/xhtml+xml,application/xml;q=0.9,image/avif,*/*;q=0.8";
  const accepted = [browser, "text/html", "text/html;q=0.5, text/plain;q=0.1"];
  const others = [undefined, "*/*", "text/plain", "application/json", "text/plain, text/html;q=0.9"];
  assertEquals(accepted.map(prefers), accepted.map(() => true));
  assertEquals(others.map(prefers), others.map(() => false));
});

Deno.test("an Accept header is read up to its limit, and one past it counts as text", () => {
  const atLimit = "text/html".padEnd(ACCEPT_LENGTH_MAX, ",a");
  assertEquals([prefers(atLimit), prefers(`${atLimit},`)], [true, false]);
});

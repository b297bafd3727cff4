/**
 * The copied rules of markdown-it are those of the package that deno.json pins.
 *
 * @module
 */
import { assertEquals } from "@std/assert";
import { ROOT } from "../../tools/run_deno.ts";
import { VENDORED, vendored } from "../../tools/vendor_markdown.ts";

Deno.test("the rules of markdown-it are those of the pinned package", async () => {
  assertEquals(await Deno.readTextFile(ROOT + VENDORED), await vendored());
});

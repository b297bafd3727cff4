/**
 * `/metrics` of the program from outside: with its variable.
 *
 * @module
 */
import { assertEquals, assertMatch, assertStringIncludes } from "@std/assert";
import { startServer } from "./support/program.ts";

const TOKEN = "correct-horse-battery-staple";

Deno.test("listing with --metrics-token tells what it counted to who has the token", async () => {
  await using closed = await startServer("listing", [], { CHATTER_METRICS_TOKEN: TOKEN });
  const refused = await fetch(`${closed.url}/metrics`);
  assertEquals([refused.status, (await refused.text()).includes(TOKEN)], [401, false]);
  const headers = { authorization: `Bearer ${TOKEN}` };
  const allowed = await fetch(`${closed.url}/metrics`, { headers });
  assertEquals(allowed.status, 200);
  const page = await allowed.text();
  assertStringIncludes(page, `\nchatter_build_info{role="listing",version="`);
  assertMatch(page, /\nchatter_log_lines_total\{level="info"\} [1-9]/);
  assertEquals([page.includes(TOKEN), closed.log.includes(TOKEN)], [false, false]);
});

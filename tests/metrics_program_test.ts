/**
 * `/metrics` of the program from outside: with its flag and its variable, on both roles.
 *
 * @module
 */
import { assertEquals, assertStringIncludes } from "@std/assert";
import { startServer } from "./support/program.ts";

const TOKEN = "correct-horse-battery-staple";

Deno.test("chat tells this machine what it counted", async () => {
  await using open = await startServer("chat");
  const answer = await fetch(`${open.url}/metrics`);
  assertEquals(answer.status, 200);
  const page = await answer.text();
  assertStringIncludes(page, `\nchatter_build_info{role="chat",version="`);
  assertStringIncludes(page, '\nchatter_log_lines_total{level="info"} ');
});

Deno.test("listing with --metrics-token tells what it counted to who has the token", async () => {
  await using closed = await startServer("listing", [], { CHATTER_METRICS_TOKEN: TOKEN });
  const refused = await fetch(`${closed.url}/metrics`);
  assertEquals([refused.status, (await refused.text()).includes(TOKEN)], [401, false]);
  const headers = { authorization: `Bearer ${TOKEN}` };
  const allowed = await fetch(`${closed.url}/metrics`, { headers });
  assertEquals(allowed.status, 200);
  const page = await allowed.text();
  assertStringIncludes(page, `\nchatter_build_info{role="listing",version="`);
  assertEquals([page.includes(TOKEN), closed.log.includes(TOKEN)], [false, false]);
});

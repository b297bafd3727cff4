/**
 * `/metrics` of the program from outside: with its flag and its variable, on both roles.
 *
 * @module
 */
import { assertEquals, assertStringIncludes } from "@std/assert";
import { type Role, startServer } from "./support/program.ts";

const TOKEN = "correct-horse-battery-staple";

for (const role of ["chat", "listing"] satisfies Role[]) {
  Deno.test(`${role} tells this machine what it counted, and with --metrics-token who has the token`, async () => {
    await using open = await startServer(role);
    const answer = await fetch(`${open.url}/metrics`);
    assertEquals(answer.status, 200);
    const page = await answer.text();
    assertStringIncludes(page, `\nchatter_build_info{role="${role}",version="`);
    assertStringIncludes(page, '\nchatter_log_lines_total{level="info"} ');
    await using closed = await startServer(role, [], { CHATTER_METRICS_TOKEN: TOKEN });
    const refused = await fetch(`${closed.url}/metrics`);
    assertEquals([refused.status, (await refused.text()).includes(TOKEN)], [401, false]);
    const headers = { authorization: `Bearer ${TOKEN}` };
    const allowed = await fetch(`${closed.url}/metrics`, { headers });
    assertEquals(allowed.status, 200);
    assertEquals((await allowed.text()).includes(TOKEN), false);
    assertEquals(closed.log.includes(TOKEN), false);
  });
}

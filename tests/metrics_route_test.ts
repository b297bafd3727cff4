/**
 * Access to `/metrics`: from this machine, or with the token.
 *
 * @module
 */
import { assertEquals, assertMatch, assertStringIncludes } from "@std/assert";
import { BLOCKS_PER_SITE } from "../src/address.ts";
import { TRIES_BURST } from "../src/serving/bearer_token.ts";
import { Meters } from "../src/metrics/meters.ts";
import { metricsRoute } from "../src/metrics/route.ts";

const TOKEN = "correct-horse-battery-staple";

/** A route, as a function that answers with a status. */
function route(token: string | undefined) {
  const meters = new Meters();
  meters.counter("letters_total", "Letters").add(7);
  const answer = metricsRoute({ role: "test", token, meters, steadyMs: () => 0 });
  const ask = (address: string, headers: Record<string, string> = {}) =>
    answer(new Request("http://localhost/metrics", { headers }), address);
  const status = async (address: string, headers: Record<string, string> = {}) => {
    const response = await ask(address, headers);
    await response.text();
    return response.status;
  };
  return { ask, status };
}

Deno.test("without a token only this machine reads the metrics", async () => {
  const { ask, status } = route(undefined);
  const response = await ask("127.0.0.1");
  assertEquals(response.headers.get("content-type"), "text/plain; version=0.0.4; charset=utf-8");
  assertEquals(response.headers.get("cache-control"), "no-store");
  const page = await response.text();
  assertStringIncludes(page, "\nletters_total 7\n");
  assertStringIncludes(page, `chatter_build_info{role="test",version="`);
  for (const address of ["127.9.9.9", "::1", "::ffff:127.0.0.1"]) assertEquals(await status(address), 200);
  for (const address of ["192.0.2.1", "10.0.0.1", "2001:db8::1", "::ffff:192.0.2.1", ""]) {
    assertEquals(await status(address), 403, address);
  }
});

Deno.test("without a token what a proxy on this machine hands on is not answered", async () => {
  const { status } = route(undefined);
  const headers = ["X-Forwarded-For", "Forwarded", "Via", "X-Real-IP", "X-Forwarded-Host"];
  for (const name of headers) assertEquals(await status("127.0.0.1", { [name]: "127.0.0.1" }), 403, name);
});

Deno.test("with a token every request needs it to read the metrics, also from this machine", async () => {
  const { ask, status } = route(TOKEN);
  assertEquals(await status("192.0.2.1", { authorization: `Bearer ${TOKEN}` }), 200);
  const proxied = { authorization: `Bearer ${TOKEN}`, "x-forwarded-for": "192.0.2.9" };
  assertEquals(await status("127.0.0.1", proxied), 200);
  for (const authorization of ["", `Bearer ${TOKEN}x`, "Bearer ", `Basic ${TOKEN}`, TOKEN]) {
    const response = await ask("127.0.0.1", { authorization });
    assertEquals(response.status, 401, authorization);
    assertEquals(response.headers.get("www-authenticate"), "Bearer");
    assertMatch(await response.text(), /^The token is (missing|wrong): .*this server's --metrics-token/);
  }
});

Deno.test("a /48 has four times as many wrong tokens, however many of its networks guess", async () => {
  const { status } = route(TOKEN);
  const wrong = { authorization: "Bearer wrong" };
  const guess = (n: number) => status(`2001:db8:0:${n.toString(16)}::1`, wrong);
  for (let i = 0; i < BLOCKS_PER_SITE * TRIES_BURST; i++) assertEquals(await guess(i), 401);
  assertEquals(await guess(0xfffe), 429);
  assertEquals(await status("2001:db8:1::1", wrong), 401, "another site");
  assertEquals(await status("2001:db8:0:1::1", { authorization: `Bearer ${TOKEN}` }), 200);
});

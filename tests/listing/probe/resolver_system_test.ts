/**
 * Names as the system resolves them, and the limits on concurrent lookups.
 *
 * @module
 */
import { assert, assertEquals, assertRejects } from "@std/assert";
import { TooManyLookups } from "../../../listing/probe/resolver.ts";
import {
  LOOKUPS_AT_ONCE_MAX,
  LOOKUPS_PER_ORIGIN_MAX,
  LOOKUPS_PER_SITE_MAX,
  systemResolver,
} from "../../../listing/probe/resolver_system.ts";

const LOOPBACK = "127.0.0.1";

Deno.test("the system resolves localhost, and answers nothing for a name that does not exist", async () => {
  const resolve = systemResolver();
  const ips = await resolve("localhost", LOOPBACK);
  assert(ips.includes(LOOPBACK) || ips.includes("::1"), ips.join());
  assertEquals(await resolve("does-not-exist.invalid", LOOPBACK), []);
});

Deno.test("names that are resolved at once are limited: one past it is refused, later ones are not", async () => {
  const resolve = systemResolver();
  const origins = LOOKUPS_AT_ONCE_MAX / LOOKUPS_PER_ORIGIN_MAX;
  const names = Array.from(
    { length: LOOKUPS_AT_ONCE_MAX },
    (_, i) => resolve("localhost", `198.51.100.${i % origins}`),
  );
  await assertRejects(() => resolve("localhost", "198.51.100.100"), TooManyLookups);
  assertEquals((await Promise.all(names)).length, LOOKUPS_AT_ONCE_MAX);
  assert((await resolve("localhost", "198.51.100.100")).length > 0);
});

Deno.test("names that are resolved at once for one origin are limited, and another has its own", async () => {
  const resolve = systemResolver();
  const names = Array.from(
    { length: LOOKUPS_PER_ORIGIN_MAX },
    (_, i) => resolve("localhost", `2001:db8::${i}`),
  );
  await assertRejects(() => resolve("localhost", "2001:db8::ffff"), TooManyLookups);
  assert((await resolve("localhost", "2001:db8:0:1::1")).length > 0);
  await Promise.all(names);
  assert((await resolve("localhost", "2001:db8::ffff")).length > 0);
});

Deno.test("names that are resolved at once for one /48 are limited, so that it leaves half of them to others", async () => {
  const resolve = systemResolver();
  const names = Array.from(
    { length: LOOKUPS_PER_SITE_MAX },
    (_, i) => resolve("localhost", `2001:db8:0:${i % 64}::1`),
  );
  await assertRejects(() => resolve("localhost", "2001:db8:0:ffff::1"), TooManyLookups);
  assert((await resolve("localhost", "2001:db8:1::1")).length > 0);
  await Promise.all(names);
  assert((await resolve("localhost", "2001:db8:0:ffff::1")).length > 0);
});

/**
 * The example for Caddy, as Debian has it: TLS, whose address counts, events, what is kept from outside. Skipped where
 * there is no Caddy. That it gets certificates by itself is not tried: they are the tests' own.
 *
 * @module
 */
import { caddyPath, CaddyProxy } from "./caddy_proxy.ts";
import { proxyTests } from "./proxy_cases.ts";

proxyTests(
  (name, test) => Deno.test({ name: `Caddy: ${name}`, ignore: caddyPath === undefined, fn: test }),
  CaddyProxy.start,
);

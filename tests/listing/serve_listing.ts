/**
 * A listing as a process of its own, for tests that kill it. The only argument is the file of its KV.
 *
 * @module
 */
import { startListing } from "../../listing/mod.ts";

const { url } = await startListing({
  hostname: "127.0.0.1",
  port: 0,
  kv: Deno.args[0],
  checkInterval: 60,
  trustProxy: false,
  tls: undefined,
});
await Deno.stdout.write(new TextEncoder().encode(`${url}\n`));

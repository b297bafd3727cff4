/**
 * What older versions of Deno are refused.
 *
 * @module
 */
import { assert, assertEquals, assertFalse, assertThrows } from "@std/assert";
import { isBefore29, want29 } from "../src/serving/deno_version.ts";
import { startFailure } from "../src/serving/start_failure.ts";

Deno.test("versions before 2.9 are distinguished from later ones", () => {
  for (const version of ["1.46.3", "2.4.2", "2.8.11"]) assert(isBefore29(version), version);
  for (const version of ["2.9.0", "2.9.6", "2.10.1", "3.0.0"]) assertFalse(isBefore29(version), version);
});

Deno.test("what wants a later Deno says so in one line, and how to do without", () => {
  want29("--workers", "Leave it out", "2.9.0");
  const error = assertThrows(() => want29("--workers", "Leave it out", "2.8.11"));
  assertEquals(
    startFailure(error, { hostname: "127.0.0.1", port: 0 }),
    "--workers needs Deno 2.9 or later; this is Deno 2.8.11. Leave it out",
  );
});

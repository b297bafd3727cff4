/**
 * The one uncaught error that is no bug of the program: a reset of a socket that nothing listens to any more.
 *
 * @module
 */
import { assertEquals } from "@std/assert";
import { isLateReset } from "../src/serving/service.ts";

/** As Deno 2.9 throws it. */
const STACK = `Error: read ECONNRESET
    at __node_internal_errnoException (ext:deno_node/internal/errors.ts:1:3113)
    at TCPWrap.onStreamRead [as onread] (ext:deno_node/internal/stream_base_commons.ts:1:3690)`;

function errorWith(properties: object): Error {
  return Object.assign(new Error("read ECONNRESET"), properties);
}

Deno.test("the reset of a socket without listeners counts as no bug", () => {
  assertEquals(isLateReset(errorWith({ code: "ECONNRESET", stack: STACK })), true);
  const bugs = [
    errorWith({ code: "ECONNRESET" }),
    errorWith({ code: "ECONNRESET", stack: `${STACK}\n    at own (file:///chat/mod.ts:1:1)` }),
    errorWith({ code: "ECONNRESET", stack: "Error: read ECONNRESET" }),
    errorWith({ code: "ERR_ASSERTION", stack: STACK }),
    errorWith({ stack: STACK }),
    new TypeError("x"),
    undefined,
  ];
  assertEquals(bugs.map(isLateReset), bugs.map(() => false));
});

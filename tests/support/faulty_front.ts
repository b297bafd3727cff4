/**
 * The entry of a chat server's thread in tests: like the program's, but a session can make it hang or break. The
 * program itself needs no hook for that.
 *
 * @module
 */
import { Session } from "../../chat/gateway/session.ts";
import { serveThread } from "../../chat/gateway/threads/mod.ts";
import { replaced } from "./broken.ts";

/** Milliseconds that it hangs, without delaying other tests. */
const HANG_MS = 3000;

replaced(Session.prototype, "receiveText", (original) =>
  function (text: string) {
    if (text === "hang") Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, HANG_MS);
    if (text === "break") {
      setTimeout(() => {
        throw new TypeError("broken on purpose");
      });
    }
    return original.call(this, text);
  });
await serveThread();

/**
 * What a thread of a chat server begins with in tests: as the program's, with a session in it that hangs or breaks the
 * thread when it is told to. So the program needs no place of its own at which a test could do that.
 *
 * @module
 */
import { Session } from "../../chat/gateway/session.ts";
import { serveThread } from "../../chat/gateway/threads/mod.ts";
import { replaced } from "./broken.ts";

/** Milliseconds that it hangs, at no cost of the tests beside. */
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

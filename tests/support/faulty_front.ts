/**
 * What a thread of a chat server begins with in tests: as the program's, with a session in it that hangs or breaks the
 * thread when it is told to. So the program needs no place of its own at which a test could do that.
 *
 * @module
 */
import { Session } from "../../chat/gateway/session.ts";
import { serveThread } from "../../chat/gateway/threads/mod.ts";
import { replaced } from "./broken.ts";

/** Milliseconds that it hangs: a thread that never ends would take a core from all tests to come. */
const HANG_MS = 3000;

replaced(Session.prototype, "receiveText", (original) =>
  function (text: string) {
    if (text === "hang") { for (const endMs = performance.now() + HANG_MS; performance.now() < endMs;); }
    if (text === "break") {
      setTimeout(() => {
        throw new TypeError("broken on purpose");
      });
    }
    return original.call(this, text);
  });
await serveThread();

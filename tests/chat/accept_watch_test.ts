/**
 * When a port is taken for deaf, by a clock that the test sets and real connections that come to somebody else.
 *
 * @module
 */
import { assertEquals } from "@std/assert";
import { AcceptWatch } from "../../chat/sockets/accept_watch.ts";

/** Beats of half a second that a watch takes until it says that nobody is accepted any more. */
function beatsUntilDeaf(sharers: number, heardAtBeat?: number): number {
  // It takes the connections, as another thread that shares the port would.
  using listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  let isDeaf = false;
  const watch = new AcceptWatch({
    hostname: "127.0.0.1",
    port: listener.addr.port,
    sharers,
    nowMs: 0,
    onDeaf: () => isDeaf = true,
  });
  try {
    for (let beat = 1;; beat++) {
      watch.beat(beat * 500);
      if (beat === heardAtBeat) watch.heard(beat * 500);
      if (isDeaf) return beat;
    }
  } finally {
    watch.stop();
  }
}

Deno.test("a port of one thread is deaf when a connection was not accepted for 2 s, after 3 s without anybody", () => {
  assertEquals(beatsUntilDeaf(1), 6 + 4);
});

Deno.test("where two threads share a port, twenty connections in a row have to come to the other", () => {
  // 2 to the power of 20 is a million.
  assertEquals(beatsUntilDeaf(2), 6 + 20);
});

Deno.test("the more threads share a port, the more connections in a row have to come to others", () => {
  assertEquals(beatsUntilDeaf(4), 6 + 49);
});

Deno.test("one that is accepted in between is the beginning of another wait", () => {
  assertEquals(beatsUntilDeaf(2, 10), 10 + 6 + 20);
});

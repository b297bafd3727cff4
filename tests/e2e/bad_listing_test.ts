/**
 * Listings that answer nonsense, slowly, endlessly, elsewhere, or not at all: the chat server goes on unaffected, logs
 * each fault once, and stops in time.
 *
 * @module
 */
import { assert, assertEquals, assertGreater } from "@std/assert";
import { ChatClient } from "../support/chat_client.ts";
import { startServer } from "../support/program.ts";

/** Requests that each listing that answers at once must get: one objection was logged, a second was not. */
const TRIES = 3;

interface BadListing extends AsyncDisposable {
  readonly url: string;
  /** Resolves when it was asked that often. */
  asked(times: number): Promise<void>;
}

/** Counts requests, for a test that waits for them. */
function counter(): { count: () => void; reached: (times: number) => Promise<void> } {
  let count = 0;
  let waiting: { times: number; resolve: () => void } | undefined;
  return {
    count() {
      count++;
      if (waiting !== undefined && count >= waiting.times) waiting.resolve();
    },
    reached(times) {
      if (count >= times) return Promise.resolve();
      return new Promise((resolve) => waiting = { times, resolve });
    },
  };
}

function http(answer: (request: Request) => Response | Promise<Response>): BadListing {
  const { count, reached } = counter();
  const server = Deno.serve({ hostname: "127.0.0.1", port: 0, onListen: () => {} }, async (request) => {
    await request.body?.cancel();
    count();
    return await answer(request);
  });
  return {
    url: `http://127.0.0.1:${server.addr.port}`,
    asked: reached,
    [Symbol.asyncDispose]: () => server.shutdown(),
  };
}

/** A listing that is no HTTP server: writes `bytes` to each connection, and then hangs up or not. */
function tcp(bytes: string, { hangsUp }: { hangsUp: boolean }): BadListing {
  const { count, reached } = counter();
  const listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  const open = new Set<Deno.Conn>();
  const accepting = (async () => {
    for await (const connection of listener) {
      open.add(connection);
      await connection.read(new Uint8Array(4096)).catch(() => null);
      count();
      await connection.write(new TextEncoder().encode(bytes)).catch(() => 0);
      if (!hangsUp) continue;
      open.delete(connection);
      connection.close();
    }
  })();
  return {
    url: `http://127.0.0.1:${listener.addr.port}`,
    asked: reached,
    async [Symbol.asyncDispose]() {
      listener.close();
      for (const connection of open) connection.close();
      await accepting;
    },
  };
}

function endless(): Response {
  return new Response(
    new ReadableStream({
      pull(controller) {
        controller.enqueue(new TextEncoder().encode("no key at all ".repeat(1000)));
      },
    }),
    { status: 201 },
  );
}

Deno.test("chat goes on whatever its listings answer, says once what is wrong with each, and stops in time", async () => {
  await using stack = new AsyncDisposableStack();
  const elsewhere = stack.use(http(() => new Response("stolen", { status: 201 })));
  let wasElsewhere = false;
  elsewhere.asked(1).then(() => wasElsewhere = true);
  const listings: Record<string, { listing: BadListing; event: string }> = {};
  const add = (name: string, listing: BadListing, event = "listing.refused") => {
    listings[name] = { listing: stack.use(listing), event };
  };
  add("garbage", http(() => new Response("\x1b[2J<html>\r\n\u202e log in first", { status: 201 })));
  add("another status", http(() => new Response("fine", { status: 200 })));
  add("a failure", http(() => new Response("oh no", { status: 500 })));
  add("a redirect", http(() => Response.redirect(`${elsewhere.url}/servers/1`, 307)));
  add("an answer without an end", http(endless));
  add("what is no HTTP", tcp("SSH-2.0-OpenSSH_9.9\r\n", { hangsUp: true }), "listing.unreachable");
  add("nothing, and hangs up", tcp("", { hangsUp: true }), "listing.unreachable");
  const silent = stack.use(tcp("", { hangsUp: false }));
  const slow = stack.use(tcp("HTTP/1.1 201 Created\r\nContent-Length: 43\r\n\r\nA", { hangsUp: false }));

  const urls = [...Object.values(listings).map(({ listing }) => listing.url), silent.url, slow.url];
  await using server = await startServer("chat", [
    ...urls.flatMap((url) => ["--listing", url]),
    "--log-level",
    "debug",
  ]);
  await using alice = await ChatClient.connect(server.url, "alice");
  await using bob = await ChatClient.connect(server.url, "bob");
  await bob.drain();
  await alice.say("hello");
  assertEquals((await bob.drain()).length, 1);
  await Promise.all([
    silent.asked(1),
    slow.asked(1),
    ...Object.values(listings).map(({ listing }) => listing.asked(TRIES)),
  ]);
  await alice.say("still here");
  assertEquals((await bob.drain()).length, 1);

  for (const [name, { listing: { url }, event }] of Object.entries(listings)) {
    const logged = server.events.filter(({ listing }) => listing === url);
    const first = event === "listing.unreachable" ? "DEBUG" : "WARN";
    assertEquals(
      logged.map(({ message, level }) => [message, level]),
      logged.map((_, n) => [event, n === 0 ? first : "DEBUG"]),
      `${name}: ${JSON.stringify(logged)}`,
    );
    assertGreater(logged.length, 1, name);
    assert(!/[\p{Cc}\p{Bidi_Control}]/u.test(String(logged[0]?.answer)), name);
  }
  assertEquals(wasElsewhere, false, "a redirect is not followed");
  assertEquals(server.events.filter(({ message }) => message === "bug"), []);
  assertEquals(await server.stop(), { status: 0, isInTime: true }, server.log);
});

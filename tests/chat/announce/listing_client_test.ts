/**
 * Single requests to a listing over real HTTP: what is sent, and that any answer becomes one bounded value.
 *
 * @module
 */
import { assert, assertEquals, assertFalse, assertLess, assertMatch } from "@std/assert";
import { ListingClient, type ListingReply, reasonText } from "../../../chat/announce/listing_client.ts";
import { freePort } from "../../support/free_port.ts";

interface Seen {
  readonly method: string;
  readonly path: string;
  readonly headers: Headers;
  readonly body: string;
}

/** A listing on a free port that answers as the test says; `test` gets its base URL and the requests received. */
async function withListing(
  answer: (request: Request) => Response | Promise<Response>,
  test: (url: string, seen: Seen[]) => Promise<void>,
): Promise<void> {
  const seen: Seen[] = [];
  const server = Deno.serve({ hostname: "127.0.0.1", port: 0, onListen() {} }, async (request) => {
    const { method, url, headers } = request;
    seen.push({ method, path: new URL(url).pathname, headers, body: await request.text() });
    return answer(request);
  });
  try {
    await test(`http://127.0.0.1:${server.addr.port}`, seen);
  } finally {
    await server.shutdown();
  }
}

/** A signal that never fires. */
const never = new AbortController().signal;

const PROOF = "p".repeat(43);
const BODY = { serverName: "Pub", address: ":5000", connectedUsers: 0, maxUsers: 50 };

Deno.test("listing client registers by POST, with a key where there is one", () =>
  withListing(() => new Response("the key", { status: 201 }), async (url, seen) => {
    const client = new ListingClient(url, 42, PROOF);
    const created = { answered: true, status: 201, text: "the key" } as const;
    assertEquals<ListingReply>(await client.register(BODY, undefined, never), created);
    assertEquals<ListingReply>(await client.register(BODY, "old key", never), created);
    const [first, second] = seen;
    assertEquals([first?.method, first?.path], ["POST", "/servers/42"]);
    assertEquals(first?.headers.get("content-type"), "application/json");
    assertEquals(first?.headers.get("authorization"), null);
    assertEquals(JSON.parse(first?.body ?? ""), BODY);
    assertEquals(second?.headers.get("authorization"), "C2Listing old key");
  }));

Deno.test("listing client updates by PUT what it is given and no more, and withdraws by DELETE without a body", () =>
  withListing(() => new Response(null, { status: 200 }), async (url, seen) => {
    const client = new ListingClient(url, 0, PROOF);
    const done = { answered: true, status: 200, text: "" } as const;
    assertEquals<ListingReply>(await client.update({ connectedUsers: 3 }, "key", never), done);
    assertEquals<ListingReply>(await client.withdraw("key", never), done);
    assertEquals(
      seen.map(({ method, path, headers, body }) => [method, path, headers.get("authorization"), body]),
      [
        ["PUT", "/servers/0", "C2Listing key", '{"connectedUsers":3}'],
        ["DELETE", "/servers/0", "C2Listing key", ""],
      ],
    );
  }));

Deno.test("listing client shows its proof where the listing pings an address, and nowhere else", () =>
  withListing(() => new Response("key", { status: 201 }), async (url, seen) => {
    const client = new ListingClient(url, 42, PROOF);
    await client.register({}, undefined, never);
    await client.update({ address: ":5001" }, "key", never);
    await client.update({ connectedUsers: 1 }, "key", never);
    await client.withdraw("key", never);
    assertEquals(seen.map(({ headers }) => headers.get("c2-proof")), [PROOF, PROOF, null, null]);
  }));

Deno.test("listing client finds /servers under the listing's base, with and without a slash at its end", () =>
  withListing(() => new Response(), async (url, seen) => {
    for (const base of ["", "/", "/under", "/under/"]) {
      await new ListingClient(`${url}${base}`, Number.MAX_SAFE_INTEGER, PROOF).withdraw("key", never);
    }
    const id = "9007199254740991";
    assertEquals(seen.map(({ path }) => path), [
      `/servers/${id}`,
      `/servers/${id}`,
      `/under/servers/${id}`,
      `/under/servers/${id}`,
    ]);
  }));

Deno.test("listing client answers a refusal and a broken listing as they came", async () => {
  for (const status of [200, 400, 401, 404, 409, 413, 429, 500, 503]) {
    await withListing(() => new Response(`because ${status}`, { status }), async (url) => {
      assertEquals<ListingReply>(await new ListingClient(url, 1, PROOF).register(BODY, undefined, never), {
        answered: true,
        status,
        text: `because ${status}`,
      });
    });
  }
});

Deno.test("listing client follows no redirect, so that its key goes to nobody else", () =>
  withListing(() => new Response("elsewhere", { status: 200 }), (elsewhere, seenElsewhere) =>
    withListing(
      () => new Response(null, { status: 307, headers: { location: elsewhere } }),
      async (url, seen) => {
        const reply = await new ListingClient(url, 1, PROOF).update({ connectedUsers: 1 }, "key", never);
        assertEquals(reply.answered && reply.status, 307);
        assertEquals([seen.length, seenElsewhere.length], [1, 0]);
      },
    )));

const CAP = 4096;

Deno.test("listing client reads an answer of any length up to its cap, and of a longer one the beginning", async () => {
  for (const [length, read] of [[CAP - 1, CAP - 1], [CAP, CAP], [CAP + 1, CAP], [1_000_000, CAP]] as const) {
    await withListing(() => new Response("x".repeat(length), { status: 400 }), async (url) => {
      const reply = await new ListingClient(url, 1, PROOF).register(BODY, undefined, never);
      assertEquals(reply.answered && reply.text.length, read, `${length} bytes`);
    });
  }
});

Deno.test("listing client hangs up on an answer without an end", async () => {
  let sent = 0;
  let hungUp: () => void = () => {};
  const wasHungUp = new Promise<void>((resolve) => hungUp = resolve);
  const endless = () =>
    new ReadableStream<Uint8Array>({
      pull(controller) {
        sent += 1024;
        controller.enqueue(new Uint8Array(1024).fill(0x61));
      },
      cancel: () => hungUp(),
    });
  await withListing(() => new Response(endless(), { status: 201 }), async (url) => {
    const reply = await new ListingClient(url, 1, PROOF).register(BODY, undefined, never);
    assertEquals(reply.answered && reply.text, "a".repeat(CAP));
    await wasHungUp;
    assertLess(sent, 64 * 1024 * 1024);
  });
});

Deno.test("listing client takes bytes that are no text", () =>
  withListing(() => new Response(new Uint8Array([0xff, 0xfe, 0x41, 0xc3]), { status: 400 }), async (url) => {
    const reply = await new ListingClient(url, 1, PROOF).register(BODY, undefined, never);
    assertEquals<ListingReply>(reply, { answered: true, status: 400, text: "\ufffd\ufffdA\ufffd" });
  }));

Deno.test("listing client answers nobody there, and what is no HTTP, as not answered", async () => {
  const garbage = Deno.listen({ hostname: "127.0.0.1", port: freePort() });
  const serving = (async () => {
    const connection = await garbage.accept();
    await connection.read(new Uint8Array(4096));
    await connection.write(new TextEncoder().encode("220 smtp.example.com ESMTP\r\n"));
    connection.close();
  })();
  const { port } = garbage.addr;
  const reply = await new ListingClient(`http://127.0.0.1:${port}`, 1, PROOF).withdraw("key", never);
  assert(!reply.answered && reply.reason !== "", JSON.stringify(reply));
  await serving;
  garbage.close();
  const refused = await new ListingClient(`http://127.0.0.1:${port}`, 1, PROOF).withdraw("key", never);
  assert(!refused.answered);
  assertMatch(refused.reason, /refused/);
});

Deno.test("listing client gives up when it is told, before the answer and in the midst of it", async () => {
  let close: () => void = () => {};
  const inTheMidst = () =>
    new ReadableStream<Uint8Array>({
      start(controller) {
        controller.enqueue(new TextEncoder().encode("so far"));
        close = () => controller.close();
      },
    });
  for (const answers of ["never", "the head"] as const) {
    let arrived: () => void = () => {};
    const hasArrived = new Promise<void>((resolve) => arrived = resolve);
    let release: () => void = () => {};
    const released = new Promise<void>((resolve) => release = resolve);
    await withListing(async () => {
      arrived();
      if (answers === "the head") return new Response(inTheMidst(), { status: 201 });
      await released;
      return new Response("too late", { status: 201 });
    }, async (url) => {
      const abort = new AbortController();
      const reply = new ListingClient(url, 1, PROOF).register(BODY, undefined, abort.signal);
      await hasArrived;
      abort.abort(new Error("told to stop"));
      const { answered, reason } = await reply as ListingReply & { answered: false };
      assertFalse(answered);
      assertMatch(reason, /told to stop|cancelled|aborted/);
      release();
      try {
        close();
      } catch {
        // The server noticed first that the client had gone.
      }
    });
  }
});

Deno.test("listing client that was told to give up before it began asks nobody", () =>
  withListing(() => new Response(), async (url, seen) => {
    const reply = await new ListingClient(url, 1, PROOF).withdraw(
      "key",
      AbortSignal.abort(new Error("stopping")),
    );
    assertEquals<ListingReply>(reply, { answered: false, reason: "stopping" });
    assertEquals(seen, []);
  }));

Deno.test("reasonText() is one line with the status, without what could play tricks on a terminal", () => {
  const cases: [ListingReply, string][] = [
    [{ answered: true, status: 400, text: " address: no answer\n" }, "status 400: address: no answer"],
    [{ answered: true, status: 500, text: "" }, "status 500: (no text)"],
    [{ answered: true, status: 500, text: "\n\u001b\u202e " }, "status 500: (no text)"],
    [{ answered: true, status: 400, text: "\u001b[2J\u009b31ma\r\nb\u0000" }, "status 400: [2J 31ma b"],
    [
      { answered: true, status: 400, text: "a\u202eb\u2066c\u2028d\u2029e\u200ef" },
      "status 400: a b c d e f",
    ],
    [{ answered: true, status: 400, text: "语言 ümläut 👍" }, "status 400: 语言 ümläut 👍"],
    [{ answered: false, reason: "Connection refused\n(os error 111)" }, "Connection refused (os error 111)"],
  ];
  for (const [reply, line] of cases) assertEquals(reasonText(reply), line);
});

Deno.test("reasonText() is of bounded length, whole at 300 characters and cut past them", () => {
  for (const [length, kept] of [[300, 300], [301, 300], [4096, 300]] as const) {
    assertEquals(reasonText({ answered: false, reason: "x".repeat(length) }), "x".repeat(kept));
    assertEquals(
      reasonText({ answered: true, status: 400, text: "x".repeat(length) }),
      `status 400: ${"x".repeat(kept)}`,
    );
  }
});

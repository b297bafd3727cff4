/**
 * An open port by itself: its fence, and the end of a connection whose request nobody read. How it stops, and what it
 * does without file descriptors, is tested by those that have one.
 *
 * @module
 */
import { assertEquals } from "@std/assert";
import { type Handler, serve } from "../src/serving/http_server.ts";
import { recordedLog } from "./support/recorded_log.ts";

const PLACE = { hostname: "127.0.0.1", port: 0, tls: undefined };

function open(answer: Handler, ready?: () => Response) {
  const { log, lines } = recordedLog();
  const options = { stopping: new AbortController().signal, cutAllAfterMs: 0, log };
  const server = serve(PLACE, answer, { ...options, ...(ready && { ready }) });
  return {
    url: `http://127.0.0.1:${server.port}`,
    lines,
    [Symbol.asyncDispose]: () => server.close(),
  };
}

function breaking(): never {
  throw new Error("a bug");
}

Deno.test("a bug in an answer is 500 and logged, and the port goes on", async () => {
  const kinds: [Handler, (() => Response)?][] = [
    [breaking],
    [() => Promise.reject(new Error("a bug"))],
    [() => new Response("never asked"), breaking],
  ];
  for (const [answer, ready] of kinds) {
    await using port = open(answer, ready);
    for (let i = 0; i < 2; i++) {
      const response = await fetch(port.url);
      assertEquals([response.status, await response.text()], [
        500,
        "Internal error: the server's operator finds it in the log\n",
      ]);
    }
    assertEquals(port.lines.map(({ event, properties: { where } }) => [event, where]), [
      ["bug", "port"],
      ["bug", "port"],
    ]);
  }
});

Deno.test("who sends a body that is not read is told that its connection ends, and nobody else is", async () => {
  await using port = open(async (request) =>
    request.url.endsWith("/refused")
      ? new Response("no", { status: 413 })
      : new Response(request.method === "DELETE" ? "not read" : await request.text())
  );
  const long = "x".repeat(100_000);
  const asked: [method: string, path: string, body: string | undefined, connection: string | null][] = [
    ["GET", "/refused", undefined, null],
    ["POST", "/refused", undefined, null],
    ["POST", "/refused", long, "close"],
    ["DELETE", "/", undefined, null],
    ["DELETE", "/", long, "close"],
    ["POST", "/", long, null],
    ["PUT", "/", "", null],
  ];
  for (const [method, path, body, connection] of asked) {
    const response = await fetch(port.url + path, { method, ...(body !== undefined && { body }) });
    await response.text();
    assertEquals(response.headers.get("connection"), connection, `${method} ${path} ${body?.length}`);
  }
  assertEquals(port.lines, []);
});

/**
 * Heads of HTTP requests: what is read out of them, and what is refused.
 *
 * @module
 */
import { assert, assertEquals } from "@std/assert";
import { headEnd, isBadHead, readHead } from "../../chat/sockets/request_head.ts";

function head(...lines: string[]): string {
  return [...lines, "", ""].join("\r\n");
}

Deno.test("readHead() reads method, target, headers and the length of the body", () => {
  const read = readHead(
    head(
      "POST /admin/bans?x=1 HTTP/1.1",
      "Host: a.example:5000",
      "X:  two words \t",
      "x: three",
      "Content-Length: 12",
    ),
  );
  assert(!isBadHead(read));
  assertEquals([read.method, read.target, read.bodyBytes, read.isUpgrade], [
    "POST",
    "/admin/bans?x=1",
    12,
    false,
  ]);
  assertEquals([read.headers.get("x"), read.headers.get("host")], ["two words, three", "a.example:5000"]);
});

Deno.test("readHead() knows who asks for a WebSocket", () => {
  const asks: [string[], boolean][] = [
    [["GET / HTTP/1.1", "Upgrade: websocket"], true],
    [["GET /x HTTP/1.1", "upgrade: WebSocket"], true],
    [["GET / HTTP/1.1", "Upgrade: h2c"], false],
    [["POST / HTTP/1.1", "Upgrade: websocket"], false],
    [["GET / HTTP/1.1"], false],
  ];
  for (const [lines, isUpgrade] of asks) {
    const read = readHead(head(...lines));
    assert(!isBadHead(read));
    assertEquals(read.isUpgrade, isUpgrade, lines.join(" | "));
  }
});

Deno.test("readHead() refuses what is no request that it serves", () => {
  const malformed = [
    [""],
    ["hello"],
    ["GET /"],
    ["GET / HTTP/2.0"],
    ["get / HTTP/1.1"],
    ["GET  / HTTP/1.1"],
    ["GET http://a.example/ HTTP/1.1"],
    ["GET * HTTP/1.1"],
    ["GET /a b HTTP/1.1"],
    ["GET /\u00e9 HTTP/1.1"],
    ["GET / HTTP/1.1", "no colon"],
    ["GET / HTTP/1.1", "Spaced : x"],
    ["GET / HTTP/1.1", ": x"],
    ["GET / HTTP/1.1", "X: a", " folded"],
    ["GET / HTTP/1.1", "X: a\nY: b"],
    ["GET / HTTP/1.1", "X: a\0b"],
    ["GET / HTTP/1.1", "Host: a/b"],
    ["GET / HTTP/1.1", "Host: a@b"],
    ["GET / HTTP/1.1", "Host: a", "Host: b"],
    ["POST / HTTP/1.1", "Content-Length: -1"],
    ["POST / HTTP/1.1", "Content-Length: 1e3"],
    ["POST / HTTP/1.1", "Content-Length: 1", "Content-Length: 2"],
  ];
  for (const lines of malformed) {
    const read = readHead(head(...lines));
    assert(isBadHead(read) && read.status === 400, lines.join(" | "));
  }
  const chunked = readHead(head("POST / HTTP/1.1", "Transfer-Encoding: chunked"));
  assert(isBadHead(chunked) && chunked.status === 411);
});

Deno.test("headEnd() finds the end of a head wherever it was cut", () => {
  const text = head("GET / HTTP/1.1", "Host: x") + "rest";
  const end = text.length - 4;
  assertEquals(headEnd(text, 0), end);
  for (let seen = 0; seen < end; seen++) {
    assertEquals(headEnd(text.slice(0, seen), 0), undefined);
    assertEquals(headEnd(text, seen), end, `cut at ${seen}`);
  }
});

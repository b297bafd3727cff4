/**
 * The head of an HTTP/1.1 request, RFC 9112: bytes to method, target and headers, or to the status that refuses them.
 *
 * Pure, and stricter than most: no obsolete line folding, no bare line feeds, no target but a path. It serves the
 * transport of `ws`, which reads one request a connection, so that nothing can be taken for a second one.
 *
 * @module
 */

/** Bytes of a request's head: browsers with cookies and proxies with their headers stay below half of it. */
export const HEAD_BYTES_MAX = 16_384;

export interface RequestHead {
  readonly method: string;
  /** Path and query, as it was sent. */
  readonly target: string;
  readonly headers: Headers;
  /** Bytes of the body. */
  readonly bodyBytes: number;
  /** Whether it asks for a WebSocket: what else it needs for that is judged by whoever shakes hands. */
  readonly isUpgrade: boolean;
}

export interface BadHead {
  readonly status: 400 | 411 | 431;
  readonly text: string;
}

const HEAD_END = "\r\n\r\n";
const REQUEST_LINE = /^([A-Z]{1,20}) (\/[\x21-\x7e]*) HTTP\/1\.[01]$/;
const HEADER = /^([!#$%&'*+.^_`|~0-9A-Za-z-]+):[ \t]*([\t\x20-\x7e\x80-\xff]*?)[ \t]*$/;
const HOST = /^[0-9A-Za-z._~:[\]-]+$/;

/**
 * Where the head ends in what came so far, a string of one character a byte; undefined where it is still to come.
 * What was looked through before, `seen` characters, is not looked through again.
 */
export function headEnd(text: string, seen: number): number | undefined {
  const at = text.indexOf(HEAD_END, Math.max(0, seen - HEAD_END.length + 1));
  return at < 0 ? undefined : at + HEAD_END.length;
}

/** Reads a head up to its empty line, a string of one character a byte. */
export function readHead(text: string): RequestHead | BadHead {
  const [requestLine = "", ...lines] = text.slice(0, -HEAD_END.length).split("\r\n");
  const [, method, target] = REQUEST_LINE.exec(requestLine) ?? [];
  if (method === undefined || target === undefined) return bad("The request line is malformed");
  const headers = new Headers();
  for (const line of lines) {
    const [, name, value] = HEADER.exec(line) ?? [];
    if (name === undefined || value === undefined) return bad("A header is malformed");
    headers.append(name, value);
  }
  const host = headers.get("host");
  if (host !== null && !HOST.test(host)) return bad("The host is malformed");
  if (headers.has("transfer-encoding")) {
    return { status: 411, text: "A body has to come with its length" };
  }
  const length = headers.get("content-length");
  if (length !== null && !/^[0-9]{1,15}$/.test(length)) return bad("The length of the body is malformed");
  return {
    method,
    target,
    headers,
    bodyBytes: Number(length ?? 0),
    isUpgrade: method === "GET" && headers.get("upgrade")?.toLowerCase() === "websocket",
  };
}

export function isBadHead(head: RequestHead | BadHead): head is BadHead {
  return "status" in head;
}

function bad(text: string): BadHead {
  return { status: 400, text };
}

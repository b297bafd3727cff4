/**
 * What the headers of a request say about its answer: whether the client has it already, and whether it takes gzip.
 *
 * Pure. Both take time in proportion to the header's length.
 *
 * @module
 */
import { ifNoneMatch } from "@std/http/etag";
import { acceptsEncodings } from "@std/http/negotiation";

/** Whether If-None-Match names `etag`: the answer is 304 then. */
export function isNotModified({ headers }: Request, etag: string): boolean {
  // No ETag has white space in it, and @std splits a run of it in time that grows with the square of its length.
  const named = headers.get("if-none-match")?.replaceAll(/[ \t]/g, "") ?? null;
  return !ifNoneMatch(named, etag);
}

/** Whether the client prefers gzip to plain bytes. One without Accept-Encoding gets plain bytes. */
export function acceptsGzip(request: Request): boolean {
  return Boolean(request.headers.get("accept-encoding")) &&
    acceptsEncodings(request, "gzip", "identity") === "gzip";
}

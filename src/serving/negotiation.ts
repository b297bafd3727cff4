/**
 * Content negotiation from a request's headers: conditional requests and gzip. Pure; the time is linear in the
 * header's length.
 *
 * @module
 */
import { ifNoneMatch } from "@std/http/etag";
import { acceptsEncodings } from "@std/http/negotiation";

/** True if If-None-Match names `etag`, so that the answer is 304. */
export function isNotModified({ headers }: Request, etag: string): boolean {
  // ETags contain no white space, and @std splits long runs of it in quadratic time.
  const named = headers.get("if-none-match")?.replaceAll(/[ \t]/g, "") ?? null;
  return !ifNoneMatch(named, etag);
}

/** True if the client prefers gzip. Without Accept-Encoding it gets plain bytes. */
export function acceptsGzip(request: Request): boolean {
  return Boolean(request.headers.get("accept-encoding")) &&
    acceptsEncodings(request, "gzip", "identity") === "gzip";
}

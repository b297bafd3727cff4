/**
 * Content negotiation from a request's headers: conditional requests and gzip. Pure; the time is linear in the
 * header's length.
 *
 * @module
 */
import { ifNoneMatch } from "@std/http/etag";
import { accepts, acceptsEncodings } from "@std/http/negotiation";

/** Characters of an Accept header that is read: browsers send some 150. A longer one counts as `text/plain`. */
export const ACCEPT_LENGTH_MAX = 1024;

/** True if the client prefers HTML, as browsers do. Others, such as curl, get text. */
export function prefersHtml(request: Request): boolean {
  const { length } = request.headers.get("accept") ?? "";
  return length <= ACCEPT_LENGTH_MAX && accepts(request, "text/plain", "text/html") === "text/html";
}

/** True if If-None-Match names `etag`, so that the answer is 304. */
export function isNotModified({ headers }: Request, etag: string): boolean {
  // ETags contain no white space, and @std splits long runs of it in quadratic time. A header may have NBSP.
  const named = headers.get("if-none-match")?.replaceAll(/\s/g, "") ?? null;
  return !ifNoneMatch(named, etag);
}

/** True if the client prefers gzip. Without Accept-Encoding it gets plain bytes. */
export function acceptsGzip(request: Request): boolean {
  return Boolean(request.headers.get("accept-encoding")) &&
    acceptsEncodings(request, "gzip", "identity") === "gzip";
}

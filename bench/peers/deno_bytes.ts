/**
 * A bare Deno.serve that answers every request with the bytes of one file, or with 304 where the request names
 * their ETag: what the listing's reads could be at best.
 *
 *     deno run --allow-net --allow-read deno_bytes.ts PORT FILE
 *
 * @module
 */
const [port, file = ""] = Deno.args;
const bytes = await Deno.readFile(file);
const headers = { "content-type": "application/json", "etag": '"the-bytes"' };

Deno.serve(
  { hostname: "127.0.0.1", port: Number(port), onListen: () => {} },
  (request) =>
    request.headers.get("if-none-match") === headers.etag
      ? new Response(null, { status: 304, headers })
      : new Response(bytes, { headers }),
);

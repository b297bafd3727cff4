/**
 * A bare Deno.serve that answers every request with the bytes of one file and the headers of another, or with 304
 * where the request names their ETag: what the listing's reads could be at best.
 *
 *     deno run --allow-net --allow-read deno_bytes.ts PORT FILE
 *
 * The headers lie beside FILE as JSON, in FILE.headers.
 *
 * @module
 */
const [port, file = ""] = Deno.args;
const bytes = await Deno.readFile(file);
const headers = new Headers(JSON.parse(await Deno.readTextFile(`${file}.headers`)));
const etag = headers.get("etag");

Deno.serve(
  { hostname: "127.0.0.1", port: Number(port), onListen: () => {} },
  (request) =>
    request.headers.get("if-none-match") === etag
      ? new Response(null, { status: 304, headers })
      : new Response(bytes, { headers }),
);

/**
 * A bare Deno.serve that answers every request with the bytes of one file, or with 304 if the request names their
 * ETag: the upper bound for reads of the listing. FILE.headers holds the headers as JSON.
 *
 *     deno run --allow-net --allow-read deno_bytes.ts PORT FILE
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

/**
 * A proxy that serves another server under a path, as nginx does with `location /list/` and `proxy_pass` to `/`. It
 * passes a Location header as it is.
 *
 * @module
 */

export interface PathProxy extends AsyncDisposable {
  /** Ends with a slash. */
  readonly url: string;
  /** The paths that were asked for and are not under the proxy's. */
  readonly strays: string[];
}

export function startPathProxy(target: string, path = "/list/"): PathProxy {
  const strays: string[] = [];
  // Cuts event streams, which a shutdown would wait for.
  const ended = new AbortController();
  const { signal } = ended;
  const server = Deno.serve({ hostname: "127.0.0.1", port: 0, signal, onListen() {} }, (request) => {
    const { pathname, search } = new URL(request.url);
    if (!pathname.startsWith(path)) {
      strays.push(pathname);
      return new Response("Not under the proxy's path", { status: 404 });
    }
    const { method, headers, body } = request;
    const place = `${target}/${pathname.slice(path.length)}${search}`;
    return fetch(place, { method, headers, body, redirect: "manual", signal });
  });
  return {
    url: `http://127.0.0.1:${server.addr.port}${path}`,
    strays,
    [Symbol.asyncDispose]() {
      ended.abort();
      return server.finished;
    },
  };
}

/**
 * The files of the web pages over HTTP: types, ETags, compression, and nothing that is not meant for browsers.
 *
 * @module
 */
import {
  assertEquals,
  assertGreater,
  assertMatch,
  assertNotEquals,
  assertStringIncludes,
  assertThrows,
} from "@std/assert";
import { transformSync } from "amaro";
import {
  EMBEDDED,
  embeddingStatement,
  PAGE_POLICY,
  WEB_FOLDERS,
  WebAssets,
} from "../src/serving/web_assets.ts";

const assets = WebAssets.load(WEB_FOLDERS);

function ask(path: string, headers: Record<string, string> = {}): Promise<Response> | undefined {
  return assets.answer(new Request(`http://localhost${path}`, { headers }));
}

Deno.test("a file for browsers is answered with its type, and kept to itself", async () => {
  const response = await ask("/chat/web/page/page.css")!;
  assertEquals(response.status, 200);
  assertEquals(response.headers.get("content-type"), "text/css; charset=UTF-8");
  assertEquals(response.headers.get("x-content-type-options"), "nosniff");
  assertEquals(response.headers.get("content-security-policy"), PAGE_POLICY);
  assertStringIncludes(PAGE_POLICY, "frame-ancestors 'none'");
  assertEquals(response.headers.get("referrer-policy"), "no-referrer");
  assertEquals(response.headers.get("cache-control"), "no-cache");
  assertEquals(await response.text(), await Deno.readTextFile("chat/web/page/page.css"));
});

Deno.test("a script is answered as JavaScript whose lines and columns are those of the file", async () => {
  const response = await ask("/src/client/session/roster.ts")!;
  assertEquals(response.headers.get("content-type"), "text/javascript; charset=UTF-8");
  const text = await response.text();
  const { Roster } = await import(`data:text/javascript,${encodeURIComponent(text)}`);
  const roster = new Roster();
  roster.add("alice");
  assertEquals(roster.names, ["alice"]);
  const written = await Deno.readTextFile("src/client/session/roster.ts");
  assertEquals(text.length, written.length);
  for (const { 0: word, index } of text.matchAll(/\S+/g)) assertEquals(written.indexOf(word, index), index);
});

Deno.test("an older Deno takes the types out of a script by a package, and gives the same", async () => {
  for (const path of assets.paths.filter((path) => path.endsWith(".ts"))) {
    const text = (await (await ask(path)!).text()).replace(/(?<=\$\{PREFIX\})[0-9a-f]{16}/, "{{ version }}");
    const written = await Deno.readTextFile(path.slice(1));
    // In the place of a character beyond ASCII it has a blank of as many bytes.
    const [other, own] = [transformSync(written, { mode: "strip-only" }).code, text]
      .map((script) => script.replace(/\s/g, " "));
    assertEquals(other, own, path);
  }
});

Deno.test("the modules of a script are those that it imports for more than their types, and theirs", async () => {
  for (const script of ["/chat/web/main.ts", "/listing/web/page.ts"]) {
    const modules = await assets.modulesOf(script);
    const imported = await Promise.all([script, ...modules].map(async (path) => {
      const text = await (await ask(path)!).text();
      return [...text.matchAll(/["'](\.\.?\/[^"']+)["']/g)].map(([, to]) =>
        new URL(to!, `http://_${path}`).pathname
      );
    }));
    assertEquals([...modules].sort(), [...new Set(imported.flat())].sort());
  }
  const chat = await assets.modulesOf("/chat/web/main.ts");
  assertEquals(chat.includes("/src/protocol/codec.ts"), true);
  assertEquals(chat.includes("/src/protocol/frames.ts"), false, "it is nothing but types");
});

Deno.test("a file that a browser has already is answered 304, whichever form it has", async () => {
  const etag = (await ask("/chat/web/page/page.css")!).headers.get("etag")!;
  for (const coding of ["gzip", "identity"]) {
    const again = await ask("/chat/web/page/page.css", { "if-none-match": etag, "accept-encoding": coding })!;
    assertEquals([again.status, again.body, again.headers.get("etag")], [304, null, etag]);
  }
  const other = await ask("/chat/web/page/page.css", { "if-none-match": 'W/"another"' })!;
  assertEquals(other.status, 200);
});

Deno.test("a file goes out compressed to who takes gzip, and to nobody else", async () => {
  const plain = await (await ask("/chat/web/page/page.css")!).text();
  for (const coding of ["gzip", "br, GZIP", "deflate, gzip;q=0.5"]) {
    const response = await ask("/chat/web/page/page.css", { "accept-encoding": coding })!;
    assertEquals(response.headers.get("content-encoding"), "gzip", coding);
    assertEquals(response.headers.get("vary"), "accept-encoding");
    const text = await new Response(response.body!.pipeThrough(new DecompressionStream("gzip"))).text();
    assertEquals(text, plain);
  }
  for (const coding of ["br", "gzip;q=0", "gzip; q=0.00", "xgzip"]) {
    const response = await ask("/chat/web/page/page.css", { "accept-encoding": coding })!;
    assertEquals(response.headers.get("content-encoding"), null);
  }
});

Deno.test("nothing is answered but files of the web folders", () => {
  for (
    const path of [
      "/",
      "/chat/web",
      "/chat/web/",
      "/chat/app.ts",
      "/chat/web/../app.ts",
      "/chat/web/%2e%2e/app.ts",
      "//chat/web/page/page.css",
      "/CHAT/web/page/page.css",
      "/src/web_assets.ts",
      "/deno.json",
      "/__proto__",
      "/chat/web/page/page.css/",
    ]
  ) {
    assertEquals(ask(path), undefined, path);
  }
});

Deno.test("a path may be another than the request's", async () => {
  const response = await assets.answer(new Request("http://localhost/"), "/chat/web/page/page.css");
  assertEquals(response?.headers.get("content-type"), "text/css; charset=UTF-8");
  assertEquals(
    assets.answer(new Request("http://localhost/chat/web/page/page.css"), "chat/web/page/page.css"),
    undefined,
  );
});

Deno.test("files that the build put into the program take the place of those on disk", async () => {
  assertGreater(assets.paths.length, 1);
  const [, written = ""] = /("chat\/web\/icon_192\.png":"[^"]*")/.exec(await embeddingStatement()) ?? [];
  Object.assign(globalThis, {
    [EMBEDDED]: {
      ...JSON.parse(`{${written}}`),
      "chat/web/page/page.css": "a { color: é }",
      "src/x.ts": "",
    },
  });
  try {
    const embedded = WebAssets.load(["chat/web/page", "chat/web"]);
    assertEquals(embedded.paths, ["/chat/web/page/page.css", "/chat/web/icon_192.png"]);
    const answer = async (path: string) => (await embedded.answer(new Request(`http://localhost${path}`))!);
    assertEquals(await (await answer("/chat/web/page/page.css")).text(), "a { color: é }");
    const picture = await answer("/chat/web/icon_192.png");
    assertEquals(picture.headers.get("content-type"), "image/png");
    assertEquals(await picture.bytes(), await Deno.readFile("chat/web/icon_192.png"));
    assertEquals(
      await (await ask("/chat/web/icon_192.png")!).bytes(),
      await Deno.readFile("chat/web/icon_192.png"),
    );
  } finally {
    delete (globalThis as { [EMBEDDED]?: unknown })[EMBEDDED];
  }
});

Deno.test("a folder that is not there, or that holds what no browser gets, is an error", () => {
  assertThrows(() => WebAssets.load(["chat/nothing" as "chat/web"]), Deno.errors.NotFound);
  assertThrows(() => WebAssets.load(["docs" as "chat/web"]), Error, "is of no type");
});

Deno.test("a service worker has the version of all files and of the filled texts", async () => {
  const worker = async (name: string) => {
    const filled = WebAssets.load(["chat/web/visit", "chat/web/page"], { name });
    const read = async () =>
      await (await filled.answer(new Request("http://localhost/chat/web/visit/service_worker.ts"))!).text();
    const first = await read();
    filled.refill({ name: "another" });
    return [first, await read()];
  };
  const [first, changed] = await worker("one");
  assertMatch(first!, /`\$\{PREFIX\}[0-9a-f]{16}`/);
  assertNotEquals(first, changed);
  assertEquals(await worker("one"), [first, changed]);
});

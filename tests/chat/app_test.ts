/**
 * The HTTP application of the chat server without a socket: health, readiness, a page for browsers, and the fence.
 *
 * @module
 */
import { assertEquals, assertStringIncludes } from "@std/assert";
import { chatApp, type ChatAppOptions } from "../../chat/gateway/http_app.ts";
import { ChatMeters } from "../../chat/meters.ts";
import { CHAT_WEB_FOLDERS, WebAssets } from "../../src/serving/web_assets.ts";
import { Hono } from "hono";
import { recordedLog } from "../support/recorded_log.ts";

const assets = WebAssets.load(CHAT_WEB_FOLDERS, { serverName: '<b>"Pub"</b>' });

/** Requests `path` of an app; options of its upgrades are added to `upgrades`. */
async function ask(
  path: string,
  init: RequestInit = {},
  options: Partial<ChatAppOptions> = {},
): Promise<{ status: number; text: string; upgrades: string[] }> {
  const upgrades: string[] = [];
  const app = chatApp({
    serverName: "Pub",
    refusePage: () => undefined,
    upgrade: (request, { remoteAddress }) => {
      upgrades.push(`${new URL(request.url).pathname} ${remoteAddress}`);
      return new Response("upgraded");
    },
    isReady: () => Promise.resolve(true),
    countUsers: () => 3,
    admin: new Hono(),
    assets,
    metrics: () => Promise.resolve(new Response("metrics")),
    meters: new ChatMeters(),
    steadyMs: () => 0,
    log: recordedLog().log,
    ...options,
  });
  const response = await app.fetch(new Request(`http://localhost${path}`, init), {
    remoteAddress: "192.0.2.1",
    arrivedAt: "192.0.2.9",
    upgrade: () => new Response(null),
  });
  return { status: response.status, text: await response.text(), upgrades };
}

Deno.test("chat app is healthy as long as it answers", async () => {
  assertEquals(await ask("/healthz"), { status: 200, text: "ok\n", upgrades: [] });
  const notReady = { isReady: () => Promise.resolve(false) };
  assertEquals((await ask("/healthz", {}, notReady)).status, 200);
});

Deno.test("chat app is ready where the server can do its work, and says 503 where it cannot", async () => {
  assertEquals(await ask("/readyz"), { status: 200, text: "ready\n", upgrades: [] });
  assertEquals(await ask("/readyz", {}, { isReady: () => Promise.resolve(false) }), {
    status: 503,
    text: "not ready\n",
    upgrades: [],
  });
});

Deno.test("chat app says how many are here, and no cache keeps it", async () => {
  assertEquals(await ask("/here"), { status: 200, text: '{"connectedUsers":3}', upgrades: [] });
});

Deno.test("chat app gives a browser its page at /, with the server's name as a text", async () => {
  const { status, text } = await ask("/", {
    headers: { accept: "text/html,application/xhtml+xml,*/*;q=0.8" },
  });
  assertEquals(status, 200);
  assertStringIncludes(text, "<!doctype html>");
  assertStringIncludes(text, "<title>&lt;b&gt;&quot;Pub&quot;&lt;/b&gt;</title>");
  assertEquals((await ask("/chat/web/main.ts")).status, 200);
  const preloaded = [...text.matchAll(/<link rel="modulepreload" fetchpriority="low" href="([^"]+)"/g)].map((
    [, path],
  ) => `/${path}`);
  assertEquals(preloaded, await assets.modulesOf("/chat/web/main.ts"));
});

Deno.test("chat app tells who is no browser at / what this is", async () => {
  const { status, text } = await ask("/", { headers: { accept: "*/*" } });
  assertEquals(status, 200);
  assertStringIncludes(text, "Pub\n");
  assertStringIncludes(text, "WebSocket");
});

Deno.test("chat app answers what it does not have with 404", async () => {
  for (const path of ["/favicon.ico", "/servers", "/healthz/", "/readyz/x", "//", "/%00"]) {
    assertEquals((await ask(path)).status, 404, path);
  }
  for (const method of ["POST", "PUT", "DELETE"]) {
    assertEquals((await ask("/", { method })).status, 404, method);
  }
});

Deno.test("chat app upgrades a WebSocket at / and at every path that is nothing else, with the peer's address", async () => {
  for (const path of ["/", "/chat", "/deep/down"]) {
    for (const upgrade of ["websocket", "WebSocket"]) {
      assertEquals(await ask(path, { headers: { upgrade } }), {
        status: 200,
        text: "upgraded",
        upgrades: [`${path} 192.0.2.1`],
      });
    }
  }
  for (const path of ["/healthz", "/readyz", "/metrics", "/here", "/admin", "/admin/users"]) {
    assertEquals((await ask(path, { headers: { upgrade: "websocket" } })).upgrades, [], path);
  }
  assertEquals((await ask("/", { headers: { upgrade: "h2c" } })).upgrades, []);
});

Deno.test("chat app answers a bug with 500, tells nothing of it, and logs it", async () => {
  const { log, lines } = recordedLog();
  const error = new TypeError("a bug with a secret in it");
  const broken: [string, RequestInit, Partial<ChatAppOptions>][] = [
    ["/readyz", {}, { isReady: () => Promise.reject(error) }],
    ["/", { headers: { upgrade: "websocket" } }, {
      upgrade: () => {
        throw error;
      },
    }],
  ];
  for (const [path, init, options] of broken) {
    lines.length = 0;
    const { status, text } = await ask(path, init, { ...options, log });
    assertEquals([status, text], [500, "Internal error: the server's operator finds it in the log\n"]);
    assertEquals(lines, [{ level: "error", event: "bug", properties: { where: "http", error } }]);
  }
});

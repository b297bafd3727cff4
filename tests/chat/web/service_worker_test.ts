/**
 * What the service worker does with a pressed notification, and with files of a page that was kept, without a browser:
 * the rest of it is tried in one.
 *
 * @module
 */
import { assertEquals } from "@std/assert";

const SCOPE = "https://chat.example/";

/** Runs the worker, whose scope is that of its first run. */
async function begin(): Promise<void> {
  Object.assign(globalThis, { registration: { scope: SCOPE } });
  await import("../../../chat/web/visit/service_worker.ts");
}

Deno.test("a pressed notification is shown by the page that is open, else the page is opened", async () => {
  const done: unknown[] = [];
  const page = {
    focus: () => Promise.reject(new Error("The browser keeps it in the background")),
    postMessage: (message: unknown) => done.push(message),
  };
  let open = [page];
  Object.assign(globalThis, {
    clients: {
      matchAll: () => Promise.resolve(open),
      openWindow: (address: string) => Promise.resolve(done.push(address)),
    },
  });
  await begin();
  const press = async () => {
    let work: Promise<unknown> | undefined;
    dispatchEvent(Object.assign(new Event("notificationclick"), {
      notification: { data: "uuid", close: () => done.push("closed") },
      waitUntil: (waited: Promise<unknown>) => work = waited,
    }));
    await work;
  };
  await press();
  open = [];
  await press();
  assertEquals(done, ["closed", { notification: "uuid" }, "closed", SCOPE]);
});

Deno.test("the files of a page are of the version of the page, though the server comes back with another one", async () => {
  await begin();
  const before = Object.getOwnPropertyDescriptors(globalThis);
  const places = ["fetch", "caches"] as const;
  using restored = new DisposableStack();
  for (const place of places) restored.defer(() => Object.defineProperty(globalThis, place, before[place]!));
  let status = 200;
  const answers = {
    fetch: () => Promise.resolve(new Response("new", { status })),
    caches: { match: () => Promise.resolve(new Response("kept")) },
  };
  for (const place of places) {
    Object.defineProperty(globalThis, place, { configurable: true, value: answers[place] });
  }
  const ask = async (path: string, page: string, opened = "") => {
    let answer: Promise<Response> | undefined;
    dispatchEvent(Object.assign(new Event("fetch"), {
      request: { method: "GET", mode: opened === "" ? "cors" : "navigate", url: SCOPE + path },
      clientId: page,
      resultingClientId: opened,
      respondWith: (response: Promise<Response>) => answer = response,
    }));
    return await (await answer)?.text();
  };
  assertEquals([await ask("", "", "a"), await ask("src/a.ts", "a")], ["new", "new"]);
  status = 502;
  assertEquals([await ask("", "a", "b"), await ask("src/a.ts", "b")], ["kept", "kept"]);
  status = 200;
  assertEquals([await ask("src/a.ts", "b"), await ask("src/a.ts", "a")], ["kept", "new"]);
  assertEquals([await ask("", "b", "c"), await ask("src/a.ts", "c")], ["new", "new"]);
  // The rest is the server's alone.
  assertEquals(await ask("admin/users", "b"), undefined);
});

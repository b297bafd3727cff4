/**
 * What the service worker does with a pressed notification, without a browser: the rest of it is tried in one.
 *
 * @module
 */
import { assertEquals } from "@std/assert";

Deno.test("a pressed notification is shown by the page that is open, else the page is opened", async () => {
  const done: unknown[] = [];
  const page = {
    focus: () => Promise.reject(new Error("The browser keeps it in the background")),
    postMessage: (message: unknown) => done.push(message),
  };
  let open = [page];
  Object.assign(globalThis, {
    registration: { scope: "https://chat.example/" },
    clients: {
      matchAll: () => Promise.resolve(open),
      openWindow: (address: string) => Promise.resolve(done.push(address)),
    },
  });
  await import("../../../chat/web/visit/service_worker.ts");
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
  assertEquals(done, ["closed", { notification: "uuid" }, "closed", "https://chat.example/"]);
});

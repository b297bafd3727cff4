/**
 * The service worker of the page: keeps the page's files, and answers with them while the server is away, so that what
 * waits to be sent can be seen. The server is asked first, except for the files of a page that was kept. Its text has
 * the version of all files: a new version of the server installs a new one, which drops the files of the old.
 *
 * @module
 */
/// <reference lib="dom" />

/** The types of a worker are not beside those of a page, so the few that are needed are here. */
interface Extendable extends Event {
  waitUntil(work: Promise<unknown>): void;
}
interface Fetched extends Event {
  readonly request: Request;
  /** The page that asks, and the one that a navigation opens. */
  readonly clientId: string;
  readonly resultingClientId: string;
  respondWith(response: Promise<Response>): void;
}
interface Pressed extends Extendable {
  readonly notification: { readonly data: unknown; close(): void };
}
interface OpenPage {
  focus(): Promise<unknown>;
  postMessage(message: unknown): void;
}
interface Worker {
  readonly registration: { readonly scope: string };
  readonly clients: {
    claim(): Promise<void>;
    matchAll(options: { type: "window" }): Promise<readonly OpenPage[]>;
    openWindow(address: string): Promise<unknown>;
  };
  skipWaiting(): Promise<void>;
  addEventListener(type: "install" | "activate", listener: (event: Extendable) => void): void;
  addEventListener(type: "fetch", listener: (event: Fetched) => void): void;
  addEventListener(type: "notificationclick", listener: (event: Pressed) => void): void;
}

const worker = globalThis as unknown as Worker;
/** Milliseconds for which a server is waited for. */
const PATIENCE_MS = 5000;
const { scope } = worker.registration;
const PREFIX = `chatter ${scope} `;
const SHELL = `${PREFIX}{{ version }}`;
/** The open pages that are kept ones. So are their files: the server may be back with those of another version. */
const keptPages = new Set<string>();

worker.addEventListener("install", (event) => event.waitUntil(keep().then(() => worker.skipWaiting())));

worker.addEventListener(
  "activate",
  (event) => event.waitUntil(dropOthers().then(() => worker.clients.claim())),
);

worker.addEventListener("fetch", (event) => {
  const { method, mode, url } = event.request;
  const isPage = mode === "navigate" && url.split(/[?#]/)[0] === scope;
  const isFile = ["chat/web/", "src/"].some((folder) => url.startsWith(scope + folder));
  if (method === "GET" && (isPage || isFile)) event.respondWith(answer(event, isPage));
});

worker.addEventListener("notificationclick", (event) => {
  event.notification.close();
  event.waitUntil(showMessage(event.notification.data));
});

/** Has the open page show the message of a notification, chat/web/notifications/; else opens the page. */
async function showMessage(uuid: unknown): Promise<void> {
  const [page] = await worker.clients.matchAll({ type: "window" });
  if (page === undefined) {
    await worker.clients.openWindow(scope);
    return;
  }
  // Some browsers do not let a page come to the front.
  await page.focus().catch(() => {});
  page.postMessage({ notification: uuid });
}

/** Keeps the page and all files that it names, or nothing. */
async function keep(): Promise<void> {
  const page = await fetch(scope, { cache: "reload", headers: { accept: "text/html" } });
  if (!page.ok) throw new Error(`The page has the status ${page.status}`);
  const html = await page.clone().text();
  const files = [...html.matchAll(/ (?:href|src)="((?:chat|src)\/[^"]+)"/g)].map(([, path]) => scope + path);
  const shell = await caches.open(SHELL);
  await shell.addAll(new Set(files));
  await shell.put(scope, page);
}

async function dropOthers(): Promise<void> {
  const others = (await caches.keys()).filter((name) => name.startsWith(PREFIX) && name !== SHELL);
  await Promise.all(others.map((name) => caches.delete(name)));
}

async function answer(
  { request, clientId, resultingClientId }: Fetched,
  isPage: boolean,
): Promise<Response> {
  const kept = async () => {
    if (isPage) keptPages.add(resultingClientId);
    return await caches.match(isPage ? scope : request, { cacheName: SHELL, ignoreVary: true });
  };
  const file = !isPage && keptPages.has(clientId) ? await kept() : undefined;
  if (file !== undefined) return file;
  const aborter = new AbortController();
  const timer = setTimeout(() => aborter.abort(), PATIENCE_MS);
  try {
    const response = await fetch(request, { signal: aborter.signal });
    // A proxy answers for a server that is away.
    return response.status < 502 || response.status > 504 ? response : await kept() ?? response;
  } catch (error) {
    const found = await kept();
    if (found === undefined) throw error;
    return found;
  } finally {
    clearTimeout(timer);
  }
}

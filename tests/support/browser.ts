/**
 * Tests in a real browser: one headless Chromium for each test file (tests/browser/*_test.ts), and a separate visitor
 * for each person. An exception, an error on the console (a breach of the Content-Security-Policy is one) or a request
 * to another machine fails the test. Without a browser the tests are skipped, and one line says so. How a page looks is
 * not tested here.
 *
 * @module
 */
// What runs in a page is written here as functions, which need the page's types.
/// <reference lib="dom" />
/// <reference lib="dom.iterable" />
import { assertEquals } from "@std/assert";
import axe from "axe-core";
import puppeteer, {
  type Browser,
  type ConnectionTransport,
  type ConsoleMessage,
  type Page,
} from "puppeteer-core";
import { removeFolder } from "./temp_folder.ts";
import { PATIENCE_MS } from "./patience.ts";

/** Where a browser is searched for, after CHATTER_BROWSER. Debian's /usr/bin one runs the first. */
const PLACES = [
  "/usr/lib/chromium/chromium-headless-shell",
  "/usr/bin/chromium-headless-shell",
  "/usr/bin/chromium",
  "/usr/bin/google-chrome",
  "/Applications/Google Chrome.app/Contents/MacOS/Google Chrome",
];

/** A site that is not of this machine, and has pointed its name at it. */
export const FOREIGN_HOST = "evil.example";

/** Only loopback is reachable, even for the browser's own requests; the pages are ours: no sandbox. */
const FLAGS = [
  "--headless",
  "--no-sandbox",
  "--no-first-run",
  "--disable-gpu",
  // No process to draw with, and no emulated GPU in it.
  "--in-process-gpu",
  "--disable-software-rasterizer",
  "--disable-quic",
  "--disable-sync",
  "--disable-background-networking",
  "--disable-component-update",
  "--disable-dev-shm-usage",
  "--disable-background-timer-throttling",
  "--disable-renderer-backgrounding",
  "--disable-backgrounding-occluded-windows",
  "--force-color-profile=srgb",
  `--host-resolver-rules=MAP ${FOREIGN_HOST} 127.0.0.1, MAP * ~NOTFOUND, EXCLUDE 127.0.0.1, EXCLUDE localhost`,
  "--remote-debugging-port=0",
];

export const PHONE = { width: 375, height: 720 };
export const DESK = { width: 1280, height: 800 };

export interface VisitorOptions {
  /** In CSS pixels; `DESK` unless given. */
  readonly size?: { readonly width: number; readonly height: number };
  /** Pixels of the screen to one of CSS. */
  readonly scale?: number;
  readonly scheme?: Scheme;
  readonly script?: boolean;
  readonly reducedMotion?: boolean;
  /** The person's time zone, as `Europe/Berlin`. */
  readonly timeZone?: string;
  /** What the console may report, such as a socket that the test cuts. */
  readonly mayComplain?: RegExp;
}

/** What a test gets. */
export interface Stage {
  /** A part of the test that has a name, for tests that share a page. */
  readonly part: (name: string, act: () => Promise<void>) => Promise<void>;
  /** A person with a browser context of their own (no shared cookies, storage or cache), at an empty page. */
  readonly visitor: (options?: VisitorOptions) => Promise<Page>;
  /** Faults of pages so far; the test fails at its end if any is left. */
  readonly misdeeds: string[];
}

/** The path of the browser that the tests use; undefined if there is none. */
export function browserPath(): string | undefined {
  const named = Deno.env.get("CHATTER_BROWSER");
  return (named ? [named] : PLACES).find((path) => {
    try {
      return Deno.statSync(path).isFile;
    } catch {
      return false;
    }
  });
}

let shared: RunningBrowser | undefined;
let isArranged = false;

/**
 * A test that gets a browser, which is started before a file's first test and ended after its last. Each test's
 * visitors leave with it; a fault of a page fails the test.
 */
export function testInBrowser(name: string, test: (stage: Stage) => Promise<void>): void {
  const path = browserPath();
  if (!isArranged) {
    isArranged = true;
    if (path === undefined) {
      const line = "no browser: tests in one are skipped; `deno task test:browser:install` installs it\n";
      Deno.stderr.writeSync(new TextEncoder().encode(line));
    } else {
      Deno.test.beforeAll(async () => {
        shared = await RunningBrowser.start(path);
      });
      Deno.test.afterAll(() => shared?.end());
    }
  }
  Deno.test({
    name,
    ignore: path === undefined,
    fn: (context) =>
      withStage(shared!, test, async (name, fn) => {
        // What a part leaves open, such as a conversation, the test closes.
        if (!await context.step({ name, fn, sanitizeOps: false, sanitizeResources: false })) {
          throw new Error(`${name}: failed`);
        }
      }),
  });
}

/** A browser for tools, such as the one that makes screenshots. Throws if there is none. */
export async function withBrowser(act: (stage: Stage) => Promise<void>): Promise<void> {
  const path = browserPath();
  if (path === undefined) throw new Error("no browser: `deno task test:browser:install` installs it");
  const browser = await RunningBrowser.start(path);
  try {
    await withStage(browser, act);
  } finally {
    await browser.end();
  }
}

export type Scheme = "light" | "dark";

/**
 * The serious and critical findings of axe on the page, one line each: rule, advice, element. Dark colours are checked
 * after light ones, for colours only: no width changes them, so that one width is enough.
 */
export async function accessibilityFaults(
  page: Page,
  schemes: readonly Scheme[] = ["light", "dark"],
): Promise<string[]> {
  const faults: string[] = [];
  for (const scheme of schemes) {
    await setColours(page, scheme, true);
    const found = await axeFaults(page, scheme === "dark");
    faults.push(...scheme === "dark" ? found.map((fault) => `dark: ${fault}`) : found);
  }
  await setColours(page, "light", true);
  return faults;
}

async function axeFaults(page: Page, isOfColours: boolean): Promise<string[]> {
  if (await page.evaluate(() => !("axe" in globalThis))) await page.evaluate(axe.source);
  const { violations } = await page.evaluate(async (isOfColours) => {
    const { axe } = globalThis as unknown as { axe: typeof import("axe-core") };
    return await axe.run(isOfColours ? { runOnly: ["color-contrast"] } : {});
  }, isOfColours);
  return violations.filter(({ impact }) => impact === "serious" || impact === "critical").map((
    { id, help, nodes },
  ) => `${id}: ${help}: ${nodes.map(({ target }) => target.join(" ")).join(", ")}`);
}

/** Without motion, so that new colours are there at once. */
async function setColours(page: Page, scheme: Scheme, reducedMotion: boolean): Promise<void> {
  await page.emulateMediaFeatures([
    { name: "prefers-color-scheme", value: scheme },
    { name: "prefers-reduced-motion", value: reducedMotion ? "reduce" : "no-preference" },
  ]);
}

/** Gives the window another size without a reload, and waits until the page has done what it does then. */
export async function resize(page: Page, size: { width?: number; height?: number }): Promise<void> {
  await page.setViewport({ ...page.viewport() ?? DESK, ...size });
  // Media queries and `resize` are before this in a frame, and a ResizeObserver is at the end of it.
  for (let n = 0; n < 2; n++) {
    await page.evaluate(() => new Promise((resolve) => requestAnimationFrame(resolve)));
  }
}

/** CSS pixels by which the page is wider than its window, so that a person must scroll sideways. */
export async function sidewaysOverflow(page: Page): Promise<number> {
  // Not innerWidth: a phone zooms out if the page is too wide.
  const { width } = page.viewport() ?? DESK;
  return await page.evaluate(() => document.documentElement.scrollWidth) - width;
}

async function withStage(
  running: RunningBrowser,
  act: (stage: Stage) => Promise<void>,
  part: Stage["part"] = (_name, act) => act(),
): Promise<void> {
  const wire = await Wire.open(running.url);
  const browser = await puppeteer.connect({ transport: wire, protocolTimeout: PATIENCE_MS });
  const misdeeds: string[] = [];
  try {
    await act({ part, visitor: (options = {}) => newVisitor(browser, options, misdeeds), misdeeds });
  } finally {
    await Promise.all(
      browser.browserContexts().filter(({ id }) => id !== undefined).map((own) => own.close()),
    );
    await browser.disconnect();
    await wire.closed;
  }
  assertEquals(misdeeds, []);
}

async function newVisitor(browser: Browser, options: VisitorOptions, misdeeds: string[]): Promise<Page> {
  const context = await browser.createBrowserContext();
  const page = await context.newPage();
  page.setDefaultTimeout(PATIENCE_MS);
  noteMisdeeds(page, options.mayComplain, misdeeds);
  const { width, height } = options.size ?? DESK;
  const isPhone = width <= PHONE.width;
  await page.setViewport({
    width,
    height,
    deviceScaleFactor: options.scale ?? 1,
    hasTouch: isPhone,
    isMobile: isPhone,
  });
  await setColours(page, options.scheme ?? "light", options.reducedMotion ?? false);
  if (options.timeZone !== undefined) await page.emulateTimezone(options.timeZone);
  if (options.script === false) await page.setJavaScriptEnabled(false);
  return page;
}

/**
 * What a browser says where a page asks its own server by itself, as for an icon, a count, a graph or the script of a
 * service worker, and the server has just ended, ends, or is cut off: tests do that at any moment. A request for what
 * the server does not have, or to another place, is a fault all the same.
 */
const OF_A_LOST_SERVER =
  /net::ERR_(?:CONNECTION_\w+|EMPTY_RESPONSE|INCOMPLETE_CHUNKED_ENCODING|CONTENT_LENGTH_MISMATCH|SOCKET_NOT_CONNECTED)|status of 503 |when fetching the script/;

function noteMisdeeds(page: Page, mayComplain: RegExp | undefined, misdeeds: string[]): void {
  page.on("pageerror", (error) => misdeeds.push(`exception: ${error}`));
  page.on("console", (line: ConsoleMessage) => {
    const text = line.text();
    if (line.type() !== "error" || mayComplain?.test(text)) return;
    const { url = "" } = line.location();
    const isOwn = url === "" || URL.parse(url)?.origin === URL.parse(page.url())?.origin;
    if (isOwn && OF_A_LOST_SERVER.test(text)) return;
    misdeeds.push(`console: ${text} ${url}`.trimEnd());
  });
  page.on("request", (request) => {
    const { protocol, hostname } = new URL(request.url());
    const isLocal = ["127.0.0.1", "localhost", "[::1]", FOREIGN_HOST].includes(hostname) ||
      ["data:", "blob:", "file:"].includes(protocol);
    if (!isLocal) misdeeds.push(`asked another origin: ${request.url()}`);
  });
}

/** The process. Tests connect to it one after the other, each over a connection of its own that ends with it. */
class RunningBrowser {
  readonly url: string;
  readonly #child: Deno.ChildProcess;
  readonly #profile: string;

  private constructor(url: string, child: Deno.ChildProcess, profile: string) {
    this.url = url;
    this.#child = child;
    this.#profile = profile;
  }

  static async start(path: string): Promise<RunningBrowser> {
    const profile = await Deno.makeTempDir({ prefix: "chatter_browser_" });
    const args = [...FLAGS, `--user-data-dir=${profile}`, "about:blank"];
    const child = new Deno.Command(path, { args, stdin: "null", stdout: "null", stderr: "piped" }).spawn();
    const patience = setTimeout(() => child.kill("SIGKILL"), PATIENCE_MS);
    const reader = child.stderr.pipeThrough(new TextDecoderStream()).getReader();
    let written = "";
    try {
      while (true) {
        const { value, done } = await reader.read();
        if (done) throw new Error(`${path} ended before it listened, and wrote:\n${written}`);
        written += value;
        const url = /DevTools listening on (ws:\S+)/.exec(written)?.[1];
        if (url !== undefined) return new RunningBrowser(url, child, profile);
      }
    } finally {
      clearTimeout(patience);
      // The rest of its output is not read: an operation that never ends would count as a leak of some test.
      await reader.cancel();
    }
  }

  async end(): Promise<void> {
    const patience = setTimeout(() => this.#child.kill("SIGKILL"), PATIENCE_MS);
    const wire = await Wire.open(this.url);
    wire.send(JSON.stringify({ id: 1, method: "Browser.close" }));
    await wire.closed;
    await this.#child.status;
    clearTimeout(patience);
    await removeFolder(this.#profile);
  }
}

/** How puppeteer reaches the browser: by Deno's WebSocket, whose end can be awaited. */
class Wire implements ConnectionTransport {
  onmessage?: (message: string) => void;
  onclose?: () => void;
  readonly closed: Promise<void>;
  readonly #socket: WebSocket;

  private constructor(socket: WebSocket) {
    this.#socket = socket;
    const ended = Promise.withResolvers<void>();
    this.closed = ended.promise;
    socket.onmessage = ({ data }) => this.onmessage?.(data);
    socket.onclose = () => {
      this.onclose?.();
      ended.resolve();
    };
  }

  static async open(url: string): Promise<Wire> {
    const socket = new WebSocket(url);
    const wire = new Wire(socket);
    const opened = new Promise<void>((resolve) => socket.onopen = () => resolve());
    await Promise.race([opened, wire.closed.then(() => Promise.reject(new Error("the browser is gone")))]);
    return wire;
  }

  send(message: string): void {
    this.#socket.send(message);
  }

  close(): void {
    this.#socket.close();
  }
}

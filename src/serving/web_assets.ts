/**
 * The files of the web pages: read once and served with type, ETag and security headers. Scripts are TypeScript, and
 * their types are stripped before they are served. A URL's path is the path in the project, such as
 * `/chat/web/main.ts`, so imports work alike in an editor and in a browser.
 *
 * @module
 */
import { eTag } from "@std/http/etag";
import { STATUS_CODE } from "@std/http/status";
import { acceptsGzip, isNotModified } from "./negotiation.ts";

/** The folders with the browser files of a chat server's page. */
export const CHAT_WEB_FOLDERS = [
  "chat/web",
  "chat/web/composer",
  "chat/web/log",
  "chat/web/notifications",
  "chat/web/page",
  "chat/web/people",
  "chat/web/search",
  "chat/web/visit",
  "src/client",
  "src/client/session",
  "src/protocol",
  "src/text",
  "src/web",
] as const;
/** All folders with browser files, which the build tools embed. */
export const WEB_FOLDERS = [...CHAT_WEB_FOLDERS, "listing/web"] as const;
export type WebFolder = typeof WEB_FOLDERS[number];

/** Key on `globalThis` of the embedded files of a built program: path to text, with scripts already stripped. */
export const EMBEDDED: unique symbol = Symbol.for("chatter.web_assets");

/** The page may load and connect to its own server only; inline scripts are forbidden. */
export const PAGE_POLICY = [
  "default-src 'none'",
  "script-src 'self'",
  "style-src 'self'",
  "img-src 'self'",
  "manifest-src 'self'",
  // Includes WebSockets to the same host and port.
  "connect-src 'self'",
  "form-action 'none'",
  "base-uri 'none'",
  "frame-ancestors 'none'",
  // Where supported: no script can turn text into markup.
  "require-trusted-types-for 'script'",
  // The one policy is made at the start of the chat's page, for one fixed address: chat/web/visit/installed.ts.
  "trusted-types service-worker",
].join("; ");

/** Headers of every page and file. */
export const PAGE_HEADERS: Readonly<Record<string, string>> = {
  "content-security-policy": PAGE_POLICY,
  "x-content-type-options": "nosniff",
  "referrer-policy": "no-referrer",
  "cross-origin-opener-policy": "same-origin",
  // A cache must revalidate, so that a reload shows a new version.
  "cache-control": "no-cache",
  "vary": "accept-encoding",
};

const CONTENT_TYPES: Readonly<Record<string, string>> = {
  html: "text/html; charset=UTF-8",
  css: "text/css; charset=UTF-8",
  ts: "text/javascript; charset=UTF-8",
  js: "text/javascript; charset=UTF-8",
  svg: "image/svg+xml",
  png: "image/png",
  webmanifest: "application/manifest+json",
};

interface Asset {
  readonly contentType: string;
  /** The file's own text; of a picture that is no text, its bytes in base64. */
  readonly written: string;
  // Made at the first request, so that a start does not wait for it.
  text: Promise<string> | undefined;
  made: Promise<Made> | undefined;
}

interface Made {
  readonly bytes: Uint8Array<ArrayBuffer>;
  readonly gzipped: Uint8Array<ArrayBuffer>;
  /** Weak, because the plain and compressed forms share it. */
  readonly etag: string;
}

export class WebAssets {
  readonly #assets: ReadonlyMap<string, Asset>;
  #fill: Readonly<Record<string, string>>;

  private constructor(assets: ReadonlyMap<string, Asset>, fill: Readonly<Record<string, string>>) {
    this.#assets = assets;
    this.#fill = fill;
  }

  /**
   * Reads the files of `folders`, without subfolders. In HTML and manifests `{{name}}` becomes the text of `fill`.
   * Throws if a folder is missing or holds a file of an unknown type.
   */
  static load(folders: readonly WebFolder[], fill: Readonly<Record<string, string>> = {}): WebAssets {
    const files = folders.flatMap(filesIn);
    const assets = files.map(([path, written]): [string, Asset] => {
      const contentType = CONTENT_TYPES[path.slice(path.lastIndexOf(".") + 1)];
      if (contentType === undefined) throw new Error(`${path} is of no type that a browser gets`);
      return [`/${path}`, { contentType, written, text: undefined, made: undefined }];
    });
    return new WebAssets(new Map(assets), fill);
  }

  /** Replaces the texts for later requests. */
  refill(fill: Readonly<Record<string, string>>): void {
    this.#fill = fill;
    for (const [path, asset] of this.#assets) {
      if (/\.(?:html|webmanifest)$/.test(path) || path.endsWith(WORKER)) asset.text = asset.made = undefined;
    }
  }

  get paths(): string[] {
    return [...this.#assets.keys()];
  }

  /** Answers a GET or HEAD with the file at `path`, by default the request's path; undefined if there is none. */
  answer(
    request: Request,
    path: string = new URL(request.url).pathname,
  ): Promise<Response> | undefined {
    const asset = this.#assets.get(path);
    return asset === undefined ? undefined : this.#answerWith(path, asset, request);
  }

  async #answerWith(path: string, asset: Asset, request: Request): Promise<Response> {
    const { bytes, etag, gzipped } =
      await (asset.made ??= this.#text(path, asset).then((text) => make(path, text)));
    const headers = new Headers({ ...PAGE_HEADERS, etag });
    if (isNotModified(request, etag)) return new Response(null, { status: STATUS_CODE.NotModified, headers });
    headers.set("content-type", asset.contentType);
    if (!acceptsGzip(request)) return new Response(bytes, { headers });
    headers.set("content-encoding", "gzip");
    return new Response(gzipped, { headers });
  }

  /** All modules that `script` imports, directly or not, for preloading. Throws if one is not among the files. */
  async modulesOf(script: string): Promise<string[]> {
    const modules = new Set([script]);
    for (const path of modules) {
      const asset = this.#assets.get(path);
      if (asset === undefined) throw new Error(`${script} needs ${path}, which is not for browsers`);
      const text = await this.#text(path, asset);
      for (const [, specifier] of text.matchAll(IMPORT)) {
        modules.add(new URL(specifier!, `http://_${path}`).pathname);
      }
    }
    return [...modules].slice(1);
  }

  #text(path: string, asset: Asset): Promise<string> {
    return asset.text ??= path.endsWith(".html")
      ? this.#page(asset.written)
      : path.endsWith(".webmanifest")
      ? Promise.resolve(this.#filled(asset.written, (text) => JSON.stringify(text).slice(1, -1)))
      : path.endsWith(WORKER)
      ? this.#worker(path, asset.written)
      : asBrowsersTakeIt(path, asset.written);
  }

  #filled(written: string, escape: (text: string) => string): string {
    return written.replace(/\{\{\s*(\w+)\s*\}\}/g, (place, name: string) => {
      const text = this.#fill[name];
      return text === undefined ? place : escape(text);
    });
  }

  /** A service worker with the version of all files, so that a browser installs it again when one has changed. */
  async #worker(path: string, written: string): Promise<string> {
    const all = [...this.#assets].flatMap(([path, { written }]) => [path, written]);
    const bytes = new TextEncoder().encode(JSON.stringify([all, this.#fill]));
    const digest = new Uint8Array(await crypto.subtle.digest("SHA-256", bytes));
    const version = Array.from(digest.subarray(0, 8), (byte) => byte.toString(16).padStart(2, "0")).join("");
    return (await asBrowsersTakeIt(path, written)).replace("{{ version }}", version);
  }

  /** HTML with the filled texts, escaped, and preload links for its script's modules. */
  async #page(html: string): Promise<string> {
    const text = this.#filled(html, (text) => text.replace(/[&<>"']/g, (one) => ESCAPED[one] ?? ""));
    const [tag, script] = SCRIPT_TAG.exec(text) ?? [];
    if (tag === undefined) return text;
    // Relative paths, because a proxy may serve the page below another root. Low priority, because styles come first.
    const modules = (await this.modulesOf(`/${script}`)).map((path) =>
      `<link rel="modulepreload" fetchpriority="low" href="${path.slice(1)}" />`
    );
    return text.replace(tag, [...modules, tag].join("\n    "));
  }
}

/** The end of the path of a file that is no text. */
const BINARY = ".png";
/** The end of a service worker's path. */
const WORKER = "/service_worker.ts";
/** An import of values, in the form that `deno fmt` writes. */
const IMPORT = /\bfrom "(\.[^"]+)";$/gm;
const SCRIPT_TAG = /<script type="module" src="([^"]+)"><\/script>/;

async function make(path: string, text: string): Promise<Made> {
  const bytes = path.endsWith(BINARY)
    ? Uint8Array.from(atob(text), (unit) => unit.charCodeAt(0))
    : new TextEncoder().encode(text);
  return { bytes, etag: await eTag(bytes, { weak: true }), gzipped: await gzip(bytes) };
}

const ESCAPED: Readonly<Record<string, string>> = {
  "&": "&amp;",
  "<": "&lt;",
  ">": "&gt;",
  '"': "&quot;",
  "'": "&#39;",
};

/** The files of a folder without subfolders: path and text. A hundred reads that wait would cost three times as much. */
function filesIn(folder: WebFolder): [path: string, text: string][] {
  const embedded = embeddedFiles();
  if (embedded !== undefined) {
    return Object.entries(embedded).filter(([path]) => path.slice(0, path.lastIndexOf("/")) === folder);
  }
  const place = `${import.meta.dirname}/../../${folder}`;
  const names = [...Deno.readDirSync(place)].flatMap(({ name, isFile }) => isFile ? [name] : []);
  return names.sort().map((name) => [`${folder}/${name}`, readFile(`${place}/${name}`)]);
}

function readFile(path: string): string {
  if (!path.endsWith(BINARY)) return Deno.readTextFileSync(path);
  return btoa(String.fromCharCode(...Deno.readFileSync(path)));
}

function embeddedFiles(): Readonly<Record<string, string>> | undefined {
  return (globalThis as { [EMBEDDED]?: Readonly<Record<string, string>> })[EMBEDDED];
}

/** The statement that embeds all files; it must run before the program's own code. */
export async function embeddingStatement(): Promise<string> {
  const files = WEB_FOLDERS.flatMap(filesIn);
  const made = await Promise.all(
    files.map(async ([path, text]) => [path, await asBrowsersTakeIt(path, text)]),
  );
  return `globalThis[Symbol.for("${EMBEDDED.description}")] = ${JSON.stringify(Object.fromEntries(made))};\n`;
}

/** A script with its types blanked, which keeps lines and columns; other files unchanged. */
async function asBrowsersTakeIt(path: string, text: string): Promise<string> {
  if (!path.endsWith(".ts") || embeddedFiles() !== undefined) return text;
  const { stripTypeScriptTypes } = await import("node:module");
  if (stripTypeScriptTypes !== undefined) return stripTypeScriptTypes(text);
  // An older Deno, as on Deno Deploy and in the compiled binary.
  const { transformSync } = await import("amaro");
  return transformSync(text, { mode: "strip-only" }).code;
}

async function gzip(bytes: Uint8Array<ArrayBuffer>): Promise<Uint8Array<ArrayBuffer>> {
  const stream = new Blob([bytes]).stream().pipeThrough(new CompressionStream("gzip"));
  return new Uint8Array(await new Response(stream).arrayBuffer());
}

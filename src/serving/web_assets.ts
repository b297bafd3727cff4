/**
 * The files of the web pages: read once, answered over HTTP with their type, an ETag and the headers that keep a
 * page to itself. Scripts are TypeScript, and lose their types before the first browser gets them.
 *
 * The path in a URL is the path in the project, `/chat/web/main.ts`, so that modules import each other alike in an
 * editor and in a browser. The files come from the disk, or from what the build tools put into the program. It does
 * not know what is on a page, nor who asks for it.
 *
 * @module
 */
import { eTag } from "@std/http/etag";
import { STATUS_CODE } from "@std/http/status";
import { acceptsGzip, isNotModified } from "./negotiation.ts";

/** Every folder with files for browsers: what the build tools put into the program. */
export const WEB_FOLDERS = [
  "chat/web",
  "listing/web",
  "src/client",
  "src/client/session",
  "src/protocol",
  "src/web",
] as const;
export type WebFolder = typeof WEB_FOLDERS[number];

/** Where a program that was built has the files: path to text, scripts without their types, on `globalThis`. */
export const EMBEDDED: unique symbol = Symbol.for("chatter.web_assets");

/** What a page may load and do: its own files and its own server, and nothing else. No script in the page's text. */
export const PAGE_POLICY = [
  "default-src 'none'",
  "script-src 'self'",
  "style-src 'self'",
  "img-src 'self'",
  "manifest-src 'self'",
  // A WebSocket to the same host and port is 'self' too.
  "connect-src 'self'",
  "form-action 'none'",
  "base-uri 'none'",
  "frame-ancestors 'none'",
  // Where the browser knows it: no text becomes markup, whatever a script does.
  "require-trusted-types-for 'script'",
  "trusted-types 'none'",
].join("; ");

/** Headers of every answer for browsers, pages and files. */
export const PAGE_HEADERS: Readonly<Record<string, string>> = {
  "content-security-policy": PAGE_POLICY,
  "x-content-type-options": "nosniff",
  "referrer-policy": "no-referrer",
  "cross-origin-opener-policy": "same-origin",
  // A cache may keep it, and asks each time: a new version is there at the next reload.
  "cache-control": "no-cache",
  "vary": "accept-encoding",
};

const CONTENT_TYPES: Readonly<Record<string, string>> = {
  html: "text/html; charset=UTF-8",
  css: "text/css; charset=UTF-8",
  ts: "text/javascript; charset=UTF-8",
  svg: "image/svg+xml",
  webmanifest: "application/manifest+json",
};

interface Asset {
  readonly contentType: string;
  /** As the file has it. */
  readonly written: string;
  // What a browser gets, made for the first that asks: a start does not wait for it.
  text: Promise<string> | undefined;
  made: Promise<Made> | undefined;
}

interface Made {
  readonly bytes: Uint8Array<ArrayBuffer>;
  readonly gzipped: Uint8Array<ArrayBuffer>;
  /** Weak, since the plain and the compressed form share it. */
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
   * Reads folders, without the folders in them; in HTML `{{name}}` becomes the text that `fill` has for it.
   * Throws where a folder is not there, or holds what is not for browsers.
   */
  static async load(
    folders: readonly WebFolder[],
    fill: Readonly<Record<string, string>> = {},
  ): Promise<WebAssets> {
    const files = (await Promise.all(folders.map(filesIn))).flat();
    const assets = files.map(([path, written]): [string, Asset] => {
      const contentType = CONTENT_TYPES[path.slice(path.lastIndexOf(".") + 1)];
      if (contentType === undefined) throw new Error(`${path} is of no type that a browser gets`);
      return [`/${path}`, { contentType, written, text: undefined, made: undefined }];
    });
    return new WebAssets(new Map(assets), fill);
  }

  /** Fills in other texts, for those who ask from now on. */
  refill(fill: Readonly<Record<string, string>>): void {
    this.#fill = fill;
    for (const [path, asset] of this.#assets) if (path.endsWith(".html")) asset.text = asset.made = undefined;
  }

  /** The paths of all files, as `/chat/web/page.css`. */
  get paths(): string[] {
    return [...this.#assets.keys()];
  }

  /** Answers a GET or HEAD with the file at `path`, which is the request's own where none is given; undefined if there is none. */
  answer(
    request: Request,
    path: string = new URL(request.url).pathname,
  ): Promise<Response> | undefined {
    const asset = this.#assets.get(path);
    return asset === undefined ? undefined : this.#answerWith(path, asset, request);
  }

  async #answerWith(path: string, asset: Asset, request: Request): Promise<Response> {
    const { bytes, etag, gzipped } = await (asset.made ??= this.#text(path, asset).then(make));
    const headers = new Headers({ ...PAGE_HEADERS, etag });
    if (isNotModified(request, etag)) return new Response(null, { status: STATUS_CODE.NotModified, headers });
    headers.set("content-type", asset.contentType);
    if (!acceptsGzip(request)) return new Response(bytes, { headers });
    headers.set("content-encoding", "gzip");
    return new Response(gzipped, { headers });
  }

  /**
   * All modules that a script imports, directly or not: a page names them, and a browser fetches them at once. Throws
   * where one is not among the files.
   */
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
      : asBrowsersTakeIt(path, asset.written);
  }

  /** HTML with texts in their places, as texts, and with the modules of its script. */
  async #page(html: string): Promise<string> {
    const text = html.replace(/\{\{\s*(\w+)\s*\}\}/g, (place, name: string) => {
      return this.#fill[name]?.replace(/[&<>"']/g, (character) => ESCAPED[character] ?? "") ?? place;
    });
    const [tag, script] = SCRIPT_TAG.exec(text) ?? [];
    if (tag === undefined) return text;
    // The page is at the root of all files, wherever a proxy has that: its paths are relative. Low, since the page is
    // shown before its script is there: styles come first.
    const modules = (await this.modulesOf(`/${script}`)).map((path) =>
      `<link rel="modulepreload" fetchpriority="low" href="${path.slice(1)}" />`
    );
    return text.replace(tag, [...modules, tag].join("\n    "));
  }
}

/** An import for more than its types, as it is left by `deno fmt`. */
const IMPORT = /\bfrom "(\.[^"]+)";$/gm;
const SCRIPT_TAG = /<script type="module" src="([^"]+)"><\/script>/;

async function make(text: string): Promise<Made> {
  const bytes = new TextEncoder().encode(text);
  return { bytes, etag: await eTag(bytes, { weak: true }), gzipped: await gzip(bytes) };
}

const ESCAPED: Readonly<Record<string, string>> = {
  "&": "&amp;",
  "<": "&lt;",
  ">": "&gt;",
  '"': "&quot;",
  "'": "&#39;",
};

/** The files of a folder, without the folders in it: path and text. */
async function filesIn(folder: WebFolder): Promise<[path: string, text: string][]> {
  const embedded = embeddedFiles();
  if (embedded !== undefined) {
    return Object.entries(embedded).filter(([path]) => path.slice(0, path.lastIndexOf("/")) === folder);
  }
  const names: string[] = [];
  const place = `${import.meta.dirname}/../../${folder}`;
  for await (const { name, isFile } of Deno.readDir(place)) if (isFile) names.push(name);
  return await Promise.all(
    names.sort().map(async (name): Promise<[string, string]> => [
      `${folder}/${name}`,
      await Deno.readTextFile(`${place}/${name}`),
    ]),
  );
}

function embeddedFiles(): Readonly<Record<string, string>> | undefined {
  return (globalThis as { [EMBEDDED]?: Readonly<Record<string, string>> })[EMBEDDED];
}

/** The statement that puts all files into a program, before its own code. */
export async function embeddingStatement(): Promise<string> {
  const files = (await Promise.all(WEB_FOLDERS.map(filesIn))).flat();
  const made = await Promise.all(
    files.map(async ([path, text]) => [path, await asBrowsersTakeIt(path, text)]),
  );
  return `globalThis[Symbol.for("${EMBEDDED.description}")] = ${JSON.stringify(Object.fromEntries(made))};\n`;
}

/** A script without its types, in whose place there are blanks, so that lines and columns stay; other files as they are. */
async function asBrowsersTakeIt(path: string, text: string): Promise<string> {
  if (!path.endsWith(".ts") || embeddedFiles() !== undefined) return text;
  const { stripTypeScriptTypes } = await import("node:module");
  if (stripTypeScriptTypes !== undefined) return stripTypeScriptTypes(text);
  // An older Deno, as that of Deno Deploy and the one that the binary is compiled with.
  const { transformSync } = await import("amaro");
  return transformSync(text, { mode: "strip-only" }).code;
}

async function gzip(bytes: Uint8Array<ArrayBuffer>): Promise<Uint8Array<ArrayBuffer>> {
  const stream = new Blob([bytes]).stream().pipeThrough(new CompressionStream("gzip"));
  return new Uint8Array(await new Response(stream).arrayBuffer());
}

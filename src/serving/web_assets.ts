/**
 * The files of the web pages: read once, answered over HTTP with their type, an ETag and the headers that keep a
 * page to itself.
 *
 * The path in a URL is the path in the project, `/chat/web/page.css`, so that modules import each other alike in an
 * editor and in a browser. They come from the disk, from what `deno compile` includes, or from what
 * `tools/build.ts` puts into the script. It does not know what is on a page, nor who asks for it.
 *
 * @module
 */
import { eTag, ifNoneMatch } from "@std/http/etag";
import { STATUS_CODE } from "@std/http/status";

/** Every folder with files for browsers: what the build tools put into the program. */
export const WEB_FOLDERS = ["chat/web", "listing/web", "src/client", "src/web"] as const;
export type WebFolder = typeof WEB_FOLDERS[number];

/** Where the script that `tools/build.ts` makes has the files: path to base64, on `globalThis`. */
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
  js: "text/javascript; charset=UTF-8",
  svg: "image/svg+xml",
  png: "image/png",
  webmanifest: "application/manifest+json",
};

interface Asset {
  readonly contentType: string;
  /** As the file has it, before anything is filled in. */
  readonly written: Uint8Array<ArrayBuffer>;
  bytes: Uint8Array<ArrayBuffer>;
  /** What is made of it for the first who asks: a start does not wait for it. */
  made:
    | Promise<{
      readonly gzipped: Uint8Array<ArrayBuffer>;
      /** Weak, since the plain and the compressed form share it. */
      readonly etag: string;
    }>
    | undefined;
}

export class WebAssets {
  readonly #assets: ReadonlyMap<string, Asset>;

  private constructor(assets: ReadonlyMap<string, Asset>) {
    this.#assets = assets;
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
    return new WebAssets(
      new Map(files.map(([path, written]): [string, Asset] => {
        const contentType = CONTENT_TYPES[path.slice(path.lastIndexOf(".") + 1)];
        if (contentType === undefined) throw new Error(`${path} is of no type that a browser gets`);
        const bytes = path.endsWith(".html") ? filled(written, fill) : written;
        return [path, { contentType, written, bytes, made: undefined }];
      })),
    );
  }

  /** Fills in other texts, for those who ask from now on. */
  refill(fill: Readonly<Record<string, string>>): void {
    for (const [path, asset] of this.#assets) {
      if (!path.endsWith(".html")) continue;
      asset.bytes = filled(asset.written, fill);
      asset.made = undefined;
    }
  }

  /** The paths of all files, as `/chat/web/page.css`. */
  get paths(): string[] {
    return [...this.#assets.keys()].map((path) => `/${path}`);
  }

  /** Answers a GET or HEAD with the file at `path`, which is the request's own where none is given; undefined if there is none. */
  answer(
    request: Request,
    path: string = new URL(request.url).pathname,
  ): Promise<Response> | undefined {
    const asset = this.#assets.get(path.slice(1));
    return asset === undefined || !path.startsWith("/") ? undefined : answerWith(asset, request);
  }
}

async function answerWith(asset: Asset, request: Request): Promise<Response> {
  const { etag, gzipped } = await (asset.made ??= make(asset.bytes));
  const headers = new Headers({ ...PAGE_HEADERS, etag });
  if (!ifNoneMatch(request.headers.get("if-none-match"), etag)) {
    return new Response(null, { status: STATUS_CODE.NotModified, headers });
  }
  headers.set("content-type", asset.contentType);
  if (!takesGzip(request)) return new Response(asset.bytes, { headers });
  headers.set("content-encoding", "gzip");
  return new Response(gzipped, { headers });
}

async function make(bytes: Uint8Array<ArrayBuffer>) {
  return { etag: await eTag(bytes, { weak: true }), gzipped: await gzip(bytes) };
}

function takesGzip(request: Request): boolean {
  const codings = request.headers.get("accept-encoding")?.split(",") ?? [];
  return codings.some((coding) => /^\s*gzip\s*(?:;\s*q=(?!0(?:\.0*)?\s*$)[0-9.]+\s*)?$/i.test(coding));
}

const ESCAPED: Readonly<Record<string, string>> = {
  "&": "&amp;",
  "<": "&lt;",
  ">": "&gt;",
  '"': "&quot;",
  "'": "&#39;",
};

/** HTML with texts in their places, as texts. */
function filled(
  html: Uint8Array<ArrayBuffer>,
  fill: Readonly<Record<string, string>>,
): Uint8Array<ArrayBuffer> {
  const text = new TextDecoder().decode(html).replace(/\{\{\s*(\w+)\s*\}\}/g, (place, name: string) => {
    return fill[name]?.replace(/[&<>"']/g, (character) => ESCAPED[character] ?? "") ?? place;
  });
  return new Uint8Array(new TextEncoder().encode(text));
}

async function filesIn(folder: WebFolder): Promise<[path: string, bytes: Uint8Array<ArrayBuffer>][]> {
  const embedded = (globalThis as { [EMBEDDED]?: Readonly<Record<string, string>> })[EMBEDDED];
  if (embedded !== undefined) {
    return Object.entries(embedded).filter(([path]) => path.startsWith(`${folder}/`))
      .map(([path, base64]) => [path, Uint8Array.from(atob(base64), (byte) => byte.charCodeAt(0))]);
  }
  const names: string[] = [];
  const place = `${import.meta.dirname}/../../${folder}`;
  for await (const { name, isFile } of Deno.readDir(place)) if (isFile) names.push(name);
  return await Promise.all(
    names.sort().map(async (name): Promise<[string, Uint8Array<ArrayBuffer>]> => [
      `${folder}/${name}`,
      // A copy, only because the types of Deno 2.4 take what is read for possibly shared memory.
      new Uint8Array(await Deno.readFile(`${place}/${name}`)),
    ]),
  );
}

async function gzip(bytes: Uint8Array<ArrayBuffer>): Promise<Uint8Array<ArrayBuffer>> {
  const stream = new Blob([bytes]).stream().pipeThrough(new CompressionStream("gzip"));
  return new Uint8Array(await new Response(stream).arrayBuffer());
}

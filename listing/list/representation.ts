/**
 * A JSON answer ready to be sent: its bytes, their ETag, and the same compressed, PROTOCOL.md §9.7.
 *
 * @module
 */
import { eTag } from "@std/http/etag";

/** Compresses the bytes that it was made for. */
export type Gzip = () => Promise<Uint8Array<ArrayBuffer>>;

export class Representation {
  readonly bytes: Uint8Array<ArrayBuffer>;
  /** Weak, since the plain and the compressed form share it. */
  readonly etag: string;
  readonly #gzip: Gzip;
  #gzipped: Promise<Uint8Array<ArrayBuffer>> | undefined;

  private constructor(bytes: Uint8Array<ArrayBuffer>, etag: string, gzip: Gzip) {
    this.bytes = bytes;
    this.etag = etag;
    this.#gzip = gzip;
  }

  /** Of a text, or of bytes for which `gzip` is a better way to compress them. */
  static async of(json: string | Uint8Array<ArrayBuffer>, gzip?: Gzip): Promise<Representation> {
    // A copy, only because the types of Deno 2.4 take what an encoder gives for possibly shared memory.
    const bytes = typeof json === "string" ? new Uint8Array(new TextEncoder().encode(json)) : json;
    return new Representation(bytes, await eTag(bytes, { weak: true }), gzip ?? (() => gzipWhole(bytes)));
  }

  /** The bytes compressed, once however often it is asked for. */
  gzipped(): Promise<Uint8Array<ArrayBuffer>> {
    return this.#gzipped ??= this.#gzip();
  }
}

async function gzipWhole(bytes: Uint8Array<ArrayBuffer>): Promise<Uint8Array<ArrayBuffer>> {
  const stream = new Blob([bytes]).stream().pipeThrough(new CompressionStream("gzip"));
  return new Uint8Array(await new Response(stream).arrayBuffer());
}

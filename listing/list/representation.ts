/**
 * A text response ready to send: its bytes, its ETag and its gzip form, PROTOCOL.md §9.7. It knows neither the list
 * nor HTTP.
 *
 * @module
 */
import { eTag } from "@std/http/etag";

type Bytes = Uint8Array<ArrayBuffer>;

export class Representation {
  readonly bytes: Bytes;
  /** Weak, because the plain and compressed forms share it. */
  readonly etag: string;
  #gzipped: Promise<Bytes> | undefined;

  private constructor(bytes: Bytes, etag: string) {
    this.bytes = bytes;
    this.etag = etag;
  }

  static async of(text: string): Promise<Representation> {
    // Copied because the types of Deno 2.4 let an encoder return shared memory.
    const bytes = new Uint8Array(new TextEncoder().encode(text));
    return new Representation(bytes, await eTag(bytes, { weak: true }));
  }

  /** Compresses once; later calls return the same bytes. */
  gzipped(): Promise<Bytes> {
    return this.#gzipped ??= gzip(this.bytes);
  }
}

async function gzip(bytes: Bytes): Promise<Bytes> {
  const stream = new Blob([bytes]).stream().pipeThrough(new CompressionStream("gzip"));
  return new Uint8Array(await new Response(stream).arrayBuffer());
}

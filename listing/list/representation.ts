/**
 * A text response ready to send: its bytes, its ETag and its gzip form, PROTOCOL.md §9.7. It knows neither the list
 * nor HTTP.
 *
 * @module
 */
import { createHash } from "node:crypto";
import { eTag } from "@std/http/etag";

type Bytes = Uint8Array<ArrayBuffer>;

export class Representation {
  readonly bytes: Bytes;
  /** Weak, because the plain and compressed forms share it. */
  readonly etag: string;
  /** False for a short text: compressing takes several times the work of the answer, and spares part of a packet. */
  readonly isCompressible: boolean;
  #gzipped: Promise<Bytes> | undefined;

  private constructor(bytes: Bytes, etag: string, isCompressible: boolean) {
    this.bytes = bytes;
    this.etag = etag;
    this.isCompressible = isCompressible;
  }

  static async of(text: string): Promise<Representation> {
    const bytes = new TextEncoder().encode(text);
    return new Representation(bytes, await eTag(bytes, { weak: true }), true);
  }

  /** For what is made for each request, up to a few KiB: its hash does not wait for another thread. */
  static ofShort(text: string): Representation {
    const bytes = new TextEncoder().encode(text);
    return new Representation(bytes, `W/"${createHash("sha256").update(bytes).digest("base64")}"`, false);
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

/**
 * A text answer ready to be sent: its bytes, their ETag, and the same compressed, PROTOCOL.md §9.7.
 *
 * @module
 */
import { eTag } from "@std/http/etag";

type Bytes = Uint8Array<ArrayBuffer>;

export class Representation {
  readonly bytes: Bytes;
  /** Weak, since the plain and the compressed form share it. */
  readonly etag: string;
  #gzipped: Promise<Bytes> | undefined;

  private constructor(bytes: Bytes, etag: string) {
    this.bytes = bytes;
    this.etag = etag;
  }

  static async of(text: string): Promise<Representation> {
    // A copy, only because the types of Deno 2.4 take what an encoder gives for possibly shared memory.
    const bytes = new Uint8Array(new TextEncoder().encode(text));
    return new Representation(bytes, await eTag(bytes, { weak: true }));
  }

  /** The bytes compressed, once however often it is asked for. */
  gzipped(): Promise<Bytes> {
    return this.#gzipped ??= gzip(this.bytes);
  }
}

async function gzip(bytes: Bytes): Promise<Bytes> {
  const stream = new Blob([bytes]).stream().pipeThrough(new CompressionStream("gzip"));
  return new Uint8Array(await new Response(stream).arrayBuffer());
}

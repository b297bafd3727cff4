/**
 * A JSON answer ready to be sent: its bytes, their ETag, and the same compressed, PROTOCOL.md §9.7.
 *
 * @module
 */
import { eTag } from "@std/http/etag";

export class Representation {
  readonly bytes: Uint8Array<ArrayBuffer>;
  /** Weak, since the plain and the compressed form share it. */
  readonly etag: string;
  #gzipped: Promise<Uint8Array<ArrayBuffer>> | undefined;

  private constructor(bytes: Uint8Array<ArrayBuffer>, etag: string) {
    this.bytes = bytes;
    this.etag = etag;
  }

  static async of(json: string): Promise<Representation> {
    // A copy, only because the types of Deno 2.4 take what an encoder gives for possibly shared memory.
    const bytes = new Uint8Array(new TextEncoder().encode(json));
    return new Representation(bytes, await eTag(bytes, { weak: true }));
  }

  /** The bytes compressed, once however often it is asked for. */
  gzipped(): Promise<Uint8Array<ArrayBuffer>> {
    this.#gzipped ??= new Response(new Blob([this.bytes]).stream().pipeThrough(new CompressionStream("gzip")))
      .arrayBuffer().then((buffer) => new Uint8Array(buffer));
    return this.#gzipped;
  }
}

/**
 * Bytes that answers share: each answer has all of them, and none has a copy.
 *
 * @module
 */
import { Buffer } from "node:buffer";
import { assert, assertEquals, assertFalse } from "@std/assert";
import { sharedBody } from "../../listing/shared_body.ts";

/** None, few, and more than the system gives in one go. */
const SIZES = [0, 13, 131_200, 1_600_000];

function bytesOf(size: number): Uint8Array<ArrayBuffer> {
  return Uint8Array.from({ length: size }, (_, i) => i * 7 ^ i >> 8);
}

Deno.test("answers over sockets that share bytes have all of them, one after the other and at once", async () => {
  for (const size of SIZES) {
    const bytes = bytesOf(size);
    const body = await sharedBody(bytes);
    await using server = Deno.serve(
      { hostname: "127.0.0.1", port: 0, onListen: () => {} },
      () => new Response(body),
    );
    const url = `http://127.0.0.1:${server.addr.port}`;
    const ask = async () => {
      const response = await fetch(url);
      assertEquals(response.headers.get("content-length"), `${size}`);
      return new Uint8Array(await response.arrayBuffer());
    };
    // Compared at once, where assertEquals takes some seconds for so many.
    assert(Buffer.from(await ask()).equals(bytes));
    for (const answer of await Promise.all(Array.from({ length: 20 }, ask))) {
      assert(Buffer.from(answer).equals(bytes));
    }
    assert(Buffer.from(bytesOf(size)).equals(bytes), "the bytes themselves are as they were");
  }
});

Deno.test("this runtime shares what it is asked to", async () => {
  const bytes = bytesOf(SIZES[2]!);
  const response = new Response(await sharedBody(bytes));
  // Only a body without a copy of its own shows what is written to the bytes later.
  bytes.fill(1);
  assertFalse(new Uint8Array(await response.arrayBuffer()).some((byte) => byte !== 1));
});

Deno.test("a part of a buffer is shared as that part", async () => {
  const part = bytesOf(1000).subarray(100, 300);
  const answer = new Uint8Array(await new Response(await sharedBody(part)).arrayBuffer());
  assertEquals([...answer], [...part]);
});

/** Runs `use` with a response that makes its copy as `take` says; it is of no other use. */
async function withCopiesBy(
  take: (bytes: Uint8Array) => Uint8Array,
  use: () => Promise<void>,
): Promise<void> {
  const { Response } = globalThis;
  class Copying {
    readonly #bytes: Uint8Array;
    constructor(bytes: Uint8Array) {
      this.#bytes = take(bytes);
    }
    arrayBuffer() {
      return Promise.resolve(this.#bytes.buffer);
    }
  }
  Object.assign(globalThis, { Response: Copying });
  try {
    await use();
  } finally {
    Object.assign(globalThis, { Response });
  }
}

Deno.test("a runtime that copies in another way, or keeps what it was handed, is given the bytes", async () => {
  const ways: Record<string, (bytes: Uint8Array) => Uint8Array> = {
    another: (bytes) => new Uint8Array(bytes),
    keeping: (bytes) => {
      const taken = bytes.slice();
      return new Uint8Array(structuredClone(taken.buffer, { transfer: [taken.buffer] }));
    },
  };
  for (const [way, take] of Object.entries(ways)) {
    await withCopiesBy(take, async () => {
      // Anew, since what was tried is remembered.
      const anew = await import(`../../listing/shared_body.ts?${way}`);
      const bytes = bytesOf(13);
      assertEquals(await anew.sharedBody(bytes), bytes, way);
    });
  }
});

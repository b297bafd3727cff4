/**
 * Bytes that answers share: each answer has all of them, and none has a copy.
 *
 * @module
 */
import { assertEquals, assertFalse } from "@std/assert";
import { sharedBody } from "../../listing/shared_body.ts";

/** None, few, and more than the system gives in one go. */
const SIZES = [0, 13, 131_200, 1_600_000];

function bytesOf(size: number): Uint8Array<ArrayBuffer> {
  return Uint8Array.from({ length: size }, (_, i) => i * 7 ^ i >> 8);
}

Deno.test("answers over sockets that share bytes have all of them, one after the other and at once", async () => {
  for (const size of SIZES) {
    const bytes = bytesOf(size);
    const body = sharedBody(bytes);
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
    assertEquals(await ask(), bytes);
    for (const answer of await Promise.all(Array.from({ length: 20 }, ask))) assertEquals(answer, bytes);
    assertEquals(bytes, bytesOf(size), "the bytes themselves are as they were");
  }
});

Deno.test("this runtime shares what it is asked to", async () => {
  const bytes = bytesOf(SIZES[2]!);
  const response = new Response(sharedBody(bytes));
  // Only a body without a copy of its own shows what is written to the bytes later.
  bytes.fill(1);
  assertFalse(new Uint8Array(await response.arrayBuffer()).some((byte) => byte !== 1));
});

Deno.test("a part of a buffer is shared as that part", async () => {
  const part = bytesOf(1000).subarray(100, 300);
  const answer = new Uint8Array(await new Response(sharedBody(part)).arrayBuffer());
  assertEquals([...answer], [...part]);
});

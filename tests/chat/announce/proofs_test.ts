/**
 * The server's proofs to listings: one for each, the same after a restart, and which one a challenge asks for.
 *
 * @module
 */
import { assertEquals, assertMatch, assertNotEquals } from "@std/assert";
import { Buffer } from "node:buffer";
import { proofSecret } from "../../../chat/announce/identity_kv.ts";
import { Proofs } from "../../../chat/announce/proofs.ts";
import { answerTo, hmacSha256, makeChallenge } from "../../../src/announcement/proof.ts";
import { openKv } from "../../../src/kv/kv.ts";
import { inTempFolder } from "../../support/temp_folder.ts";

const SECRET = new Uint8Array(32).fill(7);
const [A, B] = ["http://a.example", "http://b.example"];

Deno.test("each listing gets another proof of 256 bits, and the same one after a restart", () =>
  inTempFolder(async (folder) => {
    const read = async () => {
      using kv = await openKv(`${folder}/chat.db`);
      const proofs = new Proofs(await proofSecret(kv), [A, B]);
      return [proofs.of(A), proofs.of(B)];
    };
    const before = await read();
    for (const proof of before) assertMatch(proof, /^[A-Za-z0-9_-]{43}$/);
    assertNotEquals(before[0], before[1]);
    assertEquals(await read(), before);
  }));

Deno.test("a challenge is answered by the proof that it names, among several", () => {
  const proofs = new Proofs(SECRET, [A, B]);
  for (const listing of [A, B]) {
    const challenge = makeChallenge(proofs.of(listing), "n");
    assertEquals(proofs.answer(challenge), answerTo(challenge, proofs.of(listing)));
  }
});

Deno.test("a challenge that names no proof means the only one, and none where there are several or none", () => {
  const only = new Proofs(SECRET, [A]);
  assertEquals(only.answer("x"), answerTo("x", only.of(A)));
  assertEquals(new Proofs(SECRET, [A, B]).answer("x"), undefined);
  assertEquals(new Proofs(SECRET, []).answer("x"), undefined);
  assertEquals(new Proofs(SECRET, [A, B]).answer(makeChallenge("p".repeat(43), "n")), undefined);
});

Deno.test("an answer is HMAC-SHA256 of the challenge in base64url, by the proof as it is written", () => {
  // RFC 4231 §4.3.
  assertEquals(
    answerTo("what do ya want for nothing?", "Jefe"),
    "W9zBRr9gdU5qBCQmCJV1x1oAPwidJzmDnexYuWTsOEM",
  );
});

Deno.test("an answer is HMAC-SHA256, also with a key longer than a block", () => {
  const key = (text: string) => new TextEncoder().encode(text);
  // Cases 2 and 6 of RFC 4231.
  for (
    const [secret, text, hex] of [
      [
        key("Jefe"),
        "what do ya want for nothing?",
        "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843",
      ],
      [
        new Uint8Array(131).fill(0xaa),
        "Test Using Larger Than Block-Size Key - Hash Key First",
        "60e431591ee0b67f0d8a26aacbf5b77f8e0bc6213728c5140546040f0ee37f54",
      ],
    ] as const
  ) {
    assertEquals(hmacSha256(secret, text), Buffer.from(hex, "hex").toString("base64url"));
  }
});

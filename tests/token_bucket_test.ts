/**
 * Rate limits, by a clock that the test holds.
 *
 * @module
 */
import { assert, assertEquals, assertFalse } from "@std/assert";
import { KeyedTokenBuckets, TokenBucket } from "../src/token_bucket.ts";

function takeAll(bucket: TokenBucket, nowMs: number): number {
  let taken = 0;
  while (bucket.consume(nowMs)) taken++;
  return taken;
}

Deno.test("a token bucket gives its burst at once, then its rate, and never more than its burst", () => {
  const bucket = new TokenBucket({ burst: 5, perSecond: 2 }, 0);
  assertEquals(takeAll(bucket, 0), 5);
  assertEquals(takeAll(bucket, 499), 0);
  assertEquals(takeAll(bucket, 500), 1);
  assertEquals(takeAll(bucket, 2000), 3);
  assertEquals(takeAll(bucket, 1_000_000), 5);
});

Deno.test("a token bucket gains nothing when the clock goes backwards", () => {
  const bucket = new TokenBucket({ burst: 1, perSecond: 1 }, 10_000);
  assert(bucket.consume(10_000));
  assertFalse(bucket.consume(0));
  assertFalse(bucket.consume(10_500));
  assert(bucket.consume(11_000));
});

Deno.test("keyed token buckets limit each key alone", () => {
  const buckets = new KeyedTokenBuckets({ burst: 1, perSecond: 1 }, 10);
  assert(buckets.consume("a", 0));
  assertFalse(buckets.consume("a", 0));
  assert(buckets.consume("b", 0));
});

Deno.test("a token bucket tells whether there is a token without taking it", () => {
  const bucket = new TokenBucket({ burst: 1, perSecond: 1 }, 0);
  assert(bucket.has(0) && bucket.has(0) && bucket.consume(0));
  assertFalse(bucket.has(999));
  assert(bucket.has(1000) && bucket.consume(1000));
  const buckets = new KeyedTokenBuckets({ burst: 1, perSecond: 1 }, 10);
  assert(buckets.has("a", 0));
  assertEquals(buckets.size, 0, "who only asks is not remembered");
  buckets.consume("a", 0);
  assertFalse(buckets.has("a", 999));
  assert(buckets.has("a", 1000));
});

Deno.test("keyed token buckets forget the key that was used longest ago, past their number", () => {
  const buckets = new KeyedTokenBuckets({ burst: 1, perSecond: 1 }, 2);
  for (const key of ["a", "b", "a", "c"]) buckets.consume(key, 0);
  assertEquals(buckets.size, 2);
  assertFalse(buckets.consume("a", 0), "used of late: still empty");
  assert(buckets.consume("b", 0), "forgotten: full again");
});

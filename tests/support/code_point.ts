/**
 * Any character, for properties. Instead of fast-check's `unit: "binary"`, whose table takes a second to make in each
 * file.
 *
 * @module
 */
import fc from "fast-check";

/** A code point that is no surrogate, half of them printable ASCII. */
export const codePoint: fc.Arbitrary<string> = fc.oneof(
  { weight: 2, arbitrary: fc.integer({ min: 0x20, max: 0x7e }) },
  { weight: 1, arbitrary: fc.integer({ min: 0, max: 0xd7ff }) },
  { weight: 1, arbitrary: fc.integer({ min: 0xe000, max: 0x10ffff }) },
).map((code) => String.fromCodePoint(code));

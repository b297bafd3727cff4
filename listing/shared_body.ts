/**
 * Bytes that many answers have as their body without a copy for each.
 *
 * Whoever shares bytes never changes them. It is a matter of cost alone: where a runtime cannot be had to share, each
 * answer has its copy.
 *
 * @module
 */

/**
 * What to give to `new Response` so that the answer's body is `bytes`; of use for nothing else.
 *
 * The standard has a response take a copy of its bytes, by their `slice`. A new array for each answer is most of what an
 * answer costs: past 128 KiB it comes from the system and goes back to it. But `slice` asks the constructor of an array for
 * the array to copy into. What is given here is an array without anything to copy, whose constructor has `bytes`.
 */
export function sharedBody(bytes: Uint8Array<ArrayBuffer>): Uint8Array<ArrayBuffer> {
  // Some ways to read a response take the buffer that its bytes are in for its bytes.
  const whole = bytes.length === bytes.buffer.byteLength ? bytes : bytes.slice();
  let wasAsked = false;
  const constructor = {
    [Symbol.species]: function () {
      wasAsked = true;
      return whole;
    },
  };
  const empty = Object.defineProperty(new Uint8Array(0), "constructor", { value: constructor });
  new Response(empty);
  return wasAsked ? empty : whole;
}

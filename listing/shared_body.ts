/**
 * Bytes that many answers have as their body without a copy for each.
 *
 * Whoever shares bytes never changes them. It is a matter of cost alone: where a runtime cannot be had to share, each
 * answer has its copy.
 *
 * @module
 */

type Bytes = Uint8Array<ArrayBuffer>;

/** Whether this runtime shares; known once it was tried. */
let isSharing: Promise<boolean> | undefined;

/**
 * What to give to `new Response` so that the answer's body is `bytes`; of use for nothing else.
 *
 * The standard has a response take a copy of its bytes, by their `slice`. A new array for each answer is most of what an
 * answer costs: past 128 KiB it comes from the system and goes back to it. But `slice` asks the constructor of an array for
 * the array to copy into. What is given here is an array without anything to copy, whose constructor has `bytes`.
 */
export async function sharedBody(bytes: Bytes): Promise<Bytes> {
  isSharing ??= tryToShare();
  return await isSharing ? handing(bytes) : bytes;
}

function handing(bytes: Bytes): Bytes {
  // Some ways to read a response take the buffer that its bytes are in for its bytes.
  const whole = bytes.length === bytes.buffer.byteLength ? bytes : bytes.slice();
  const species = function () {
    return whole;
  };
  return Object.defineProperty(new Uint8Array(0), "constructor", { value: { [Symbol.species]: species } });
}

/** Tried with bytes that are of no use, and twice: a runtime might take for itself what it was handed. */
async function tryToShare(): Promise<boolean> {
  const body = handing(Uint8Array.of(1, 2, 3));
  try {
    for (let answers = 0; answers < 2; answers++) {
      const read = new Uint8Array(await new Response(body).arrayBuffer());
      if (read.join() !== "1,2,3") return false;
    }
    return true;
  } catch {
    // What was taken away cannot be read any more.
    return false;
  }
}

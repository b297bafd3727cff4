/**
 * Writes all of a text or of bytes: one write of the runtime may take only a part.
 *
 * @module
 */

const encoder = new TextEncoder();

/** Rejects with the error of the write that failed; an earlier part may then be written. */
export async function writeAll(
  to: { write(bytes: Uint8Array): Promise<number> },
  all: string | Uint8Array,
): Promise<void> {
  for (let rest = typeof all === "string" ? encoder.encode(all) : all; rest.length > 0;) {
    rest = rest.subarray(await to.write(rest));
  }
}

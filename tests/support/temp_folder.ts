/**
 * A folder of one test, removed when the test is over.
 *
 * @module
 */

/** Runs `use` with a new folder's path, without a slash at its end, and then removes the folder in any case. */
export async function inTempFolder(use: (folder: string) => Promise<void>): Promise<void> {
  const folder = await Deno.makeTempDir({ prefix: "chatter_" });
  try {
    await use(folder);
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
}

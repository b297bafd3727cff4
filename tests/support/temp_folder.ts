/**
 * A folder of one test, removed when the test is over.
 *
 * @module
 */
import { until } from "./until.ts";

/** Runs `use` with a new folder's path, without a slash at its end, and then removes the folder in any case. */
export async function inTempFolder(use: (folder: string) => Promise<void>): Promise<void> {
  const folder = await Deno.makeTempDir({ prefix: "chatter_" });
  try {
    await use(folder);
  } finally {
    await removeFolder(folder);
  }
}

/** Removes a folder in which processes that were just ended, or children of them, may still make files. */
export async function removeFolder(folder: string): Promise<void> {
  await until(
    `${folder} is removed`,
    () => Deno.remove(folder, { recursive: true }).then(() => true, () => false),
  );
}

/**
 * Keeps a store to its owner: files of mode 0600 and folders of 0700, whatever the umask, also those that exist. Where
 * the file system has no modes, or another user owns a file, it changes nothing and is no failure.
 *
 * @module
 */

/** Creates the folders of `path` that are missing, and the file if it is missing. Throws the system's error. */
export async function makeOwn(path: string): Promise<void> {
  const folder = folderOf(path);
  if (folder !== undefined) await Deno.mkdir(folder, { recursive: true, mode: 0o700 });
  try {
    await Deno.stat(path);
  } catch (error) {
    if (!(error instanceof Deno.errors.NotFound)) throw error;
    // What SQLite puts beside the file has its mode.
    (await Deno.open(await targetOf(path), { create: true, write: true, mode: 0o600 })).close();
  }
}

/** Where a link leads that leads to no file yet: with limited permissions Deno opens none through it. */
async function targetOf(path: string): Promise<string> {
  try {
    const target = await Deno.readLink(path);
    return target.startsWith("/") ? target : `${folderOf(path) ?? "."}/${target}`;
  } catch {
    return path;
  }
}

/** The part before the last separator; undefined for a name alone, and in the root. */
export function folderOf(path: string): string | undefined {
  const end = Math.max(path.lastIndexOf("/"), path.lastIndexOf("\\"));
  return end <= 0 ? undefined : path.slice(0, end);
}

/** Takes the rights of other users away from each path that exists. Returns those that had any. */
export async function closeToOthers(paths: readonly string[]): Promise<string[]> {
  const closed: string[] = [];
  for (const path of paths) if (await closeOne(path)) closed.push(path);
  return closed;
}

async function closeOne(path: string): Promise<boolean> {
  try {
    const { mode, isFile, isDirectory } = await Deno.stat(path);
    // No device of the system, whatever --kv names.
    if (!isOpen(mode) || !(isFile || isDirectory)) return false;
    await Deno.chmod(path, isDirectory ? 0o700 : 0o600);
    return !isOpen((await Deno.stat(path)).mode);
  } catch {
    return false;
  }
}

/** True if other users have any right. Systems without modes have null. */
function isOpen(mode: number | null): boolean {
  return ((mode ?? 0) & 0o077) !== 0;
}

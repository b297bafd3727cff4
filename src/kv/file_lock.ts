/**
 * Keeps a store to one process: an advisory lock on the file `<store>.lock`, which the system releases with the
 * process, however that ends.
 *
 * It knows nothing of what is in the store, and does not stop programs that do not ask for the lock.
 *
 * @module
 */

/** Somebody else holds the lock. `holder` is the number of their process, where it could be read. */
export class StoreInUse extends Error {
  override name = "StoreInUse";
  readonly holder: number | undefined;

  constructor(holder: number | undefined) {
    super("the store is in use");
    this.holder = holder;
  }
}

/**
 * Milliseconds that Deno before 2.9, which can only wait for a lock, waits before it counts as held. A lock that is
 * free is had in less than one.
 */
const LOCK_WAIT_MS = 500;

/**
 * Takes the lock of the store at `path`, and gives it back when disposed of. The file stays: whoever removed it could
 * remove that of the next.
 * Throws `StoreInUse`, or what the system says where the file cannot be made or written.
 */
export async function lockStore(path: string): Promise<Disposable> {
  // By its real name, so that two links to one store are one store.
  const lockPath = `${await realPath(path)}.lock`;
  const file = await Deno.open(lockPath, { create: true, read: true, write: true });
  try {
    if (!await tryLock(file)) throw new StoreInUse(await readHolder(lockPath));
    await file.truncate(0);
    await file.write(new TextEncoder().encode(`${Deno.pid}\n`));
  } catch (error) {
    file.close();
    throw error;
  }
  return {
    [Symbol.dispose]() {
      try {
        // Closing gives it back only once no process has the file: one that another thread is just starting has all
        // that this one has, until its program runs.
        file.unlockSync();
      } finally {
        file.close();
      }
    },
  };
}

async function realPath(path: string): Promise<string> {
  try {
    return await Deno.realPath(path);
  } catch (error) {
    // The store is still to be made.
    if (error instanceof Deno.errors.NotFound) return path;
    throw error;
  }
}

async function tryLock(file: Deno.FsFile): Promise<boolean> {
  // Newer than some of the versions that this runs on.
  if ("tryLock" in file) return await file.tryLock(true);
  const old: Deno.FsFile = file;
  let timer: ReturnType<typeof setTimeout> | undefined;
  const late = new Promise<false>((resolve) => timer = setTimeout(() => resolve(false), LOCK_WAIT_MS));
  try {
    return await Promise.race([old.lock(true).then(() => true), late]);
  } finally {
    clearTimeout(timer);
  }
}

async function readHolder(lockPath: string): Promise<number | undefined> {
  try {
    const holder = Number((await Deno.readTextFile(lockPath)).trim());
    return Number.isSafeInteger(holder) && holder > 0 ? holder : undefined;
  } catch {
    // Some systems do not let others read what is locked.
    return undefined;
  }
}

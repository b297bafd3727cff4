/**
 * Keeps a store to one process by an advisory lock on the file `<store>.lock`. The system releases the lock when the
 * process ends, however it ends. Programs that do not ask for the lock are not stopped.
 *
 * @module
 */

/** Another process holds the lock. `holder` is its process number, if it could be read. */
export class StoreInUse extends Error {
  override name = "StoreInUse";
  readonly holder: number | undefined;

  constructor(holder: number | undefined) {
    super("the store is in use");
    this.holder = holder;
  }
}

/** Milliseconds of waiting for the lock on Deno before 2.9, which has no `tryLock`; a free lock takes less than 1 ms. */
const LOCK_WAIT_MS = 500;

/**
 * Locks the store at `path` until disposed. Throws `StoreInUse`, or the system's error if the file cannot be written.
 * The lock file stays: removing it could remove the next owner's.
 */
export async function lockStore(path: string): Promise<Disposable> {
  // The real path, so that two links to one store share its lock.
  const lockPath = `${await realPath(path)}.lock`;
  const file = await Deno.open(lockPath, { create: true, read: true, write: true, mode: 0o600 });
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
        // Closing alone would not unlock while another process has the file: a process that a thread is starting
        // inherits it until its program runs.
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
    // The store does not exist yet.
    if (error instanceof Deno.errors.NotFound) return path;
    throw error;
  }
}

async function tryLock(file: Deno.FsFile): Promise<boolean> {
  // Deno before 2.9 does not have it.
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
    // Some systems do not let other processes read a locked file.
    return undefined;
  }
}

/**
 * Opens a role's store: checks that the KV belongs to the role, keeps other processes out unless it is shared, and
 * detects a file that was removed or replaced. It knows nothing of the rows; kv.ts opens the KV.
 *
 * @module
 */
import {
  anotherStore,
  ATTACHED,
  claimLayout,
  defaultKvLocation,
  isFilePath,
  KvUnavailable,
  type Layout,
  openKv,
} from "./kv.ts";
import { closeToOthers, folderOf, makeOwn } from "./own_files.ts";
import { logger } from "../logging/log.ts";
import { steadyClock } from "../clock.ts";
import { settlesWithin } from "../deadline.ts";
import type { StoreLease } from "./lease.ts";
import { lockStore, StoreInUse } from "./file_lock.ts";

/** Dispose of it when no operation is running: that releases the lock or lease and closes the KV. */
export interface Store extends AsyncDisposable {
  readonly kv: Deno.Kv;
  /** Throws if the opened file was removed, moved or replaced: writes to it succeed, but are lost with the process. */
  assertInPlace(): void;
  /** Checks that make a commit fail once another process has the store. */
  readonly fence: readonly Deno.AtomicCheck[];
  /** Resolves with the reason when the store must be released soon for another process. */
  readonly ending: Promise<string>;
}

export interface StoreSharing {
  /** True if other processes may open it too. */
  readonly isShared: boolean;
  /** For a store that is not shared: asks the process that has it to release it, where it can be asked. */
  readonly takesOver?: boolean;
}

/** Milliseconds for one read, above which a store counts as failed. */
const ANSWER_MS = 1000;

/** True if `probe`, a read of the store, succeeds in time. */
export async function answersInTime(probe: () => Promise<unknown>, answerMs = ANSWER_MS): Promise<boolean> {
  try {
    return await settlesWithin(probe(), answerMs);
  } catch {
    return false;
  }
}

/**
 * Opens the store at `location`, as `openKv` does, and claims it for a role. Creates a missing folder or file for its
 * owner alone. Unless it is shared, locks its file or takes its lease. Throws `KvUnavailable` with everything released.
 */
export async function openStore(
  location: string | undefined,
  layout: Layout,
  { isShared, takesOver = false }: StoreSharing,
): Promise<Store> {
  await using held = new AsyncDisposableStack();
  const path = location !== undefined && isFilePath(location) ? location : undefined;
  if (path !== undefined) {
    await refusingInUse(location, () => makeOwn(path));
    await refuseForeign(path);
    if (!isShared) held.use(await refusingInUse(location, () => lockStore(path)));
  }
  const kv = held.adopt(await openKv(location), (kv) => kv.close());
  await claimLayout(kv, location, layout);
  if (path !== undefined) await closeStore(path, layout.role);
  const opened = path === undefined ? undefined : new OpenedFiles(path);
  const isLeased = !isShared && path === undefined && location !== ":memory:";
  const lease = isLeased ? await takeLease(kv, location, { asks: takesOver, role: layout.role }) : undefined;
  if (lease !== undefined) held.defer(() => lease.release());
  const all = held.move();
  return {
    kv,
    assertInPlace: () => opened?.assertInPlace(),
    fence: lease === undefined ? [] : [lease.fence],
    ending: lease?.ending ?? new Promise(() => {}),
    [Symbol.asyncDispose]: () => all.disposeAsync(),
  };
}

/** The files of a store, by what their names add to its own. */
const FILES = ["", "-wal", "-shm", ".lock"];

/** Closes the store to other users, and the folder of the default store, which no other program has. */
async function closeStore(path: string, role: Layout["role"]): Promise<void> {
  const real = await Deno.realPath(path);
  const isDefault = path === defaultKvLocation(role, (name) => Deno.env.get(name));
  const folder = isDefault ? folderOf(path) : undefined;
  const paths = [...folder === undefined ? [] : [folder], ...FILES.map((suffix) => real + suffix)];
  const closed = await closeToOthers(paths);
  if (closed.length > 0) logger(role).info("store.closed_to_others", { paths: closed });
}

async function takeLease(
  kv: Deno.Kv,
  location: string | undefined,
  { asks, role }: { readonly asks: boolean; readonly role: Layout["role"] },
): Promise<StoreLease> {
  // Loaded on demand: most stores are files.
  const { StoreLease } = await import("./lease.ts");
  const onWait = () => logger(role).info("store.awaited", { place: location ?? ATTACHED });
  return await refusingInUse(location, () => StoreLease.take(kv, { asks, steadyMs: steadyClock, onWait }));
}

async function refusingInUse<T>(location: string | undefined, take: () => Promise<T>): Promise<T> {
  const place = location ?? ATTACHED;
  try {
    return await take();
  } catch (error) {
    if (error instanceof StoreInUse) {
      const holder = error.holder === undefined ? "another process" : `process ${error.holder}`;
      throw new KvUnavailable(
        `Cannot use the store at ${place}: ${holder} has it open. ` +
          `Stop that process, or for this one ${anotherStore(location)}`,
      );
    }
    throw KvUnavailable.at(place, error);
  }
}

const SQLITE_MAGIC = "SQLite format 3\0";

/** Throws if the file is another program's SQLite database, in which Deno KV would create its tables. */
async function refuseForeign(path: string): Promise<void> {
  if (await readStart(path, SQLITE_MAGIC.length) !== SQLITE_MAGIC) return;
  const { DatabaseSync } = await import("node:sqlite");
  let tables: unknown[];
  try {
    const database = new DatabaseSync(path, { readOnly: true });
    try {
      tables = database.prepare("select name from sqlite_master").all().map(({ name }) => name);
    } finally {
      database.close();
    }
  } catch {
    return;
  }
  if (tables.length === 0 || tables.includes("data_version")) return;
  throw new KvUnavailable(
    `Cannot use the store at ${path}: it is a database of another program. Give --kv another place`,
  );
}

async function readStart(path: string, bytes: number): Promise<string | undefined> {
  try {
    using file = await Deno.open(path);
    const start = new Uint8Array(bytes);
    await file.read(start);
    return new TextDecoder().decode(start);
  } catch {
    return undefined;
  }
}

/** The identities of the database file and its write-ahead log. */
class OpenedFiles {
  readonly #path: string;
  /** Device and inode by path. */
  readonly #identities: ReadonlyMap<string, string>;

  constructor(path: string) {
    this.#path = path;
    const paths = [path, `${path}-wal`];
    this.#identities = new Map(
      paths.map((path) => [path, identityOf(path)] as const).filter(([_, identity]) =>
        identity !== "nothing"
      ),
    );
  }

  assertInPlace(): void {
    for (const [path, identity] of this.#identities) {
      if (identityOf(path) !== identity) {
        throw new Error(
          `${path} was removed, moved or replaced while it was open: the server cannot store anything. ` +
            `Stop this process, put a copy of ${this.#path} back if there is one, and start again`,
        );
      }
    }
  }
}

/** Synchronous, since it takes microseconds; an asynchronous call would double the time of a commit. */
function identityOf(path: string): string {
  try {
    const { dev, ino } = Deno.statSync(path);
    return `${dev} ${ino}`;
  } catch (error) {
    // Any other error, such as a folder that is unreadable for a moment, says nothing about the file.
    return error instanceof Deno.errors.NotFound ? "nothing" : "unknown";
  }
}

/**
 * A role's store: a Deno KV that is known to be this role's, that nobody else has where it is not to be shared, and
 * whose file is still where it was opened.
 *
 * It knows nothing of the rows. How a KV is opened is kv.ts's.
 *
 * @module
 */
import {
  ATTACHED,
  claimLayout,
  isFilePath,
  KvUnavailable,
  type Layout,
  openKv,
  prepareFolder,
} from "./kv.ts";
import { steadyClock } from "../clock.ts";
import { settlesWithin } from "../deadline.ts";
import type { StoreLease } from "./lease.ts";
import { lockStore, StoreInUse } from "./file_lock.ts";

/** Disposed of, with nothing under way any more, it is given to whoever is next and closed. */
export interface Store extends AsyncDisposable {
  readonly kv: Deno.Kv;
  /**
   * Throws where the file that was opened is not at its place any more: removed, moved or replaced. The system goes on
   * writing to such a file without a word, and it is gone with the process.
   */
  assertInPlace(): void;
  /** Checks for commits that the next process to have the store must not find among its own. */
  readonly fence: readonly Deno.AtomicCheck[];
  /** Resolves with why, where another process is to have the store, which is then to be released soon. */
  readonly ending: Promise<string>;
}

export interface StoreSharing {
  /** Whether other processes may have it open as well. */
  readonly isShared: boolean;
  /** Where it is not shared: whether to ask another process that has it to stop, as far as one can be asked. */
  readonly takesOver?: boolean;
}

/** Milliseconds in which a store has to answer one read: past that, what it is for does not work either. */
const ANSWER_MS = 1000;

/** Whether a store answers `probe`, a read of it, in time. */
export async function answersInTime(probe: () => Promise<unknown>, answerMs = ANSWER_MS): Promise<boolean> {
  try {
    return await settlesWithin(probe(), answerMs);
  } catch {
    return false;
  }
}

/**
 * Opens the store at `location`, as `openKv` does, and claims it for a role.
 *
 * Where it is not shared a file is locked, and another store is leased. Throws `KvUnavailable`, having released
 * everything.
 */
export async function openStore(
  location: string | undefined,
  layout: Layout,
  { isShared, takesOver = false }: StoreSharing,
): Promise<Store> {
  await using held = new AsyncDisposableStack();
  const path = location !== undefined && isFilePath(location) ? location : undefined;
  if (path !== undefined) {
    await prepareFolder(path);
    await refuseForeign(path);
    if (!isShared) held.use(await refusingInUse(path, () => lockStore(path)));
  }
  const kv = held.adopt(await openKv(location), (kv) => kv.close());
  await claimLayout(kv, location, layout);
  const opened = path === undefined ? undefined : new OpenedFiles(path);
  const isLeased = !isShared && path === undefined && location !== ":memory:";
  const lease = isLeased ? await takeLease(kv, location, takesOver) : undefined;
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

async function takeLease(kv: Deno.Kv, location: string | undefined, asks: boolean): Promise<StoreLease> {
  // Loaded where it is needed: most stores are files.
  const { StoreLease } = await import("./lease.ts");
  const place = location ?? ATTACHED;
  return await refusingInUse(place, () => StoreLease.take(kv, { asks, steadyMs: steadyClock }));
}

async function refusingInUse<T>(place: string, take: () => Promise<T>): Promise<T> {
  try {
    return await take();
  } catch (error) {
    if (error instanceof StoreInUse) {
      const holder = error.holder === undefined ? "another process" : `process ${error.holder}`;
      throw new KvUnavailable(
        `Cannot use the store at ${place}: ${holder} is a chatter that has it open. ` +
          "Stop that one, or give this one another store with --kv",
      );
    }
    throw KvUnavailable.at(place, error);
  }
}

/** SQLite's first bytes. */
const SQLITE_MAGIC = "SQLite format 3\0";

/**
 * Throws where the file is a database of another program: Deno KV would make its tables in it, and chatter its rows.
 * Whatever else may be wrong with the file is found when it is opened.
 */
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
    `Cannot use the store at ${path}: it is a database of another program. Give another place with --kv`,
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

/** The database and its log of writes, as the file system has them. */
class OpenedFiles {
  readonly #path: string;
  /** By path, what identifies the file there. */
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
          `${path} was removed, moved or replaced while it was open: nothing is stored any more. ` +
            `Stop this process, put a copy of ${this.#path} back if there is one, and start anew`,
        );
      }
    }
  }
}

/** Synchronous: some microseconds, where asking in the background would double the time of a commit. */
function identityOf(path: string): string {
  try {
    const { dev, ino } = Deno.statSync(path);
    return `${dev} ${ino}`;
  } catch (error) {
    // Anything else, as a folder that cannot be looked into for a moment, says nothing of the file.
    return error instanceof Deno.errors.NotFound ? "nothing" : "unknown";
  }
}

/**
 * The only file that opens Deno KV: a file with its folder, `:memory:`, a remote URL, or the database that Deno
 * Deploy attaches. It knows nothing of the rows.
 *
 * @module
 */
import { REMOVED } from "./scrub.ts";

/** The KV cannot be opened or written. The message is one line that says what to do. */
export class KvUnavailable extends Error {
  override name = "KvUnavailable";

  static at(place: string, cause: unknown): KvUnavailable {
    const reason = cause instanceof Error ? cause.message : String(cause);
    const advice = place === ATTACHED
      ? "Assign a Deno KV database to the app, see docs/deploy.md"
      : ADVICE.find(([pattern]) => pattern.test(reason))?.[1] ??
        "Give --kv a path that this user may write, or :memory:";
    return new KvUnavailable(`Cannot open the store at ${place}: ${reason}. ${advice}`, { cause });
  }
}

/** Advice by the message of SQLite or the system. */
const ADVICE: readonly (readonly [RegExp, string])[] = [
  [/disk is full|no space/i, "Free space there, or give --kv another place, or :memory:"],
  [
    /not a database|malformed|already exists/i,
    "The file is damaged or not a store: restore a copy, or give --kv another place, or :memory:",
  ],
  [
    /deserialize/i,
    "A later Deno wrote the file, or it is damaged: start Chatter by that Deno, or give --kv another place, or :memory:",
  ],
  [
    /locked/i,
    "Another program has locked the file: stop that program, or give --kv another place, or :memory:",
  ],
];

/**
 * Opens the KV at `location`: a path, `:memory:`, an http(s) URL, or undefined for the attached one. Writes once, so
 * that a read-only file fails now. Throws `KvUnavailable`.
 */
export async function openKv(location: string | undefined): Promise<Deno.Kv> {
  let kv: Deno.Kv | undefined;
  try {
    kv = await Deno.openKv(location);
    await kv.set(OPENED, true);
    return kv;
  } catch (error) {
    kv?.close();
    throw error instanceof KvUnavailable ? error : KvUnavailable.at(location ?? ATTACHED, error);
  }
}

/** Written at each start. */
const OPENED = ["opened"];

/** The name of the KV without a location, in messages. */
export const ATTACHED = "the attached KV";

/** The role of a store and the version of that role's rows. */
export interface Layout {
  readonly role: "chat" | "listing";
  /** Increases with each change that older programs cannot read. */
  readonly version: number;
  /** The oldest version whose rows this program reads as well; by default its own only. */
  readonly readsFrom?: number;
}

const LAYOUT = ["layout"];
const UNMARKED =
  "it has data without a layout. Another program wrote it, or one from before the first release";

/**
 * Marks a new store with its layout. Throws `KvUnavailable` if the store has another role or version, or rows of
 * another program: using it would lose data at the first write. A store of an earlier version that this program reads
 * is marked as its own, since older programs cannot read what it writes.
 */
export async function claimLayout(kv: Deno.Kv, location: string | undefined, mine: Layout): Promise<void> {
  try {
    // Before the layout is read, because another process marks a new store before it writes rows.
    const hasRows = (await Array.fromAsync(kv.list({ prefix: [] }, { limit: 2 })))
      .some(({ key }) => key[0] !== OPENED[0]);
    const { value: found } = await kv.get<Layout>(LAYOUT);
    const problem = found !== null ? layoutProblem(found, mine) : hasRows ? UNMARKED : undefined;
    if (problem !== undefined) {
      const place = location ?? ATTACHED;
      throw new KvUnavailable(`Cannot use the store at ${place}: ${problem}: ${anotherStore(location)}`);
    }
    const { role, version } = mine;
    if (found?.version !== version) {
      const atomic = kv.atomic().set(LAYOUT, { role, version });
      // Earlier programs left in the file what they removed from the rows.
      if (found !== null) atomic.set(REMOVED.now, true);
      await atomic.commit();
    }
  } catch (error) {
    throw error instanceof KvUnavailable ? error : KvUnavailable.at(location ?? ATTACHED, error);
  }
}

function layoutProblem(found: Layout, mine: Layout): string | undefined {
  if (found.role !== mine.role) {
    return `it is the store of a ${found.role}, and each role needs its own`;
  }
  if (found.version <= mine.version && found.version >= (mine.readsFrom ?? mine.version)) return undefined;
  const itsLayout = `it has layout ${found.version}; this program knows layout ${mine.version}`;
  return found.version > mine.version
    ? `${itsLayout}. A newer program wrote it, which can use it`
    : `${itsLayout}. A program from before the first release wrote it`;
}

/** What to do for another store. On Deno Deploy it is attached, and there is no --kv. */
export function anotherStore(location: string | undefined): string {
  return location === undefined ? "assign another database to this app" : "give another store with --kv";
}

/** The role of the store at `location`; undefined if it is not marked. Throws `KvUnavailable`. */
export async function roleOfStore(location: string): Promise<Layout["role"] | undefined> {
  try {
    if (isFilePath(location)) await Deno.stat(location);
    using kv = await Deno.openKv(location);
    return (await kv.get<Layout>(LAYOUT)).value?.role;
  } catch (error) {
    throw KvUnavailable.at(location, error);
  }
}

/**
 * The default path of a role's store in the platform's data folder, such as `$XDG_DATA_HOME/chatter/chat.db`.
 * Undefined on Deno Deploy, which attaches a KV.
 */
export function defaultKvLocation(
  role: string,
  env: (name: string) => string | undefined,
): string | undefined {
  if (isDenoDeploy(env)) return undefined;
  return `${dataFolder(env)}/chatter/${role}.db`;
}

export function isDenoDeploy(env: (name: string) => string | undefined): boolean {
  return Boolean(env("DENO_DEPLOY") || env("DENO_DEPLOYMENT_ID"));
}

function dataFolder(env: (name: string) => string | undefined): string {
  const home = env("HOME") || env("USERPROFILE") || ".";
  if (Deno.build.os === "windows") return env("LOCALAPPDATA") || `${home}/AppData/Local`;
  if (Deno.build.os === "darwin") return `${home}/Library/Application Support`;
  // The XDG specification requires relative values to be ignored.
  const xdg = env("XDG_DATA_HOME");
  return xdg?.startsWith("/") ? xdg : `${home}/.local/share`;
}

/** True for a file on this machine. */
export function isFilePath(location: string): boolean {
  return location !== ":memory:" && !/^https?:\/\//.test(location);
}

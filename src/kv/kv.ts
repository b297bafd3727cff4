/**
 * The only place that opens Deno KV: a file with its folder, `:memory:`, the URL of a remote one, or the one
 * that Deno Deploy attaches. It knows nothing of what is kept there.
 *
 * @module
 */

/** The KV cannot be opened or written: a failure of the world, told as one line that helps. */
export class KvUnavailable extends Error {
  override name = "KvUnavailable";

  /** What `cause` says of the store at `place`, and what to do. */
  static at(place: string, cause: unknown): KvUnavailable {
    const reason = cause instanceof Error ? cause.message : String(cause);
    const advice = place === ATTACHED
      ? "Assign a Deno KV database to the app, docs/deploy.md"
      : ADVICE.find(([pattern]) => pattern.test(reason))?.[1] ??
        "Give a path that this user may write with --kv, or --kv :memory:";
    return new KvUnavailable(`Cannot open the store at ${place}: ${reason}. ${advice}`, { cause });
  }
}

/** What to do, by what SQLite and the system say. */
const ADVICE: readonly (readonly [RegExp, string])[] = [
  [/disk is full|no space/i, "Make room there, or give another place with --kv, or --kv :memory:"],
  [
    /not a database|malformed|already exists/i,
    "It is damaged, or no store: put a copy of it in its place, or give another place with --kv, or --kv :memory:",
  ],
  [/locked/i, "Another program holds it: stop that one, or give another place with --kv, or --kv :memory:"],
];

/**
 * Opens the KV at `location`: a path, `:memory:`, an http(s) URL, or undefined for the attached one.
 *
 * A folder that is missing is made. One write proves that the place is writable, so that a read-only file
 * is found now and not at the first message.
 * Throws `KvUnavailable` with what was tried and what to do.
 */
export async function openKv(location: string | undefined): Promise<Deno.Kv> {
  let kv: Deno.Kv | undefined;
  try {
    if (location !== undefined && isFilePath(location)) await prepareFolder(location);
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

/** How the KV without a location is called. */
export const ATTACHED = "the attached KV";

/** What a store holds: the rows of which role, and in which form of that role's rows. */
export interface Layout {
  readonly role: "chat" | "listing";
  /** Counts up with each change that older programs cannot read. */
  readonly version: number;
}

const LAYOUT = ["layout"];
const UNMARKED =
  "it has data without a layout. Another program wrote it, or a chatter from before the first " +
  "release: give another store";

/**
 * Marks a store that was just opened with its layout, or finds out that it is another's.
 *
 * Throws `KvUnavailable` where it is the other role's, of another program, or was written by a newer chatter or one from
 * before the first release: reading it as if it were ours would lose data at the first write.
 */
export async function claimLayout(kv: Deno.Kv, location: string | undefined, mine: Layout): Promise<void> {
  try {
    // The rows first: another process that has just made the store marks it before it writes any.
    const hasRows = (await Array.fromAsync(kv.list({ prefix: [] }, { limit: 2 })))
      .some(({ key }) => key[0] !== OPENED[0]);
    const { value: found } = await kv.get<Layout>(LAYOUT);
    const problem = found !== null ? layoutProblem(found, mine) : hasRows ? UNMARKED : undefined;
    if (problem !== undefined) {
      throw new KvUnavailable(`Cannot use the store at ${location ?? ATTACHED}: ${problem} with --kv`);
    }
    if (found === null) await kv.set(LAYOUT, mine);
  } catch (error) {
    throw error instanceof KvUnavailable ? error : KvUnavailable.at(location ?? ATTACHED, error);
  }
}

function layoutProblem(found: Layout, mine: Layout): string | undefined {
  if (found.role !== mine.role) return `it is the store of a ${found.role}. Give each role its own`;
  if (found.version === mine.version) return undefined;
  const itsLayout = `it has layout ${found.version}, and this chatter knows ${mine.version}`;
  return found.version > mine.version
    ? `${itsLayout}. Run the newer chatter that wrote it, or give another store`
    : `${itsLayout}. A chatter from before the first release wrote it: give another store`;
}

/** Whose the store at `location` is; undefined where it does not say. Throws `KvUnavailable`. */
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
 * The default place of a role's file: the platform's data folder, as `$XDG_DATA_HOME/chatter/chat.db`.
 * Undefined on Deno Deploy, where the KV attached to the app is the one to use.
 */
export function defaultKvLocation(
  role: string,
  env: (name: string) => string | undefined,
): string | undefined {
  if (isDenoDeploy(env)) return undefined;
  return `${dataFolder(env)}/chatter/${role}.db`;
}

/** Whether the program runs on Deno Deploy, by its environment. */
export function isDenoDeploy(env: (name: string) => string | undefined): boolean {
  return Boolean(env("DENO_DEPLOY") || env("DENO_DEPLOYMENT_ID"));
}

function dataFolder(env: (name: string) => string | undefined): string {
  const home = env("HOME") || env("USERPROFILE") || ".";
  if (Deno.build.os === "windows") return env("LOCALAPPDATA") || `${home}/AppData/Local`;
  if (Deno.build.os === "darwin") return `${home}/Library/Application Support`;
  // The XDG specification wants a relative value to be ignored.
  const xdg = env("XDG_DATA_HOME");
  return xdg?.startsWith("/") ? xdg : `${home}/.local/share`;
}

/** Whether a location is a file of this machine. */
export function isFilePath(location: string): boolean {
  return location !== ":memory:" && !/^https?:\/\//.test(location);
}

/** Makes the folder of a file where it is missing. Throws `KvUnavailable`. */
export async function prepareFolder(path: string): Promise<void> {
  const end = Math.max(path.lastIndexOf("/"), path.lastIndexOf("\\"));
  if (end <= 0) return;
  try {
    await Deno.mkdir(path.slice(0, end), { recursive: true });
  } catch (error) {
    throw KvUnavailable.at(path, error);
  }
}

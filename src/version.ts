/**
 * The version from deno.json, which the binary contains too, and the commit: a built program has it embedded, a checkout
 * has it in git's log.
 *
 * @module
 */
import config from "../deno.json" with { type: "json" };

export const VERSION: string = config.version;

/** Key on `globalThis` under which `tools/commit.ts` puts the commit before the program starts. */
export const COMMIT: unique symbol = Symbol.for("chatter.commit");

/** Bytes that are read of git's log, which grows with each commit: several times its last line. */
const LOG_BYTES = 4096;

/** The line that `--version` prints, without a line break. */
export function versionLine(): string {
  const embedded = (globalThis as { [COMMIT]?: string })[COMMIT];
  const made = embedded === undefined ? `source${checkedOut()}` : `commit ${embedded}`;
  return `chatter ${VERSION} (${made}, deno ${Deno.version.deno}, ${Deno.build.target})`;
}

/** The commit that is checked out, if git made this folder. Local changes are not looked for. */
function checkedOut(): string {
  try {
    const line = lastBytes(new URL("../.git/logs/HEAD", import.meta.url)).trimEnd().split("\n").at(-1)!;
    const [, commit] = /^[0-9a-f]{40,64} ([0-9a-f]{12})/.exec(line) ?? [];
    return commit === undefined ? "" : ` of commit ${commit}`;
  } catch {
    return "";
  }
}

/** The end of a file, whatever its size; "" for a pipe or a device, which may have none. */
function lastBytes(file: URL): string {
  if (!Deno.statSync(file).isFile) return "";
  using log = Deno.openSync(file);
  log.seekSync(-Math.min(log.statSync().size, LOG_BYTES), Deno.SeekMode.End);
  const bytes = new Uint8Array(LOG_BYTES);
  return new TextDecoder().decode(bytes.subarray(0, log.readSync(bytes) ?? 0));
}

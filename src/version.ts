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

/** The line that `--version` prints, without a line break. */
export function versionLine(): string {
  const embedded = (globalThis as { [COMMIT]?: string })[COMMIT];
  const made = embedded === undefined ? `source${checkedOut()}` : `commit ${embedded}`;
  return `chatter ${VERSION} (${made}, deno ${Deno.version.deno}, ${Deno.build.target})`;
}

/** The commit that is checked out, if git made this folder. Local changes are not looked for. */
function checkedOut(): string {
  try {
    const log = Deno.readTextFileSync(new URL("../.git/logs/HEAD", import.meta.url));
    return ` of commit ${log.trimEnd().split("\n").at(-1)!.split(" ")[1]!.slice(0, 12)}`;
  } catch {
    return "";
  }
}

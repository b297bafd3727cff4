/**
 * The version from deno.json, which the binary contains too, and the commit, which the build tools embed. A checkout
 * has no commit here, because only git knows about local changes.
 *
 * @module
 */
import config from "../deno.json" with { type: "json" };

export const VERSION: string = config.version;

/** Key on `globalThis` under which `tools/commit.ts` puts the commit before the program starts. */
export const COMMIT: unique symbol = Symbol.for("chatter.commit");

/** The line that `--version` prints, without a line break. */
export function versionLine(): string {
  const commit = (globalThis as { [COMMIT]?: string })[COMMIT];
  const made = commit === undefined ? "source" : `commit ${commit}`;
  return `chatter ${VERSION} (${made}, deno ${Deno.version.deno}, ${Deno.build.target})`;
}

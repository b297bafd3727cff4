/**
 * The version, from the one place where it is written down: deno.json, which is in the binary too. And the commit,
 * which the build tools put into what they make; of a checkout it is not told, since only git would know its changes.
 *
 * @module
 */
import config from "../deno.json" with { type: "json" };

export const VERSION: string = config.version;

/** Where `tools/commit.ts` has the commit put: on `globalThis`, as the first thing that the program does. */
export const COMMIT: unique symbol = Symbol.for("chatter.commit");

/** What `--version` prints: the version, the commit, the Deno and the platform; one line without its break. */
export function versionLine(): string {
  const commit = (globalThis as { [COMMIT]?: string })[COMMIT];
  const made = commit === undefined ? "source" : `commit ${commit}`;
  return `chatter ${VERSION} (${made}, deno ${Deno.version.deno}, ${Deno.build.target})`;
}

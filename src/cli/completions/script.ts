/**
 * The scripts that have a shell complete the command lines of chatter. What can be typed is typed_lines.ts's.
 *
 * Pure, and loaded for `chatter completions` alone.
 *
 * @module
 */
import { bashScript } from "./bash.ts";
import { fishScript } from "./fish.ts";
import { zshScript } from "./zsh.ts";

const SCRIPTS = { bash: bashScript, zsh: zshScript, fish: fishScript };

/** The script that has `shell` complete the command lines of chatter; it ends in a line break. */
export function completionScript(shell: keyof typeof SCRIPTS): string {
  return SCRIPTS[shell]();
}

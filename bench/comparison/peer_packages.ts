/**
 * Installs the npm packages of the compared servers into the cache, as bench/peers/package-lock.json pins them.
 * Nothing goes into the tree.
 *
 * @module
 */
import { cacheFolder } from "./load_generator.ts";

const PINNED = `${import.meta.dirname}/../peers`;
const FILES = ["package.json", "package-lock.json"];

/** Installs the packages unless they are current, and returns their folder. Throws npm's output. */
export async function installPeerPackages(): Promise<string> {
  const folder = `${cacheFolder()}/peers`;
  const mark = `${folder}/installed.json`;
  const pinned = await Deno.readTextFile(`${PINNED}/package-lock.json`);
  if (await Deno.readTextFile(mark).catch(() => "") === pinned) return folder;
  await Deno.mkdir(folder, { recursive: true });
  for (const file of FILES) await Deno.copyFile(`${PINNED}/${file}`, `${folder}/${file}`);
  // No install scripts run, except the one that places Bun's executable.
  await run("npm", ["ci", "--ignore-scripts", "--no-audit", "--no-fund"], folder);
  await run("node", ["install.js"], `${folder}/node_modules/bun`);
  await Deno.writeTextFile(mark, pinned);
  return folder;
}

async function run(command: string, args: readonly string[], cwd: string): Promise<void> {
  const { success, stdout, stderr } = await new Deno.Command(command, { args: [...args], cwd, stdin: "null" })
    .output();
  if (success) return;
  const decoder = new TextDecoder();
  throw new Error(`${command} ${args.join(" ")}: ${decoder.decode(stdout)}${decoder.decode(stderr)}`);
}

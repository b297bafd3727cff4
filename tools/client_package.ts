/**
 * `deno task build:client`: makes the package `@chatter/client`, in dist/ the folder `client`, which JSR takes, and the
 * tarball, which npm takes. `deno pack` makes the JavaScript and the types; this tool gathers the files and completes
 * package.json.
 *
 * @module
 */
import { ROOT, runToEnd, say } from "./run_deno.ts";

const ENTRY = "src/client/mod.ts";
/** Files beside the code: where each is, and its name in the package. */
const DOCUMENTS = [
  ["docs/client.md", "README.md"],
  ["packages/client/CHANGELOG.md", "CHANGELOG.md"],
  ["LICENSE", "LICENSE"],
] as const;

export interface ClientPackage {
  /** The folder for `deno publish`. */
  readonly folder: string;
  /** The tarball for `npm publish`. */
  readonly tarball: string;
}

/** Makes the package in a folder. Throws with the output of the program that failed. */
export async function makeClientPackage(place: string): Promise<ClientPackage> {
  const manifest = JSON.parse(await Deno.readTextFile(`${ROOT}packages/client/package.json`));
  const { name, version, license } = manifest;
  const folder = `${place}/client`;
  const tarball = `${place}/${name.replace("@", "").replace("/", "-")}-${version}.tgz`;
  await Deno.remove(folder, { recursive: true }).catch(() => {/* There is none. */});
  await copyInto(folder, [...await modules(), ...DOCUMENTS]);
  await writeJson(`${folder}/deno.json`, { name, version, license, exports: `./${ENTRY}` });
  await run(
    folder,
    Deno.execPath(),
    "pack",
    "--quiet",
    "--allow-dirty",
    "--no-source-maps",
    "--output",
    tarball,
  );
  await completeManifest(tarball, manifest);
  return { folder, tarball };
}

/** The entry and all that it imports, each under its own name. */
async function modules(): Promise<[from: string, to: string][]> {
  const { modules } = JSON.parse(await run(ROOT, Deno.execPath(), "info", "--json", "--no-config", ENTRY));
  return modules.map(({ local }: { local: string }) => {
    const path = local.slice(ROOT.length);
    return [path, path];
  });
}

async function copyInto(
  folder: string,
  files: readonly (readonly [from: string, to: string])[],
): Promise<void> {
  for (const [from, to] of files) {
    const path = `${folder}/${to}`;
    await Deno.mkdir(path.slice(0, path.lastIndexOf("/")), { recursive: true });
    await Deno.copyFile(ROOT + from, path);
  }
}

/** `deno pack` writes only what runs: the description and the like are added. */
async function completeManifest(tarball: string, manifest: object): Promise<void> {
  const unpacked = await Deno.makeTempDir();
  try {
    await run(unpacked, "tar", "-xzf", tarball);
    const path = `${unpacked}/package/package.json`;
    await writeJson(path, { ...manifest, ...JSON.parse(await Deno.readTextFile(path)) });
    await run(unpacked, "tar", "-czf", tarball, "package");
  } finally {
    await Deno.remove(unpacked, { recursive: true });
  }
}

function writeJson(path: string, value: object): Promise<void> {
  return Deno.writeTextFile(path, JSON.stringify(value, undefined, 2) + "\n");
}

async function run(folder: string, command: string, ...args: string[]): Promise<string> {
  const { success, output } = await runToEnd(command, args, folder);
  if (!success) throw new Error(`${command} ${args.join(" ")}:\n${output}`);
  return output;
}

if (import.meta.main) {
  const { folder, tarball } = await makeClientPackage(`${ROOT}dist`);
  say(`Made ${tarball} for npm publish, and ${folder} for deno publish.`);
}

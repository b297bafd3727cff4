/**
 * `deno task test`: runs Deno with the arguments that are given to it, with two savings of CPU time. The program that
 * tests start is one bundle, made once. Where all tests run, those of some folders share a worker.
 *
 * @module
 */
import { embeddingStatement } from "../src/serving/web_assets.ts";
import { bundleTo } from "./compile.ts";
import { ROOT, say } from "./run_deno.ts";

/**
 * Folders of `tests/` whose files one worker runs, one after the other: it loads and compiles what they test once. The
 * other folders have tests that wait long, that start threads, or that measure the heap of their worker.
 */
const SHARED: readonly string[] = [
  "bench",
  "chat/admin",
  "chat/announce",
  "chat/cluster",
  "chat/delivery",
  "chat/order",
  "chat/room",
  "chat/web",
  "client",
  "listing/http",
  "listing/list",
  "listing/pages",
  "listing/store",
  "terminal",
  "text",
  "tools",
];
const IGNORE = "--ignore=";

const folder = await Deno.makeTempDir({ prefix: "chatter_tests_" });

/** Bundles the program; undefined if that fails. */
async function bundled(): Promise<string | undefined> {
  const { success, output } = await bundleTo(folder);
  if (!success) {
    say(`${output.trimEnd()}\nThe tests start main.ts instead of a bundle, which is slower.`);
    return undefined;
  }
  const main = `${folder}/main.js`;
  await Deno.writeTextFile(main, await embeddingStatement() + await Deno.readTextFile(main));
  return main;
}

/** The test files of a folder and its subfolders, as paths from the project's root. */
async function testsIn(place: string): Promise<string[]> {
  const found: string[] = [];
  for await (const { name, isDirectory } of Deno.readDir(ROOT + place)) {
    if (isDirectory) found.push(...await testsIn(`${place}${name}/`));
    else if (name.endsWith("_test.ts")) found.push(place + name);
  }
  return found.sort();
}

/** The arguments and all tests that they do not ignore, unless they name some. */
async function withTests(args: readonly string[]): Promise<string[]> {
  if (args.some((arg) => /^(?:[./]|tests\b)/.test(arg))) return [...args];
  const ignored = args.find((arg) => arg.startsWith(IGNORE))?.slice(IGNORE.length).split(",") ?? [];
  const tests = (await testsIn("tests/")).filter((path) => !ignored.some((start) => path.startsWith(start)));
  const folderOf = (path: string) => path.slice("tests/".length, path.lastIndexOf("/"));
  const entries = await Promise.all(SHARED.map(async (shared) => {
    const entry = `${folder}/${shared.replaceAll("/", "_")}_test.ts`;
    const imported = tests.filter((path) => folderOf(path) === shared);
    await Deno.writeTextFile(entry, imported.map((path) => `import "file://${ROOT}${path}";\n`).join(""));
    return entry;
  }));
  return [...args, ...entries, ...tests.filter((path) => !SHARED.includes(folderOf(path)))];
}

async function run(): Promise<number> {
  try {
    const main = await bundled();
    const tests = new Deno.Command(Deno.execPath(), {
      args: await withTests(Deno.args),
      env: main === undefined ? {} : { CHATTER_BUNDLE: main },
    }).spawn();
    // A terminal sends SIGINT to both, and this one has a folder to remove.
    Deno.addSignalListener("SIGINT", () => {});
    Deno.addSignalListener("SIGTERM", () => tests.kill("SIGTERM"));
    return (await tests.status).code;
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
}

Deno.exit(await run());

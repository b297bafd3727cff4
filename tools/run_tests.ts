/**
 * `deno task test`: runs Deno with the arguments that are given to it, with two savings of CPU time. The program that
 * tests start is one bundle, made once. Where all tests run, many share a worker.
 *
 * @module
 */
import { pathToFileURL } from "node:url";
import { embeddingStatement } from "../src/serving/web_assets.ts";
import { bundleTo } from "./compile.ts";
import { ROOT, say } from "./run_deno.ts";

/**
 * Groups of folders of `tests/`, each with one worker for its files, one after the other: it loads and compiles what they
 * test once. A folder of several groups is dealt out to them. The first ones take longest. The files of other folders,
 * which measure times or load the machine, have a worker each and start before all.
 */
const SHARED: readonly (readonly string[])[] = [
  ["programs"],
  ["programs"],
  ["e2e"],
  ["e2e"],
  ["e2e"],
  ["chat"],
  ["chat/sockets", "protocol"],
  ["listing", "listing/probe", "listing/http"],
  ["listing/list", "listing/pages", "listing/registry", "listing/store"],
  ["chat/cluster", "chat/admin", "chat/announce", "chat/delivery", "chat/order"],
  ["chat/resume", "chat/room", "chat/store", "chat/threads", "chat/web"],
  ["client", "terminal"],
  ["quick", "bench", "text", "tools"],
];
/** What a file of `tests/` itself holds that waits for a process. */
const STARTS = /\bDeno\.Command\b|\/support\/(?:program|service_process)\.ts"/;
/** What it holds that measures times. */
const MEASURES = /\/support\/growth\.ts"/;
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

/** The folder of a test below `tests/`; of those in `tests/` itself, "programs", "growth" or "quick". */
async function folderOf(path: string): Promise<string> {
  const folder = path.split("/").slice(1, -1).join("/");
  if (folder !== "") return folder;
  const text = await Deno.readTextFile(ROOT + path);
  return MEASURES.test(text) ? "growth" : STARTS.test(text) ? "programs" : "quick";
}

/** The arguments and all tests that they do not ignore, unless they name some. */
async function withTests(args: readonly string[]): Promise<string[]> {
  if (args.some((arg) => /^(?:[./]|tests\b)/.test(arg))) return [...args];
  const ignored = args.find((arg) => arg.startsWith(IGNORE))?.slice(IGNORE.length).split(",") ?? [];
  const tests = (await testsIn("tests/")).filter((path) => !ignored.some((start) => path.startsWith(start)));
  const groups = SHARED.map((folders) => ({ folders, paths: [] as string[] }));
  const alone: string[] = [];
  for (const path of tests) {
    const place = await folderOf(path);
    const fitting = groups.filter(({ folders }) => folders.includes(place));
    const [shortest] = fitting.toSorted((a, b) => a.paths.length - b.paths.length);
    (shortest?.paths ?? alone).push(path);
  }
  const entries = await Promise.all(groups.map(async ({ paths }, i) => {
    const entry = `${folder}/group_${i}_test.ts`;
    await Deno.writeTextFile(
      entry,
      paths.map((path) => `import "${pathToFileURL(ROOT + path)}";\n`).join(""),
    );
    return entry;
  }));
  // In this order they start: none of the long ones shall run on when all others have ended.
  return [...args, ...alone, ...entries];
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

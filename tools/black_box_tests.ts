/**
 * Prints the tests that start the program from outside; `.ci/run` runs them on the binary too. They are found by what
 * they import, directly or not: tests/support/program.ts. Only the exceptions are listed, each with its reason.
 *
 * @module
 */
import { ROOT, say } from "./run_deno.ts";

/** Starts the program, or the binary that CHATTER_BINARY names. */
const STARTER = "tests/support/program.ts";

/** Tests that start the program but cannot run on the binary, with the reason. */
export const FROM_SOURCE_ALONE: Readonly<Record<string, string>> = {
  "tests/deploy_test.ts": "Deno Deploy runs main.ts, with its own Deno and permissions",
  "tests/packaging/docker_test.ts": "it lists the modules of main.ts, and starts none",
  "tests/permissions_test.ts": "it takes permissions away, and those of a binary are compiled in",
  "tests/e2e/descriptors_test.ts":
    "a Deno before 2.9 reports a port without descriptors later, and has no ws: SECURITY.md",
  "tests/regular_expressions_test.ts": "its child is an analyser, not the program",
  "tests/start_task_test.ts": "the task is what it tests",
  "tests/cluster/partition_test.ts": "it wants a machine without other tests, and these run two at a time",
};

const isTest = (path: string) => path.endsWith("_test.ts");

/** The test files below `tests/` that run on the binary, as paths from the project's root. */
export async function blackBoxTests(): Promise<string[]> {
  const files = new Map<string, readonly string[]>();
  for (const path of await scriptsUnder("tests/")) files.set(path, importsOf(path, await readText(path)));
  const startsIt = (path: string, seen: Set<string>): boolean =>
    path === STARTER ||
    (!seen.has(path) && (files.get(path) ?? []).some((imported) => startsIt(imported, seen.add(path))));
  return [...files.keys()].filter((path) =>
    isTest(path) && !Object.hasOwn(FROM_SOURCE_ALONE, path) && startsIt(path, new Set())
  ).toSorted();
}

async function scriptsUnder(folder: string): Promise<string[]> {
  const paths: string[] = [];
  for await (const { name, isDirectory } of Deno.readDir(ROOT + folder)) {
    if (isDirectory) paths.push(...await scriptsUnder(`${folder}${name}/`));
    else if (name.endsWith(".ts")) paths.push(folder + name);
  }
  return paths;
}

/** The project's own files that a file imports, as paths from its root. */
function importsOf(path: string, text: string): string[] {
  return [...text.matchAll(/(?:\bfrom|\bimport\(?)\s*"(\.[^"]+)"/g)].map(([, specifier = ""]) =>
    new URL(specifier, `file:///${path}`).pathname.slice(1)
  );
}

function readText(path: string): Promise<string> {
  return Deno.readTextFile(ROOT + path);
}

if (import.meta.main) say((await blackBoxTests()).join("\n"));

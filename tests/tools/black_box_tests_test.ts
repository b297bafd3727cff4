/**
 * That the binary is tested by every test that starts the program, and that those which do not say why.
 *
 * @module
 */
import { assert, assertEquals, assertStringIncludes } from "@std/assert";
import { blackBoxTests, FROM_SOURCE_ALONE } from "../../tools/black_box_tests.ts";
import { ROOT } from "../../tools/run_deno.ts";

const onBinary = await blackBoxTests();

async function testsUnder(folder: string): Promise<string[]> {
  const paths: string[] = [];
  for await (const { name, isDirectory } of Deno.readDir(ROOT + folder)) {
    if (isDirectory) paths.push(...await testsUnder(`${folder}/${name}`));
    else if (name.endsWith("_test.ts")) paths.push(`${folder}/${name}`);
  }
  return paths;
}

Deno.test("every test in tests/e2e and those of the program run on the binary, tests in process do not", async () => {
  const wanted = [...await testsUnder("tests/e2e"), "tests/program_test.ts", "tests/terminal/servers_test.ts"]
    .filter((path) => !Object.hasOwn(FROM_SOURCE_ALONE, path));
  assert(wanted.length > 10);
  assertEquals(wanted.filter((path) => !onBinary.includes(path)), []);
  assert(!onBinary.includes("tests/chat/room/room_test.ts"));
});

Deno.test("every test that starts the program by a Deno of its own runs on the binary, or says why not", async () => {
  const starting: string[] = [];
  for (const path of await testsUnder("tests")) {
    const text = await Deno.readTextFile(ROOT + path);
    if (text.includes("Deno.execPath()") && /\bmain\.ts\b|"task"|config\.deploy/.test(text)) {
      starting.push(path);
    }
  }
  // Those of the tools start no Chatter.
  const others = /^tests\/tools\//;
  assert(starting.includes("tests/start_task_test.ts"));
  assertEquals(
    starting.filter((path) =>
      !onBinary.includes(path) && !others.test(path) && !Object.hasOwn(FROM_SOURCE_ALONE, path)
    ),
    [],
  );
});

Deno.test("what cannot run on the binary is there, and has a reason", async () => {
  for (const [path, why] of Object.entries(FROM_SOURCE_ALONE)) {
    assert((await Deno.stat(ROOT + path)).isFile && why.length > 10, path);
  }
});

Deno.test("CI runs on the binary what this tool lists", async () => {
  const ci = await Deno.readTextFile(ROOT + ".ci/run");
  assertStringIncludes(ci, "tools/black_box_tests.ts");
});

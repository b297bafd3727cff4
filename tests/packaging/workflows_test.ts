/**
 * The workflows of GitHub, by the parser that GitHub's own language services use: their form, and that they hold on
 * to what the project says elsewhere. Whether they run is seen on GitHub alone.
 *
 * @module
 */
import { assert, assertEquals, assertMatch, assertStringIncludes } from "@std/assert";

const ROOT = new URL("../../", import.meta.url);
const FOLDER = ".github/workflows/";
const WORKFLOWS = await Promise.all(
  (await Array.fromAsync(Deno.readDir(new URL(FOLDER, ROOT)))).map(async ({ name }) => ({
    name,
    text: await Deno.readTextFile(new URL(FOLDER + name, ROOT)),
  })),
);

/** Everything that GitHub's parser finds wrong with each of these. */
async function problemsOf(workflows: readonly { name: string; text: string }[]): Promise<string[][]> {
  const folder = await Deno.makeTempDir();
  try {
    const program = `${folder}/workflow_problems.js`;
    const bundling = ["bundle", "--quiet", "--platform=deno", `--output=${program}`];
    await finish(new Deno.Command(Deno.execPath(), {
      args: [...bundling, new URL("workflow_problems.ts", import.meta.url).pathname],
      stdout: "piped",
      stderr: "piped",
    }).spawn());
    const child = new Deno.Command(Deno.execPath(), {
      args: ["run", "--no-config", "--no-prompt", "--allow-env", program],
      stdin: "piped",
      stdout: "piped",
      stderr: "piped",
    }).spawn();
    const input = child.stdin.getWriter();
    await input.write(new TextEncoder().encode(JSON.stringify(workflows)));
    await input.close();
    return JSON.parse(await finish(child));
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
}

/** What a program writes; throws with its problem where it has one. */
async function finish(child: Deno.ChildProcess): Promise<string> {
  const { success, stdout, stderr } = await child.output();
  if (!success) throw new Error(new TextDecoder().decode(stderr));
  return new TextDecoder().decode(stdout);
}

Deno.test("GitHub's parser finds nothing wrong with the workflows", async () => {
  const names = WORKFLOWS.map(({ name }) => name).toSorted();
  assertEquals(names, ["ci.yml", "release.yml"]);
  assertEquals(await problemsOf(WORKFLOWS), WORKFLOWS.map(() => []));
});

for (const { name, text } of WORKFLOWS) {
  Deno.test(`${name} may only read unless a job says otherwise, and pins every action to a commit`, () => {
    assertMatch(text, /^permissions:\n {2}contents: read\n$/m);
    const actions = [...text.matchAll(/\buses: (\S+)(.*)$/gm)];
    assert(actions.length > 0);
    for (const [, action = "", comment = ""] of actions) {
      if (action.startsWith("./")) continue;
      assertMatch(action, /^[\w-]+\/[\w-]+@[0-9a-f]{40}$/);
      assertMatch(comment, /^ # v[0-9]+\.[0-9]+\.[0-9]+$/);
    }
  });
}

Deno.test("GitHub's parser finds what is wrong with a workflow", async () => {
  const right = WORKFLOWS.find(({ name }) => name === "release.yml")!.text;
  assert(right.includes("needs: build"));
  const wrong: [string, string][] = [
    [right.replace("runs-on:", "run-on:"), "run-on"],
    [right.replace("contents: write", "contents: everything"), "everything"],
    [right.replace("${{ github.token }}", "${{ github.token"), "expression"],
    [right.replace("needs: build", "needs: nobody"), "nobody"],
  ];
  const found = await problemsOf(wrong.map(([text]) => ({ name: "release.yml", text })));
  for (const [i, [, says]] of wrong.entries()) assertStringIncludes(found[i]!.join("\n"), says);
});

Deno.test("the workflows run by the Deno of .ci/run, and the release by the tasks that there are", async () => {
  const ci = await Deno.readTextFile(new URL(".ci/run", ROOT));
  const [, version] = /^version=(.+)$/m.exec(ci) ?? [];
  const { tasks } = JSON.parse(await Deno.readTextFile(new URL("deno.json", ROOT)));
  for (const { name, text } of WORKFLOWS) {
    const versions = [...text.matchAll(/deno-version: v(\S+)/g)].map(([, version]) => version);
    assertEquals(new Set(versions), new Set([version]), name);
    const named = [...text.matchAll(/deno task (?:--quiet )?(\S+)/g)].map(([, task = ""]) => task);
    assertEquals(named.filter((task) => !Object.hasOwn(tasks, task)), [], name);
  }
  const release = WORKFLOWS.find(({ name }) => name === "release.yml")!.text;
  for (const part of ["uses: ./.github/workflows/ci.yml", "compile:all", "sha256sum --check"]) {
    assertStringIncludes(release, part);
  }
  assertStringIncludes(WORKFLOWS.find(({ name }) => name === "ci.yml")!.text, "bash .ci/run");
});

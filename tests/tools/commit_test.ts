/**
 * The commit that a build tells of itself, by real checkouts: clean, changed, and none at all.
 *
 * @module
 */
import { assertEquals, assertMatch } from "@std/assert";
import { commitOf } from "../../tools/commit.ts";
import { runToEnd } from "../../tools/run_deno.ts";

/** A folder with one file, and whatever `made` does to it before its commit is asked for. */
async function commitIn(made: (folder: string) => Promise<void>): Promise<string> {
  const folder = await Deno.makeTempDir() + "/";
  try {
    await Deno.writeTextFile(folder + "main.ts", "");
    await made(folder);
    return await commitOf(folder);
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
}

async function git(folder: string, ...args: string[]): Promise<string> {
  const who = ["-c", "user.name=Test", "-c", "user.email=test@test.invalid", "-c", "commit.gpgsign=false"];
  const { success, output } = await runToEnd("git", ["-C", folder, ...who, ...args]);
  assertEquals(success, true, output);
  return output.trim();
}

async function commitAll(folder: string): Promise<void> {
  await git(folder, "init", "--quiet");
  await git(folder, "add", "main.ts");
  await git(folder, "commit", "--quiet", "--message=first");
}

Deno.test("a clean checkout is its commit, tags and files that git does not know or not", async () => {
  let head = "";
  const commit = await commitIn(async (folder) => {
    await commitAll(folder);
    await git(folder, "tag", "--annotate", "v9.9.9", "--message=tagged");
    await Deno.writeTextFile(folder + "untracked.ts", "");
    head = await git(folder, "rev-parse", "HEAD");
  });
  assertMatch(commit, /^[0-9a-f]{12}$/);
  assertEquals(commit, head.slice(0, 12));
});

Deno.test("a checkout with a changed file is dirty", async () => {
  const commit = await commitIn(async (folder) => {
    await commitAll(folder);
    await Deno.writeTextFile(folder + "main.ts", "changed");
  });
  assertMatch(commit, /^[0-9a-f]{12}-dirty$/);
});

Deno.test("what is no checkout, is inside of another one, or has no commit yet, is unknown", async () => {
  assertEquals(await commitIn(async () => {}), "unknown");
  assertEquals(await commitIn(async (folder) => void await git(folder, "init", "--quiet")), "unknown");
  await commitIn(async (folder) => {
    await commitAll(folder);
    await Deno.mkdir(folder + "unpacked");
    assertEquals(await commitOf(folder + "unpacked/"), "unknown");
  });
});

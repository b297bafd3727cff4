/**
 * No regular expression of the program takes more than linear time: each is read from the syntax of the source and
 * judged by recheck, which proves it or finds an attack. growth_test.ts holds the functions that use them, and what
 * libraries do with a peer's text.
 *
 * @module
 */
import { assertEquals, assertThrows } from "@std/assert";
import { type FoundPattern, patternsOf } from "./support/regular_expressions.ts";
import type { SourceFile } from "./support/source_rules.ts";

/**
 * The analyser, by the ReDoS project of Waseda University's laboratories. Not in deno.json: with it come 58 MB of other
 * builds, which a first start would load. Its JavaScript build is used.
 */
const RECHECK = "npm:recheck@4.5.0/lib/browser.js";
/** Milliseconds for one pattern. All of them take 8 s of CPU, alone on a machine. */
const TIMEOUT_MS = 300_000;

/** Patterns that are not judged, each with the reason. */
const ALLOWED: Readonly<Record<string, string>> = {
  "src/serving/web_assets.ts": "it reads files of the program only",
};

const ROOT = new URL("../", import.meta.url);

async function sourcesIn(folder: string): Promise<SourceFile[]> {
  const files: SourceFile[] = [];
  for await (const { name, isDirectory } of Deno.readDir(new URL(folder, ROOT))) {
    const path = folder + name;
    if (isDirectory) files.push(...await sourcesIn(`${path}/`));
    else if (/(?<!\.d)\.[jt]s$/.test(name)) files.push(await sourceAt(path));
  }
  return files;
}

async function sourceAt(path: string): Promise<SourceFile> {
  return { path, text: await Deno.readTextFile(new URL(path, ROOT)) };
}

/** True if the pattern can match a text of any length: any other takes at most a fixed time at each place of a text. */
function isUnbounded({ source }: FoundPattern): boolean {
  const withoutClasses = source.replace(/\\./gs, "_").replace(/\[[^\]]*\]/g, "_");
  return /[*+]|\{[0-9]+,\}/.test(withoutClasses);
}

/** Judges patterns in a process of its own, without permissions: what is wrong with each, in their order. */
async function judge(patterns: readonly FoundPattern[]): Promise<(string | undefined)[]> {
  const program = `
    import recheck from ${JSON.stringify(RECHECK)};
    console.log(JSON.stringify(${JSON.stringify(patterns)}.map(({ source, flags }) => {
      const { status, complexity, attack, error } = recheck.checkSync(source, flags, { timeout: ${TIMEOUT_MS} });
      return status === "safe" ? null : [status, complexity?.summary ?? error?.kind, attack?.pattern].join(" ");
    })));`;
  const child = new Deno.Command(Deno.execPath(), {
    args: ["run", "--quiet", "--no-prompt", "--no-config", "--no-lock", "-"],
    stdin: "piped",
    stdout: "piped",
    stderr: "piped",
  }).spawn();
  const writer = child.stdin.getWriter();
  await writer.write(new TextEncoder().encode(program));
  await writer.close();
  const { success, stdout, stderr } = await child.output();
  if (!success) throw new Error(new TextDecoder().decode(stderr));
  return JSON.parse(new TextDecoder().decode(stdout)).map((problem: string | null) => problem ?? undefined);
}

Deno.test("no regular expression of the program takes more than linear time", async () => {
  const files = [
    await sourceAt("main.ts"),
    ...(await Promise.all(["src/", "chat/", "listing/", "terminal/"].map(sourcesIn))).flat(),
  ];
  const found = patternsOf(files);
  const pathOf = ({ place }: FoundPattern) => place.slice(0, place.lastIndexOf(":"));
  const judged = found.filter((pattern) => isUnbounded(pattern) && !(pathOf(pattern) in ALLOWED));
  const problems = await judge(judged);
  const shown = judged.flatMap(({ place, source, flags }, i) =>
    problems[i] === undefined ? [] : [`${place} /${source}/${flags}: ${problems[i]}`]
  );
  assertEquals(shown, []);
  const paths = found.map(pathOf);
  assertEquals(Object.keys(ALLOWED).filter((path) => !paths.includes(path)), [], "allowed, and not there");
});

Deno.test("the analyser finds literals and patterns of constants, and what is slow in them", async () => {
  const text = [
    "export const MAX = 4;",
    "const PART = String.raw`\\s*`;",
    'const slow = [/[.,]+$/u, new RegExp(`${PART},${PART}`, "g"), /^(?:a|aa)+$/];',
    'const quick = [/^\\S+(?: \\S+)*$/, RegExp("^a{1," + MAX + "}$")];',
  ].join("\n");
  const found = patternsOf([{ path: "src/a.ts", text }]);
  assertEquals(found.map(({ place, source, flags }) => `${place} /${source}/${flags}`), [
    "src/a.ts:3 /[.,]+$/u",
    "src/a.ts:3 /^(?:a|aa)+$/",
    "src/a.ts:4 /^\\S+(?: \\S+)*$/",
    "src/a.ts:3 /\\s*,\\s*/g",
    "src/a.ts:4 /^a{1,4}$/",
  ]);
  const kinds = (await judge(found)).map((problem) => problem?.split(" ").slice(0, 2).join(" "));
  assertEquals(kinds, ["vulnerable 2nd", "vulnerable exponential", undefined, "vulnerable 2nd", undefined]);
  const dynamic = { path: "src/b.ts", text: "export const f = (word: string) => new RegExp(word);" };
  assertThrows(() => patternsOf([dynamic]), Error, "not made from constants");
});

/**
 * No regular expression of the program takes more than linear time: each is read from the syntax of the source and
 * judged by recheck, which proves it or finds an attack. growth_test.ts holds the functions that use them, and what
 * libraries do with a peer's text.
 *
 * @module
 */
import { assertEquals, assertThrows } from "@std/assert";
import { type FoundPattern, patternsOf } from "./support/regular_expressions.ts";
import { IS_LONG_RUN } from "./support/property_runs.ts";
import type { SourceFile } from "./support/source_rules.ts";

/**
 * The analyser, by the ReDoS project of Waseda University's laboratories. Not in deno.json: with it come 58 MB of other
 * builds, which a first start would load. Its JavaScript build is used.
 */
const RECHECK = "npm:recheck@4.5.0/lib/browser.js";
/**
 * Milliseconds for one pattern; all of them take 3 s of CPU, alone on a machine. No other time decides: by default an
 * attack has succeeded if it takes a second, as on a busy machine one that is linear does.
 */
const OPTIONS = { timeout: 300_000, attackTimeout: null, incubationTimeout: null, seedingTimeout: null };

/** Patterns that are not judged, each with the reason. */
const ALLOWED: Readonly<Record<string, string>> = {
  "src/serving/web_assets.ts": "it reads files of the program only",
};

/**
 * Sets of Unicode with a few members each: one that is in no range of a pattern of ours behaves like all others, and the
 * analyser takes long for hundreds of ranges. `deno task test:more` judges the sets themselves.
 */
const MEMBERS: Readonly<Record<string, string>> = {
  [String.raw`\p{L}`]: "A-Za-zÉé",
  [String.raw`\p{M}`]: "\u0300",
  [String.raw`\p{N}`]: "0-9²",
  [String.raw`\p{Pd}`]: String.raw`\-–`,
  [String.raw`\p{Pc}`]: "_‿",
};

const ROOT = new URL("../", import.meta.url);
/** Patterns of both kinds, for the test of the analyser. */
const EXAMPLES: SourceFile = {
  path: "src/a.ts",
  text: [
    "export const MAX = 4;",
    "const PART = String.raw`\\s*`;",
    'const slow = [/[.,]+$/u, new RegExp(`${PART},${PART}`, "g"), /^(?:a|aa)+$/];',
    "const letters = /^(?:[\\p{L}]|é)+$/u;",
    'const quick = [/^\\S+(?: \\S+)*$/, RegExp("^a{1," + MAX + "}$")];',
  ].join("\n"),
};

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

/** The patterns of the program, in all its files. */
async function programPatterns(): Promise<FoundPattern[]> {
  const folders = await Promise.all(["src/", "chat/", "listing/", "terminal/"].map(sourcesIn));
  return patternsOf([await sourceAt("main.ts"), ...folders.flat()]);
}

function pathOf({ place }: FoundPattern): string {
  return place.slice(0, place.lastIndexOf(":"));
}

function isJudged(pattern: FoundPattern): boolean {
  return isUnbounded(pattern) && !(pathOf(pattern) in ALLOWED);
}

/** As text; patterns that differ in their place only are the same. */
function shown({ source, flags }: FoundPattern): string {
  return `/${source}/${flags}`;
}

function withFewMembers({ source, flags }: FoundPattern): string {
  if (IS_LONG_RUN || !/[uv]/.test(flags)) return source;
  const inClass = (part: string) => part.replace(/\\p\{\w+\}/g, (set) => MEMBERS[set] ?? set);
  return source.replace(/\[(?:\\.|[^\]\\])*\]/gs, inClass);
}

interface Judged {
  readonly program: readonly FoundPattern[];
  readonly examples: readonly FoundPattern[];
  readonly problems: ReadonlyMap<string, string | null>;
}
let judged: Promise<Judged> | undefined;

/** The patterns of the program and the examples, judged once for both tests: the analyser starts slowly. */
function judgement(): Promise<Judged> {
  return judged ??= (async () => {
    const [program, examples] = [await programPatterns(), patternsOf([EXAMPLES])];
    return { program, examples, problems: await judge([...program.filter(isJudged), ...examples]) };
  })();
}

/** Judges patterns in a process of its own, without permissions: what is wrong with each, by its text. */
async function judge(patterns: readonly FoundPattern[]): Promise<ReadonlyMap<string, string | null>> {
  const sources = new Map(patterns.map((found) => [shown(found), [withFewMembers(found), found.flags]]));
  const options = JSON.stringify(OPTIONS);
  const program = `
    import recheck from ${JSON.stringify(RECHECK)};
    console.log(JSON.stringify(${JSON.stringify([...sources])}.map(([shown, [source, flags]]) => {
      const { status, complexity, attack, error } = recheck.checkSync(source, flags, ${options});
      const problem = [status, complexity?.summary ?? error?.kind, attack?.pattern].join(" ");
      return [shown, status === "safe" ? null : problem];
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
  return new Map(JSON.parse(new TextDecoder().decode(stdout)));
}

Deno.test("no regular expression of the program takes more than linear time", async () => {
  const { program, problems } = await judgement();
  const slow = program.filter(isJudged).filter((pattern) => problems.get(shown(pattern)) !== null);
  assertEquals(
    slow.map((pattern) => `${pattern.place} ${shown(pattern)}: ${problems.get(shown(pattern))}`),
    [],
  );
  const paths = program.map(pathOf);
  assertEquals(Object.keys(ALLOWED).filter((path) => !paths.includes(path)), [], "allowed, and not there");
});

Deno.test("the analyser finds literals and patterns of constants, and what is slow in them", async () => {
  const { examples, problems } = await judgement();
  assertEquals(examples.map((pattern) => `${pattern.place} ${shown(pattern)}`), [
    "src/a.ts:3 /[.,]+$/u",
    "src/a.ts:3 /^(?:a|aa)+$/",
    "src/a.ts:4 /^(?:[\\p{L}]|é)+$/u",
    "src/a.ts:5 /^\\S+(?: \\S+)*$/",
    "src/a.ts:3 /\\s*,\\s*/g",
    "src/a.ts:5 /^a{1,4}$/",
  ]);
  const kinds = examples.map((pattern) => problems.get(shown(pattern))?.split(" ").slice(0, 2).join(" "));
  const [square, exponential] = ["vulnerable 2nd", "vulnerable exponential"];
  assertEquals(kinds, [square, exponential, exponential, undefined, square, undefined]);
  const dynamic = { path: "src/b.ts", text: "export const f = (word: string) => new RegExp(word);" };
  assertThrows(() => patternsOf([dynamic]), Error, "not made from constants");
});

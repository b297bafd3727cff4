/**
 * The load generator of bench/load/, compiled where it is needed, and run. It is C because nothing else here is
 * sure to be faster than what it measures; without a compiler there is no comparison.
 *
 * @module
 */

/** Where what is made and installed lies, outside of the tree. */
export function cacheFolder(): string {
  const home = Deno.env.get("XDG_CACHE_HOME") ?? `${Deno.env.get("HOME") ?? "/tmp"}/.cache`;
  return `${home}/chatter-bench`;
}

const SOURCES = `${import.meta.dirname}/../load`;

/** The compiler's name, or undefined where none is installed. */
export async function findCompiler(): Promise<string | undefined> {
  for (const name of ["cc", "gcc", "clang"]) {
    const found = await new Deno.Command(name, { args: ["--version"], stdout: "null", stderr: "null" })
      .output()
      .catch(() => undefined);
    if (found?.success) return name;
  }
  return undefined;
}

/** Compiles the generator into `folder` and returns its path. Throws with what the compiler said. */
export async function buildLoadGenerator(compiler: string, folder: string): Promise<string> {
  await Deno.mkdir(folder, { recursive: true });
  const program = `${folder}/load`;
  const files: string[] = [];
  for await (const { name } of Deno.readDir(SOURCES)) {
    if (name.endsWith(".c")) files.push(`${SOURCES}/${name}`);
  }
  const { success, stderr } = await new Deno.Command(compiler, {
    args: ["-std=gnu11", "-O2", "-Wall", "-Wextra", "-o", program, ...files],
    stdout: "null",
  }).output();
  if (!success) throw new Error(`${compiler}: ${new TextDecoder().decode(stderr)}`);
  return program;
}

/** What one run of it found. */
export interface Measured {
  readonly figures: Readonly<Record<string, number>>;
  readonly problem: string | undefined;
}

/** Runs it to its end. What it could not measure is a problem too; `wrapper` is put in front, as taskset. */
export async function runLoadGenerator(
  program: string,
  args: readonly string[],
  wrapper: readonly string[] = [],
): Promise<Measured> {
  const [command = program, ...rest] = [...wrapper, program, ...args];
  const { stdout, stderr } = await new Deno.Command(command, { args: rest, stdin: "null" }).output();
  const text = new TextDecoder().decode(stdout).trim();
  if (text === "") {
    return { figures: {}, problem: new TextDecoder().decode(stderr).trim() || "it ended without a word" };
  }
  return readMeasured(text);
}

/** One line of the generator's JSON: numbers are figures, and `problem` says what was wrong. */
export function readMeasured(line: string): Measured {
  const { problem, ...rest }: Record<string, unknown> = JSON.parse(line);
  const figures = Object.fromEntries(
    Object.entries(rest).filter((entry): entry is [string, number] => typeof entry[1] === "number"),
  );
  return { figures, problem: typeof problem === "string" ? problem : undefined };
}

/**
 * Compiles and runs the load generator of bench/load/. It is written in C to be faster than every server it measures;
 * without a compiler there is no comparison.
 *
 * @module
 */

/** The folder outside the tree for compiled and installed files. */
export function cacheFolder(): string {
  const home = Deno.env.get("XDG_CACHE_HOME") ?? `${Deno.env.get("HOME") ?? "/tmp"}/.cache`;
  return `${home}/chatter-bench`;
}

const SOURCES = `${import.meta.dirname}/../load`;

/** The C compiler's name; undefined if there is none. */
export async function findCompiler(): Promise<string | undefined> {
  for (const name of ["cc", "gcc", "clang"]) {
    const found = await new Deno.Command(name, { args: ["--version"], stdout: "null", stderr: "null" })
      .output()
      .catch(() => undefined);
    if (found?.success) return name;
  }
  return undefined;
}

/** Compiles the generator into `folder` and returns its path. Throws the compiler's output. */
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

/** The result of one run. */
export interface Measured {
  readonly figures: Readonly<Record<string, number>>;
  readonly problem: string | undefined;
}

/** Runs it to its end. A failure to measure is also a `problem`. `wrapper` precedes the command, for example taskset. */
export async function runLoadGenerator(
  program: string,
  args: readonly string[],
  wrapper: readonly string[] = [],
): Promise<Measured> {
  const [command = program, ...rest] = [...wrapper, program, ...args];
  const { stdout, stderr } = await new Deno.Command(command, { args: rest, stdin: "null" }).output();
  const text = new TextDecoder().decode(stdout).trim();
  if (text === "") {
    return { figures: {}, problem: new TextDecoder().decode(stderr).trim() || "it ended without output" };
  }
  return readMeasured(text);
}

/** Reads one JSON line of the generator: the numbers, and `problem` if there was one. */
export function readMeasured(line: string): Measured {
  const { problem, ...rest }: Record<string, unknown> = JSON.parse(line);
  const figures = Object.fromEntries(
    Object.entries(rest).filter((entry): entry is [string, number] => typeof entry[1] === "number"),
  );
  return { figures, problem: typeof problem === "string" ? problem : undefined };
}

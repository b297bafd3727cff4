/**
 * `deno task build`: makes the program as one file, `./chatter`. It uses `deno compile` if that works. Otherwise it
 * bundles the program as JavaScript below a header that is both shell and JavaScript. The header runs it with the
 * `deno` on the PATH, the Deno that built it, or npx.
 *
 * @module
 */
import { embeddingStatement } from "../src/serving/web_assets.ts";
import { commitStatement } from "./commit.ts";
import { ABSENT, compile } from "./compile.ts";
import {
  BUNDLED_FLAGS,
  PROGRAM,
  PROGRAM_FLAGS,
  proveAndPlace,
  ROOT,
  runToEnd,
  say,
  UNPROVED,
} from "./run_deno.ts";

// Without a configuration: the folder in which the program is started may have one of its own.
const RUN_FLAGS = ["run", "--ext=js", "--quiet", ...BUNDLED_FLAGS, ...PROGRAM_FLAGS];

// CommonJS packages such as ws require node's modules by `require`, which a bundle lacks.
const REQUIRE =
  `import { createRequire } from "node:module";\nconst require = createRequire(import.meta.url);\n`;

/** Lines for the shell that JavaScript reads as the string ":" and a comment. `exec` passes signals on to Deno. */
function header(): string {
  const builder = shellQuoted(Deno.execPath());
  return [
    "#!/bin/sh",
    `":" //; set -- ${RUN_FLAGS.map(shellQuoted).join(" ")} "$0" "$@"`,
    `":" //; command -v deno >/dev/null 2>&1 && exec deno "$@"`,
    `":" //; [ -x ${builder} ] && exec ${builder} "$@"`,
    `":" //; command -v npx >/dev/null 2>&1 && exec npx -y deno@${Deno.version.deno} "$@"`,
    `":" //; echo "chatter: there is no deno and no npx on the PATH to run it with; see https://deno.com" >&2; exit 1`,
    "",
  ].join("\n");
}

function shellQuoted(word: string): string {
  return /^[\w./:=,-]+$/.test(word) ? word : `'${word.replaceAll("'", `'\\''`)}'`;
}

/** Makes the script. Reports a failure and returns false. */
async function bundle(): Promise<boolean> {
  const { success, output } = await runToEnd(Deno.execPath(), [
    "bundle",
    "--quiet",
    "--platform=deno",
    ...ABSENT.map((name) => `--external=${name}`),
    `--output=${UNPROVED}`,
    "main.ts",
  ]);
  if (!success) {
    say(output.trimEnd());
    return false;
  }
  const program = await Deno.readTextFile(UNPROVED);
  const before = header() + REQUIRE + await commitStatement() + await embeddingStatement();
  await Deno.writeTextFile(UNPROVED, before + program);
  await Deno.chmod(UNPROVED, 0o755);
  const made = await proveAndPlace();
  if (!made.success) {
    say(made.output.trimEnd());
    say("The new program does not run.");
    return false;
  }
  say([
    "",
    `MADE A SCRIPT, NOT AN EXECUTABLE: ${PROGRAM}`,
    `${made.output.trimEnd()}`,
    "It is the whole program in one file. It runs with the deno on the PATH, or else with",
    `${Deno.execPath()}, or else with npx and the npm registry.`,
    "deno task compile makes an executable that needs nothing else.",
  ].join("\n"));
  return true;
}

async function build(): Promise<boolean> {
  const outcome = await compile();
  if (outcome !== "no runtime" || Deno.build.os === "windows") return outcome === "made";
  say(`\nBundling ${ROOT}main.ts instead.`);
  return await bundle();
}

if (import.meta.main) Deno.exit(await build() ? 0 : 1);

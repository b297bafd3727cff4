/**
 * `deno task test`: runs Deno with the arguments that are given to it, and the program that tests start is one bundle,
 * made once. A start of it takes two thirds of the CPU time that the hundred modules of `main.ts` take.
 *
 * @module
 */
import { embeddingStatement } from "../src/serving/web_assets.ts";
import { bundleTo } from "./compile.ts";
import { say } from "./run_deno.ts";

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

async function run(): Promise<number> {
  try {
    const main = await bundled();
    const tests = new Deno.Command(Deno.execPath(), {
      args: Deno.args,
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

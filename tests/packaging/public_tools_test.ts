/**
 * Public tools that know better than we do: redocly and spectral on the OpenAPI document, shellcheck on the completions
 * of bash. tests/html_test.ts has the pages.
 *
 * @module
 */
import { assertEquals } from "@std/assert";
import { createConfig, lintFromString } from "@redocly/openapi-core";
import { startTestListing } from "../support/listing_server.ts";
import { runProgram } from "../support/program.ts";
import { inTempFolder } from "../support/temp_folder.ts";
import { toolPath } from "./tool_path.ts";

/** Rules of spectral that ask for what the document leaves out on purpose: whom to write to, and longer summaries. */
const LEFT_OUT = ["info-contact", "operation-description"];

const SHELLCHECK = toolPath("shellcheck");

async function openApi(): Promise<string> {
  await using listing = await startTestListing();
  return await (await fetch(`${listing.url}/openapi.json`)).text();
}

Deno.test("redocly has no complaint of the OpenAPI document", async () => {
  const config = await createConfig({ extends: ["recommended"] });
  const problems = await lintFromString({ source: await openApi(), config });
  assertEquals(problems.map(({ ruleId, message }) => `${ruleId}: ${message}`), []);
});

Deno.test("spectral has no complaint of the OpenAPI document but what is left out on purpose", async () => {
  await inTempFolder(async (folder) => {
    await Deno.writeTextFile(`${folder}/openapi.json`, await openApi());
    await Deno.writeTextFile(`${folder}/rules.yaml`, "extends: ['spectral:oas']\n");
    // Not in the lock file: it has a package in its tree that reports installations.
    const { stdout } = await new Deno.Command(Deno.execPath(), {
      args: [
        ...["run", "--quiet", "--no-lock", "--no-config", "--no-prompt", "-A"],
        ...["npm:@stoplight/spectral-cli@6.16.3", "lint", "--format=json", "--quiet", "--fail-severity=hint"],
        ...["--ruleset=rules.yaml", "openapi.json"],
      ],
      cwd: folder,
      env: { SCARF_ANALYTICS: "false" },
    }).output();
    const text = new TextDecoder().decode(stdout);
    const problems: { code: string; path: string[] }[] = JSON.parse(text.slice(text.indexOf("[")));
    const complaints = problems.filter(({ code }) => !LEFT_OUT.includes(code));
    assertEquals(complaints.map(({ code, path }) => `${code} at ${path.join(".")}`), []);
    assertEquals(new Set(problems.map(({ code }) => code)), new Set(LEFT_OUT));
  });
});

Deno.test({
  name: "shellcheck has no complaint of the completions for bash",
  ignore: SHELLCHECK === undefined,
  fn: async () => {
    const { stdout: script } = await runProgram(["completions", "bash"]);
    const child = new Deno.Command(SHELLCHECK!, {
      args: ["--shell=bash", "--format=gcc", "-"],
      stdin: "piped",
      stdout: "piped",
    }).spawn();
    const writer = child.stdin.getWriter();
    await writer.write(new TextEncoder().encode(script));
    await writer.close();
    const { stdout } = await child.output();
    assertEquals(new TextDecoder().decode(stdout), "");
  },
});

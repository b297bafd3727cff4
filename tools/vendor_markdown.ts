/**
 * `deno task vendor`: makes src/text/markdown_it.js from the package that deno.json pins, unchanged but for a header.
 * The pages load it from their own server, which has no packages to serve.
 *
 * @module
 */
import { ROOT, runToEnd, say } from "./run_deno.ts";

export const VENDORED = "src/text/markdown_it.js";

const HEADER = `/**
 * Rules of markdown-it for the marks inside a line. Made by \`deno task vendor\` from the package; do not edit.
 *
 * Copyright (c) 2014 Vitaly Puzrin, Alex Kocharin.
 *
 * Permission is hereby granted, free of charge, to any person obtaining a copy of this software and associated
 * documentation files (the "Software"), to deal in the Software without restriction, including without limitation the
 * rights to use, copy, modify, merge, publish, distribute, sublicense, and/or sell copies of the Software, and to
 * permit persons to whom the Software is furnished to do so, subject to the following conditions:
 *
 * The above copyright notice and this permission notice shall be included in all copies or substantial portions of the
 * Software.
 *
 * THE SOFTWARE IS PROVIDED "AS IS", WITHOUT WARRANTY OF ANY KIND, EXPRESS OR IMPLIED, INCLUDING BUT NOT LIMITED TO THE
 * WARRANTIES OF MERCHANTABILITY, FITNESS FOR A PARTICULAR PURPOSE AND NONINFRINGEMENT. IN NO EVENT SHALL THE AUTHORS OR
 * COPYRIGHT HOLDERS BE LIABLE FOR ANY CLAIM, DAMAGES OR OTHER LIABILITY, WHETHER IN AN ACTION OF CONTRACT, TORT OR
 * OTHERWISE, ARISING FROM, OUT OF OR IN CONNECTION WITH THE SOFTWARE OR THE USE OR OTHER DEALINGS IN THE SOFTWARE.
 *
 * @module
 */
`;

/** The text of the file. */
export async function vendored(): Promise<string> {
  const { success, output } = await runToEnd(Deno.execPath(), [
    "bundle",
    "--quiet",
    "--platform=browser",
    "tools/markdown_rules.ts",
  ]);
  if (!success) throw new Error(output);
  // The bundler names each file by its place on this machine.
  return HEADER + output.trim().replace(/^\/\/ .*\/(markdown-it\/)/gm, "// $1") + "\n";
}

if (import.meta.main) {
  await Deno.writeTextFile(ROOT + VENDORED, await vendored());
  say(`Made ${VENDORED}`);
}

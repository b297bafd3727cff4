/**
 * The manual page as programs that read roff take it: they find nothing wrong with what the program prints.
 *
 * @module
 */
import { assertEquals } from "@std/assert";
import { runProgram } from "../support/program.ts";
import { toolPath } from "./tool_path.ts";

/** Programs that read a page; each writes what is wrong with it to stdout or stderr. */
const READERS: readonly [command: string, ...args: string[]][] = [
  ["mandoc", "-T", "lint", "-W", "all"],
  ["groff", "-man", "-Tutf8", "-ww", "-z"],
];

for (const [command, ...args] of READERS) {
  Deno.test({
    name: `${command} finds nothing wrong with the page that the program prints`,
    ignore: toolPath(command) === undefined,
    fn: async () => {
      const { status, stdout: page, stderr } = await runProgram(["man"]);
      assertEquals({ status, stderr }, { status: 0, stderr: "" });
      const file = await Deno.makeTempFile({ suffix: ".1" });
      try {
        await Deno.writeTextFile(file, page);
        const { success, stdout, stderr } = await new Deno.Command(command, { args: [...args, file] })
          .output();
        const said = [stdout, stderr].map((bytes) => new TextDecoder().decode(bytes)).join("");
        assertEquals({ success, said }, { success: true, said: "" });
      } finally {
        await Deno.remove(file);
      }
    },
  });
}

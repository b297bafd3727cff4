/**
 * The completions in the shells that they are for: each shows what the program offers, which is
 * tests/completions_test.ts's.
 *
 * @module
 */
import { assertEquals } from "@std/assert";
import { COMMAND_NAMES, COMMANDS } from "../../src/cli/commands.ts";
import { commandLine, runProgram } from "../support/program.ts";
import { hasScript } from "../support/pty_program.ts";
import { bashOffers, fishOffers, tabbed, zshOffers } from "./shells.ts";
import { toolPath } from "./tool_path.ts";

const HAS_TERMINAL = await hasScript();
const SHELLS = [
  { shell: "bash", offers: bashOffers, isHere: toolPath("bash") !== undefined },
  { shell: "zsh", offers: zshOffers, isHere: toolPath("zsh") !== undefined && HAS_TERMINAL },
  { shell: "fish", offers: fishOffers, isHere: toolPath("fish") !== undefined },
] as const;

/**
 * The script that the program prints for a shell, as a file in a folder that holds two more and the command `chatter`,
 * which answers completions and says otherwise what it was run with.
 */
async function withCompletions(shell: string, use: (file: string, folder: string) => Promise<void>) {
  const folder = await Deno.makeTempDir();
  try {
    const { status, stdout, stderr } = await runProgram(["completions", shell]);
    assertEquals({ status, stderr }, { status: 0, stderr: "" });
    const file = `${folder}/completions`;
    await Deno.writeTextFile(file, stdout);
    // A shell of the tests has another HOME, where Deno would look for its packages.
    const home = `HOME='${Deno.env.get("HOME") ?? ""}'`;
    const program = `if [ "$1" = __complete ]; then ${home} exec ${
      commandLine().map((word) => `'${word}'`).join(" ")
    } "$@"; fi`;
    const command = `#!/bin/sh\n${program}\nprintf 'ran:%s\\n' "$*"\n`;
    await Deno.writeTextFile(`${folder}/chatter`, command, { mode: 0o700 });
    await Deno.writeTextFile(`${folder}/store one.db`, "");
    await Deno.writeTextFile(`${folder}/key.pem`, "");
    await use(file, folder);
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
}

/** Lines with what is offered at their ends, whatever the shell. */
const CASES: readonly [line: string, offered: readonly string[]][] = [
  ["chatter ", [...COMMAND_NAMES, "help"]],
  ["chatter chat --tr", ["--transport", "--trust-proxy"]],
  ["chatter chat --transport w", ["ws"]],
  ["chatter chat --port ", []],
  ["chatter admin ", Object.keys(COMMANDS.admin.actions)],
  ["chatter admin ban eve --re", ["--reason"]],
  ["chatter nonsense ", []],
];

for (const { shell, offers, isHere } of SHELLS) {
  Deno.test({
    name: `${shell} offers commands, flags and values as the table has them`,
    ignore: !isHere,
    fn: () =>
      withCompletions(shell, async (file, folder) => {
        const offered = await offers(file, CASES.map(([line]) => line), folder);
        assertEquals(
          offered.map((words, i) => [CASES[i]?.[0], words]),
          CASES.map(([line, words]) => [line, [...words].sort()]),
        );
      }),
  });
}

for (const { shell, isHere } of SHELLS) {
  if (shell === "fish") continue;
  Deno.test({
    name: `a Tab in ${shell} on a terminal completes words, values behind an equals sign, and paths`,
    ignore: !isHere || !HAS_TERMINAL,
    fn: () =>
      withCompletions(shell, async (file, folder) => {
        const lines = [
          "chatter compl",
          "chatter chat --transport=w",
          "chatter admin ann",
          `chatter chat --tls-key ${folder}/k`,
          `chatter chat --kv=${folder}/sto`,
        ];
        assertEquals(await tabbed(shell, file, folder, lines), [
          "completions",
          "chat --transport=ws",
          "admin announce",
          `chat --tls-key ${folder}/key.pem`,
          `chat --kv=${folder}/store one.db`,
        ]);
      }),
  });
}

Deno.test({
  name: "fish offers the files that there are where a file is asked for, and nowhere else",
  ignore: !SHELLS[2].isHere,
  fn: () =>
    withCompletions("fish", async (file, folder) => {
      const lines = [
        `chatter chat --tls-key ${folder}/k`,
        `chatter chat --kv=${folder}/sto`,
        `chatter chat ${folder}/k`,
        `chatter chat --name ${folder}/k`,
      ];
      assertEquals(await fishOffers(file, lines), [
        [`${folder}/key.pem`],
        [`--kv=${folder}/store one.db`],
        [],
        [],
      ]);
    }),
});

/**
 * The completions in the shells that they are for: what each offers is what the table of flags has, line by line.
 *
 * @module
 */
import { assert, assertEquals } from "@std/assert";
import { COMMAND_NAMES, COMMANDS, flagName, SYNTAXES } from "../../src/cli/commands.ts";
import { runProgram } from "../support/program.ts";
import { hasScript } from "../support/pty_program.ts";
import { bashOffers, fishOffers, tabbed, zshOffers } from "./shells.ts";
import { toolPath } from "./tool_path.ts";

const HAS_TERMINAL = await hasScript();
const SHELLS = [
  { shell: "bash", offers: bashOffers, isHere: toolPath("bash") !== undefined },
  { shell: "zsh", offers: zshOffers, isHere: toolPath("zsh") !== undefined && HAS_TERMINAL },
  { shell: "fish", offers: fishOffers, isHere: toolPath("fish") !== undefined },
] as const;

/** The script that the program prints for a shell, as a file in a folder that holds two more. */
async function withCompletions(shell: string, use: (file: string, folder: string) => Promise<void>) {
  const folder = await Deno.makeTempDir();
  try {
    const { status, stdout, stderr } = await runProgram(["completions", shell]);
    assertEquals({ status, stderr }, { status: 0, stderr: "" });
    const file = `${folder}/completions`;
    await Deno.writeTextFile(file, stdout);
    await Deno.writeTextFile(`${folder}/store one.db`, "");
    await Deno.writeTextFile(`${folder}/key.pem`, "");
    await use(file, folder);
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
}

/** The flags that can be typed after each line. */
const LINES = SYNTAXES.map(({ title, flags }) => ({
  begun: `chatter ${title}`,
  flags: Object.entries(flags).filter(([, { onlyVariable }]) => !onlyVariable)
    .map(([key, flag]) => [flagName(key), flag] as const),
}));

/** Lines with what is offered at their ends, whatever the shell. */
const CASES: readonly [line: string, offered: readonly string[]][] = [
  ["chatter ", [...COMMAND_NAMES, "help"]],
  ["chatter cha", ["chat"]],
  ["chatter cl", ["client", "cluster"]],
  ["chatter help l", ["listing"]],
  ["chatter chat --tr", ["--transport", "--trust-proxy"]],
  ["chatter chat --transport ", ["serve", "ws"]],
  ["chatter chat --transport w", ["ws"]],
  ["chatter chat --port 5000 --log-format ", ["json", "pretty"]],
  ["chatter listing --log-level wa", ["warning"]],
  ["chatter listing --trans", []],
  ["chatter chat --port ", []],
  ["chatter chat --listing http://one.test --listing http://two.test --listi", ["--listing"]],
  ["chatter completions ", ["bash", "fish", "zsh"]],
  ["chatter config ", ["chat", "listing"]],
  ["chatter config listing --tr", ["--trust-proxy"]],
  ["chatter admin ", Object.keys(COMMANDS.admin.actions)],
  ["chatter admin un", ["unban"]],
  ["chatter admin kick --re", []],
  ["chatter admin ban --re", ["--reason"]],
  ["chatter admin ban eve --re", ["--reason"]],
  ["chatter admin --he", ["--help"]],
  ["chatter help --he", ["--help"]],
  ["chatter chat --cluster x --admin-t", ["--admin-token"]],
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

  Deno.test({
    name: `${shell} offers all flags of each line, and what each flag with a few values takes`,
    ignore: !isHere,
    fn: () =>
      withCompletions(shell, async (file, folder) => {
        const values = LINES.flatMap((line) =>
          line.flags.flatMap(([name, { words }]) =>
            words === undefined ? [] : [[`${line.begun} ${name} `, words] as const]
          )
        );
        assert(values.length > 4);
        const expected = [
          ...LINES.map((line) =>
            [`${line.begun} --`, [...line.flags.map(([name]) => name), "--help"]] as const
          ),
          ...values,
        ];
        const offered = await offers(file, expected.map(([line]) => line), folder);
        assertEquals(
          offered.map((words, i) => [expected[i]?.[0], words]),
          expected.map(([line, words]) => [line, [...words].sort()]),
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

Deno.test("no text of the table has the sign between the columns of the completions", () => {
  const texts = [...SYNTAXES, ...Object.values(COMMANDS)].map(({ description }) => description);
  const ofFlags = LINES.flatMap(({ flags }) => flags.map(([, { description }]) => description));
  assertEquals([...texts, ...ofFlags].filter((text) => /[|\\\n]/.test(text)), []);
});

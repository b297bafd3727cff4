/**
 * What completions offer at the end of a line: what the table of commands has. That shells show it is
 * tests/packaging/completions_test.ts's.
 *
 * @module
 */
import { assert, assertEquals } from "@std/assert";
import { COMMAND_NAMES, COMMANDS, flagName } from "../src/cli/commands.ts";
import { offersFor } from "../src/cli/completions.ts";
import { SYNTAXES } from "./support/command_line.ts";

/** The flags that can be typed after each line. */
const LINES = SYNTAXES.map(({ title, flags }) => ({
  begun: `chatter ${title}`,
  flags: Object.entries(flags).filter(([, { onlyVariable }]) => !onlyVariable)
    .map(([key, flag]) => [flagName(key), flag] as const),
}));

/** Lines with what is offered at their ends. */
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
  ["chatter chat --transport = w", ["ws"]],
  ["chatter chat --log-format=", ["json", "pretty"]],
  ["chatter chat --trust-proxy ", [
    ...Object.keys(COMMANDS.chat.flags).filter((key) => key !== "clusterPassword")
      .map(flagName),
    "--help",
  ]],
  ["chatter export ", ["/"]],
  ["chatter export --ke", ["--keys"]],
  ["chatter chat --kv=dir/sto", ["/"]],
  ["chatter nonsense ", []],
  ["chatter __proto__ ", []],
];

const offered = (line: string) =>
  offersFor(line).split("\n").slice(0, -1).map((row) => row.split("\t")[0]!).sort();

Deno.test("commands, flags and values are offered as the table has them, and a slash where a file is asked for", () => {
  for (const [line, words] of CASES) assertEquals(offered(line), [...words].sort(), line);
});

Deno.test("all flags of each line are offered, and what each flag with a few values takes", () => {
  let withValues = 0;
  for (const { begun, flags } of LINES) {
    assertEquals(offered(`${begun} --`), [...flags.map(([name]) => name), "--help"].sort(), begun);
    for (const [name, { words }] of flags) {
      if (words === undefined) continue;
      withValues++;
      assertEquals(offered(`${begun} ${name} `), [...words].sort(), `${begun} ${name}`);
    }
  }
  assert(withValues > 4);
});

Deno.test("an offer has its description after a tab, on one line", () => {
  assertEquals(offersFor("chatter chat --por"), `--port\t${COMMANDS.chat.flags.port.description}\n`);
  const texts = [...SYNTAXES, ...Object.values(COMMANDS)].map(({ description }) => description);
  const ofFlags = LINES.flatMap(({ flags }) => flags.map(([, { description }]) => description));
  assertEquals([...texts, ...ofFlags].filter((text) => /[\\\n\t]/.test(text)), []);
});

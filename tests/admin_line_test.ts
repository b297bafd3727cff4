/**
 * The command line of `chatter admin`: actions, their operands, flags and variables, and the token.
 *
 * @module
 */
import {
  assert,
  assertEquals,
  assertFalse,
  assertMatch,
  assertStringIncludes,
  assertThrows,
} from "@std/assert";
import { parseCommandLine } from "../src/cli/command_line.ts";
import { UsageError } from "../src/cli/flag.ts";
import { parse, problemOf, valuesOf } from "./support/command_line.ts";

const TOKEN = "0123456789abcdef";

Deno.test("an action of admin has its operand, its own flags and those of all", () => {
  const ban = parse(["admin", "ban", "Eve", "--for", "90m", "--address", "--token", TOKEN]);
  assert(ban.kind === "admin");
  assertEquals<unknown>([ban.action, ban.operand, ban.values], ["ban", "Eve", {
    server: "http://127.0.0.1:5000",
    token: TOKEN,
    json: false,
    reason: undefined,
    for: 5400,
    address: true,
  }]);
  const users = parse(["admin", "users", "--json", "--server", "https://x/"], { CHATTER_ADMIN_TOKEN: TOKEN });
  assert(users.kind === "admin");
  assertEquals<unknown>([users.action, users.operand, users.values], ["users", undefined, {
    server: "https://x",
    token: TOKEN,
    json: true,
  }]);
});

Deno.test("an operand may stand anywhere behind its action, and behind -- when it begins with a hyphen", () => {
  const operands: [string[], string][] = [
    [["kick", "eve"], "eve"],
    [["kick", "--json", "eve"], "eve"],
    [["kick", " eve "], "eve"],
    [["kick", "--", "-eve-"], "-eve-"],
    [["kick", "--token", TOKEN, "two words"], "two words"],
    [["ban", "--reason", "-very rude, -honestly", "eve"], "eve"],
    [["announce", " as it is; "], " as it is; "],
    [["unban", "3b7d2b22-148b-4c14-bba2-81bb08389cb7"], "3b7d2b22-148b-4c14-bba2-81bb08389cb7"],
  ];
  for (const [args, operand] of operands) {
    const line = parse(["admin", ...args], { CHATTER_ADMIN_TOKEN: TOKEN });
    assert(line.kind === "admin", JSON.stringify(line));
    assertEquals<unknown>(line.operand, operand);
  }
});

Deno.test("what is wrong with a line of admin is named", () => {
  const variables = { CHATTER_ADMIN_TOKEN: TOKEN };
  const wrong: [string[], string][] = [
    [[], "chatter admin needs an action; allowed: ban, unban, bans, users, cluster, kick, announce"],
    [["bna", "eve"], 'chatter admin has no "bna"; did you mean ban?'],
    [
      ["toString"],
      'chatter admin has no "toString"; allowed: ban, unban, bans, users, cluster, kick, announce',
    ],
    [["--reason", "users"], "chatter admin needs an action; allowed: ban, unban, bans,"],
    [["ban"], "chatter admin ban needs a NAME; allowed: a username"],
    [["ban", "a;b"], 'NAME is "a;b"; allowed: a username'],
    [["ban", "a", "b"], 'chatter admin ban takes one NAME, in quotes if it has spaces, not "b"'],
    [["announce", " "], 'TEXT is " "; allowed: any text that is not empty'],
    [["users", "eve"], 'chatter admin users takes only flags, not "eve"'],
    [
      ["kick", "eve", "--reason", "x"],
      'chatter admin kick has no flag "--reason"; chatter help admin lists its flags',
    ],
    [["ban", "eve", "--reson", "x"], 'chatter admin ban has no flag "--reson"; did you mean --reason?'],
    [["ban", "eve", "--reason", " "], '--reason is " "; allowed: 1 to 200 characters'],
    [["ban", "eve", "--reason", "x".repeat(201)], "allowed: 1 to 200 characters"],
    [["users", "--server", "127.0.0.1:5000"], '--server is "127.0.0.1:5000"; allowed: an http://'],
    [["users", "--json", "--json"], "--json is given twice; once is allowed"],
  ];
  for (const [args, says] of wrong) assertStringIncludes(problemOf(["admin", ...args], variables), says);
  assertEquals(
    problemOf(["admin", "users"]),
    "chatter admin users needs --token or CHATTER_ADMIN_TOKEN",
  );
  assertStringIncludes(
    problemOf("", { CHATTER_ROLE: "admin" }),
    'CHATTER_ROLE is "admin"; allowed: chat or listing',
  );
});

Deno.test("the time of a ban is a number with its unit, from a second to ten years", () => {
  const times: [string, number][] = [
    ["1s", 1],
    ["90s", 90],
    ["2m", 120],
    ["1h", 3600],
    ["7d", 604_800],
    ["1w", 604_800],
    ["3650d", 315_360_000],
    ["315360000s", 315_360_000],
  ];
  for (const [text, seconds] of times) {
    assertEquals(valuesOf(["admin", "ban", "eve", "--token", TOKEN, "--for", text]).for, seconds, text);
  }
  for (
    const text of ["0s", "1", "h", "1.5h", "-1h", "1H", "1y", "3651d", "315360001s", "1h30m", "1__proto__"]
  ) {
    const problem = problemOf(["admin", "ban", "eve", "--token", TOKEN, `--for=${text}`]);
    assertStringIncludes(problem, `--for is "${text}"; allowed: a number followed by s, m, h, d or w`);
  }
});

Deno.test("the flags of a ban have variables of their own, apart from those of a server on the same machine", () => {
  const variables = {
    CHATTER_ADMIN_TOKEN: TOKEN,
    CHATTER_ADDRESS: "chat.example:5000",
    CHATTER_BAN_ADDRESS: "1",
    CHATTER_BAN_FOR: "1h",
    CHATTER_BAN_REASON: "be kind",
  };
  const { address, for: seconds, reason } = valuesOf("admin ban eve", variables);
  assertEquals([address, seconds, reason], [true, 3600, "be kind"]);
  assertEquals(valuesOf("chat", variables).adminToken, TOKEN);
  // No flag has CHATTER_TOKEN.
  assertStringIncludes(problemOf("admin users", { CHATTER_TOKEN: TOKEN }), "needs --token");
});

Deno.test("a token has 16 to 256 signs of ASCII, and a wrong one is not shown", () => {
  for (const token of ["x".repeat(16), "~!/+=".repeat(51) + "x"]) {
    assertEquals(valuesOf(["chat", "--admin-token", token]).adminToken, token);
  }
  for (
    const token of [
      "x".repeat(15),
      "x".repeat(257),
      "sixteen letters é",
      "with a blank in it",
      "x".repeat(16) + "\n",
    ]
  ) {
    const problem = problemOf(["chat", `--admin-token=${token}`]);
    assertStringIncludes(problem, "--admin-token is malformed; allowed: 16 to 256 ASCII letters");
    assertFalse(problem.includes(token.slice(0, 15)), problem);
    assertMatch(
      problemOf("admin users", { CHATTER_ADMIN_TOKEN: token }),
      /^CHATTER_ADMIN_TOKEN is malformed/,
    );
  }
});

Deno.test("a missing token is asked for on a terminal, and not where a store is given instead", () => {
  const asked: string[] = [];
  const token = (line: string, answer: string | undefined) => {
    const askSecret = (flag: string) => (asked.push(flag), answer);
    const read = parseCommandLine(line.split(" "), {
      env: () => undefined,
      isTerminal: true,
      askSecret,
      readFile: Deno.readTextFileSync,
    });
    return "values" in read ? (read.values as { token?: string }).token : undefined;
  };
  assertEquals(token("admin users", TOKEN), TOKEN);
  assertEquals(token("export", TOKEN), TOKEN);
  assertEquals(asked, ["--token", "--token"]);
  assertEquals(token(`admin users --token ${TOKEN}`, "x"), TOKEN);
  assertEquals(token("export --kv chat.db", TOKEN), "");
  assertEquals(token("chat", TOKEN), undefined);
  assertEquals(asked.length, 2);
  assertThrows(() => token("admin users", undefined), UsageError, "chatter admin users needs --token or");
  assertThrows(() => token("admin users", "short"), UsageError, "--token is malformed");
});

Deno.test("the help of admin is asked for in every usual way", () => {
  for (
    const line of [
      "help admin",
      "admin --help",
      "admin -h",
      "admin ban --help",
      "help admin ban",
      "admin ban x -h",
    ]
  ) assertEquals(parse(line), { kind: "help", topic: "admin" }, line);
  for (const line of ["admin --version", "admin users -V"]) assertEquals(parse(line), { kind: "version" });
});

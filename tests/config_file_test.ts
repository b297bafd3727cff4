/**
 * The file of --config as values: what it may hold, what is said where it is wrong, and what wins over it.
 *
 * @module
 */
import { assert, assertEquals, assertFalse, assertThrows } from "@std/assert";
import { parseCommandLine } from "../src/cli/command_line.ts";
import { COMMANDS, flagName, ROLES } from "../src/cli/commands.ts";
import { type FlagTable, UsageError } from "../src/cli/flag.ts";

/** The line with a file of this text, as if it had been read. */
function parseWith(text: string, line: string, variables: Record<string, string> = {}) {
  return parseCommandLine([...line.split(" "), "--config", "c.json"], {
    env: (name) => variables[name],
    isTerminal: false,
    readFile: () => text,
  });
}

function valuesWith(
  text: string,
  line: string,
  variables: Record<string, string> = {},
): Record<string, unknown> {
  const read = parseWith(text, line, variables);
  assert("values" in read);
  return { ...read.values };
}

function problemWith(text: string, line = "chat", variables: Record<string, string> = {}): string {
  const { message } = assertThrows(() => parseWith(text, line, variables), UsageError, "", text);
  assertFalse(message.includes("\n"), "a problem is one line");
  return message;
}

Deno.test("a line that names a file reads it, by flag or variable, and only of a server", () => {
  const read: string[] = [];
  const fileOf = (line: string, variable?: string) => {
    const env = (name: string) => name === "CHATTER_CONFIG" ? variable : undefined;
    const readFile = (path: string) => (read.push(path), "{}");
    return parseCommandLine(line.split(" "), { env, isTerminal: false, readFile }).kind;
  };
  assertEquals(fileOf("chat --config c.json"), "chat");
  assertEquals(fileOf("chat --config c.json", "d.json"), "chat");
  assertEquals(fileOf("listing", "d.json"), "listing");
  assertEquals(fileOf("config chat", "e.json"), "config");
  assertEquals(read, ["c.json", "c.json", "d.json", "e.json"]);
  assertEquals(fileOf("servers", "d.json"), "servers");
  assertEquals(fileOf("chat --config c.json --help"), "help");
  assertEquals(read.length, 4);
});

Deno.test("a flag wins over a variable, a variable over the file, the file over the default", () => {
  const file = '{"max-users": 7}';
  const variables = { CHATTER_MAX_USERS: "8" };
  assertEquals(valuesWith("{}", "chat").maxUsers, 50);
  assertEquals(valuesWith(file, "chat").maxUsers, 7);
  assertEquals(valuesWith(file, "chat", variables).maxUsers, 8);
  assertEquals(valuesWith(file, "chat --max-users 9", variables).maxUsers, 9);
});

Deno.test("every flag of both roles but --config can be in the file, at the top and in its role's section", () => {
  const texts: Record<string, unknown> = {
    name: "The Pub",
    address: "chat.example:5000",
    listing: ["https://a.example", "https://b.example"],
    description: "A place to talk",
    tags: "pub,music",
    language: "pt-BR",
    transport: "ws",
    "allowed-origins": ["https://chat.example"],
    kv: "a.db",
    hostname: "127.0.0.1",
    "tls-cert": "cert.pem",
    "tls-key": "key.pem",
    cluster: "nats://a",
    "cluster-ca": "ca.pem",
    "cluster-node": "a",
    "log-format": "json",
    "log-level": "debug",
  };
  for (const role of ROLES) {
    const flags: FlagTable = COMMANDS[role].flags;
    const given: Record<string, unknown> = {};
    for (const [key, flag] of Object.entries(flags)) {
      const name = flagName(key).slice(2);
      // They would contradict --listing and --cluster-password.
      if (name === "config" || name === "no-listing" || name === "cluster-creds") continue;
      given[name] = texts[name] ??
        (flag.secret ? "0123456789abcdef" : flag.placeholder === undefined ? true : flag.default ?? 1);
    }
    const expected = Object.fromEntries(
      Object.entries(flags).map(([key, flag]) => [key, given[flagName(key).slice(2)] ?? flag.default]),
    );
    expected.config = "c.json";
    if ("tags" in flags) Object.assign(expected, { tags: ["pub", "music"], cluster: ["nats://a"] });
    assertEquals(valuesWith(JSON.stringify(given), role), expected);
    assertEquals(valuesWith(JSON.stringify({ [role]: given }), role), expected);
  }
});

Deno.test("one file serves both roles: a section is its role's and wins over the top", () => {
  const file = `{
    // What both have.
    "log-level": "warning",
    "max-users": 5, /* the listing has no such flag */
    "listing": {"port": 8001, "log-level": "debug"},
    "chat": {"port": 5001, "no-listing": true}
  }`;
  const chat = valuesWith(file, "chat");
  assertEquals([chat.port, chat.logLevel, chat.maxUsers, chat.noListing], [5001, "warning", 5, true]);
  const listing = valuesWith(file, "listing");
  assertEquals([listing.port, listing.logLevel], [8001, "debug"]);
});

Deno.test("listing at the top is the listing's section where it is an object, and else the chat's flag", () => {
  assertEquals(valuesWith('{"listing": ["http://a"]}', "chat").listing, ["http://a"]);
  assertEquals(valuesWith('{"listing": "http://a"}', "listing").port, 8000);
  assertEquals(valuesWith('{"listing": {"port": 8001}, "chat": {"listing": "http://a"}}', "chat").listing, [
    "http://a",
  ]);
});

Deno.test("a number and a switch may be texts too, and a list may be one text", () => {
  const file = '{"chat": {"port": "5001", "trust-proxy": "yes", "listing": "http://a, http://b"}}';
  const { port, trustProxy, listing } = valuesWith(file, "chat");
  assertEquals([port, trustProxy, listing], [5001, true, ["http://a", "http://b"]]);
  const { tags, cluster } = valuesWith('{"tags": ["a", "b"], "cluster": ["nats://a", "nats://b"]}', "chat");
  assertEquals([tags, cluster], [["a", "b"], ["nats://a", "nats://b"]]);
});

Deno.test("what is wrong with a file is one line with its place", () => {
  const number = "allowed: a whole number from";
  const wrong: [string, string][] = [
    ["", "c.json:1:1: the file is not JSON: Unexpected end of input found"],
    ['{"port": 1,}', 'c.json:1:12: the file is not JSON: Unexpected "}" found'],
    ['{\r\n"port" {}}', 'c.json:2:8: the file is not JSON: Unexpected "{" found'],
    ['{\n  "port" 1\n}', "c.json:2:10: the file is not JSON: Unexpected token Number found"],
    ["{'port': 1}", "c.json:1:2: the file is not JSON: Unexpected character ''' found"],
    ["[]", 'c.json:1:1: a configuration is an object, such as {"name": "The Pub"}'],
    ['"x"', 'c.json:1:1: a configuration is an object, such as {"name": "The Pub"}'],
    ['{\n  "max-user": 1}', 'c.json:2:3: there is no "max-user"; did you mean max-users?'],
    ['{"--port": 1}', 'c.json:1:2: there is no "--port"; did you mean port?'],
    [
      '{"chat": {"check-interval": 1}}',
      'c.json:1:11: there is no "check-interval" in the section "chat"; did',
    ],
    ['{"caht": {}}', 'c.json:1:2: there is no "caht"; did you mean chat?'],
    [
      '{"config": "d.json"}',
      'c.json:1:2: there is no "config"; allowed: the flags in chatter help chat or listing',
    ],
    [
      '{"chat": {"chat": {}}}',
      'c.json:1:11: there is no "chat" in the section "chat"; allowed: the flags in chatter help chat',
    ],
    ['{"chat": {"listing": {}}}', "c.json:1:22: listing is an object; allowed: http:// or https:// URLs"],
    ['{"chat": 5}', 'c.json:1:10: the section "chat" is an object, such as {"name": "The Pub"}'],
    ['{"port": 1,\n "port": 2}', 'c.json:2:2: "port" is given twice, also in line 1; once is allowed'],
    ['{"chat": {},\n "chat": {}}', 'c.json:2:2: "chat" is given twice, also in line 1; once is allowed'],
    ['{"port": 65536}', `c.json:1:10: port is 65536; ${number} 0 to 65535`],
    ['{"port": 1e3}', `c.json:1:10: port is 1e3; ${number} 0 to 65535`],
    ['{"port": "x\\ny"}', `c.json:1:10: port is "x\\ny"; ${number} 0 to 65535`],
    ['{"port": true}', `c.json:1:10: port is true; ${number} 0 to 65535`],
    ['{"port": null}', `c.json:1:10: port is null; ${number} 0 to 65535`],
    ['{"port": [1]}', `c.json:1:10: port is a list; ${number} 0 to 65535`],
    ['{"allowed-origins": []}', "c.json:1:21: allowed-origins is a list; allowed: origins such as"],
    ['{"chat": {"listing": ["http://a", "b"]}}', 'c.json:1:35: listing is "b"; allowed: http'],
    ['{"trust-proxy": "maybe"}', 'c.json:1:17: trust-proxy is "maybe"; allowed: 1, true, yes or on'],
    // Both roles check the whole file.
    ['{"listing": {"port": "x"}}', `c.json:1:22: port is "x"; ${number} 0 to 65535`],
  ];
  for (const [text, says] of wrong) {
    const problem = problemWith(text);
    assertEquals(problem.slice(0, says.length), says, `${text}: ${problem}`);
  }
});

Deno.test("a secret that cannot be used is not repeated", () => {
  const problem = problemWith('{"admin-token": "shortandsecret"}');
  assertFalse(problem.includes("shortandsecret"), problem);
  assertEquals(
    problem.startsWith("c.json:1:17: admin-token is malformed; allowed: 16 to"),
    true,
    problem,
  );
});

Deno.test("flags of the file that contradict each other are refused with their place, and give way to a flag", () => {
  const both = '{"chat": {"listing": "http://a",\n "no-listing": true}}';
  assertEquals(
    problemWith(both),
    "c.json:2:2: --listing and --no-listing contradict each other; give one of them",
  );
  const one = '{"chat": {"listing": "http://a"}}';
  assertEquals(valuesWith(one, "chat", { CHATTER_NO_LISTING: "1" }).noListing, true);
  assertEquals(
    valuesWith('{"chat": {"no-listing": true}}', "chat --listing http://b").noListing,
    false,
  );
  assertEquals(
    problemWith('{\n"tls-cert": "c"}', "listing"),
    "c.json:2:1: --tls-cert is given without --tls-key; give both or neither",
  );
});

Deno.test("names of what every object has are no flags of a file", () => {
  for (const name of ["__proto__", "constructor", "toString"]) {
    assert(problemWith(`{"${name}": 1}`).startsWith(`c.json:1:2: there is no "${name}"`));
  }
});

Deno.test("a file of brackets is refused in one line, whatever its depth", () => {
  for (const text of ["[".repeat(200_000), '{"chat":'.repeat(100_000)]) {
    assertEquals(
      problemWith(text),
      "c.json: the file is not JSON: it is nested too deeply",
    );
  }
});

Deno.test("what a file says is quoted without what steers a terminal, and not at any length", () => {
  const steering = `\u009b31m\u202e\u2028${"x".repeat(1000)}`;
  const problem = problemWith(`{"${steering}": 1}`);
  assert(problem.includes(String.raw`"\u009b31m\u202e\u2028xxx`), problem);
  assert(problem.length < 300, problem);
});

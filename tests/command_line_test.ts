/**
 * The command line as values: flags, variables, defaults, help and what is wrong with a line.
 *
 * @module
 */
import { assert, assertEquals, assertMatch, assertStringIncludes } from "@std/assert";
import { DEFAULT_LISTING_LIMITS } from "../src/announcement/listing_limits.ts";
import {
  type Command,
  COMMAND_NAMES,
  type CommandName,
  COMMANDS,
  flagName,
  ROLES,
  syntaxesOf,
  typedFlag,
  variableName,
} from "../src/cli/commands.ts";
import { helpText } from "../src/cli/help_text.ts";
import { limitsOf } from "../src/cli/server_flags.ts";
import { DEFAULT_LIMITS, followed, type Limit, LIMITS } from "../src/protocol/limits.ts";
import { parse, problemOf, valuesOf } from "./support/command_line.ts";

Deno.test("chat without flags has the defaults that are documented", () => {
  assertEquals(valuesOf("chat"), {
    port: 5000,
    hostname: undefined,
    id: undefined,
    name: "Chatter Server",
    address: undefined,
    listing: ["http://127.0.0.1:8000"],
    noListing: false,
    kv: undefined,
    adminToken: undefined,
    transport: "serve",
    workers: 1,
    allowedOrigins: undefined,
    trustProxy: false,
    description: undefined,
    tags: undefined,
    language: undefined,
    cluster: undefined,
    clusterName: "room",
    clusterNode: undefined,
    clusterPassword: undefined,
    clusterCreds: undefined,
    clusterCa: undefined,
    clusterReplicas: 3,
    clusterTakeover: 2,
    clusterLost: 5,
    clusterPatience: 10,
    clusterLogHours: 24,
    limitLoopback: false,
    config: undefined,
    tlsCert: undefined,
    tlsKey: undefined,
    metricsToken: undefined,
    logFormat: "json",
    logLevel: "info",
    ...DEFAULT_LIMITS,
  });
});

Deno.test("listing without flags has the defaults that are documented", () => {
  assertEquals(valuesOf("listing"), {
    port: 8000,
    hostname: undefined,
    kv: undefined,
    checkInterval: 60,
    trustProxy: false,
    allowedOrigins: undefined,
    config: undefined,
    tlsCert: undefined,
    tlsKey: undefined,
    metricsToken: undefined,
    logFormat: "json",
    logLevel: "info",
    ...DEFAULT_LISTING_LIMITS,
  });
});

Deno.test("allowed origins are read as browsers write them, and a text that is no origin is refused", () => {
  assertEquals(
    valuesOf([
      "chat",
      "--allowed-origins",
      "https://Chat.example, http://a:80/",
      "--allowed-origins",
      "http://b:8080",
      "--allowed-origins",
      "* null app://chat",
    ])
      .allowedOrigins,
    ["https://chat.example", "http://a", "http://b:8080", "*", "null", "app://chat"],
  );
  for (
    const wrong of " chat.example https://a/path https://u@a ftp://a https://a?x app://a/path file:///a Null"
      .split(" ")
  ) {
    assertMatch(problemOf(["chat", "--allowed-origins", wrong]), /^--allowed-origins /, wrong);
  }
});

Deno.test("a flag's value follows it, or an equals sign after it", () => {
  assertEquals(valuesOf("chat --port 1").port, 1);
  assertEquals(valuesOf("chat --port=1").port, 1);
  assertEquals(valuesOf(["chat", "--name=a=b"]).name, "a=b");
  assertEquals(valuesOf(["chat", "--name", "-bob-"]).name, "-bob-");
  assertEquals(valuesOf(["chat", "--name=--bob"]).name, "--bob");
  assertEquals(valuesOf(["chat", "--name", " The Pub "]).name, "The Pub");
});

Deno.test("a chat server with TLS uses ws, unless a flag says otherwise", () => {
  assertEquals(valuesOf("chat --tls-cert c --tls-key k").transport, "ws");
  assertEquals(valuesOf("chat", { CHATTER_TLS_CERT: "c", CHATTER_TLS_KEY: "k" }).transport, "ws");
  assertEquals(valuesOf("chat --tls-cert c --tls-key k --transport serve").transport, "serve");
  assertEquals(valuesOf("chat --transport ws").transport, "ws");
});

Deno.test("a flag wins over its variable, and the variable over the default", () => {
  const variables = { CHATTER_MAX_USERS: "7" };
  assertEquals(valuesOf("chat", {}).maxUsers, 50);
  assertEquals(valuesOf("chat", variables).maxUsers, 7);
  assertEquals(valuesOf("chat --max-users 9", variables).maxUsers, 9);
});

Deno.test("an empty variable counts as not set", () => {
  assertEquals(
    valuesOf("chat", { CHATTER_PORT: "", CHATTER_NO_LISTING: "", CHATTER_TLS_CERT: "" }).port,
    5000,
  );
  assertEquals(parse("", { CHATTER_ROLE: "" }), { kind: "help", topic: undefined });
});

Deno.test("a variable that a flag overrides is not judged", () => {
  assertEquals(valuesOf("chat --port 1", { CHATTER_PORT: "nonsense" }).port, 1);
});

Deno.test("the log is for a person on a terminal and for a machine elsewhere, unless a flag says otherwise", () => {
  const format = (line: string, isTerminal: boolean) => {
    const read = parse(line, {}, isTerminal);
    return read.kind === "chat" ? read.values.logFormat : undefined;
  };
  assertEquals(format("chat", true), "pretty");
  assertEquals(format("chat", false), "json");
  assertEquals(format("chat --log-format json", true), "json");
  assertEquals(format("chat --log-format pretty", false), "pretty");
});

Deno.test("warn is the level that the log calls warning", () => {
  for (const level of ["trace", "debug", "info", "warning", "error", "fatal"]) {
    assertEquals(valuesOf(`listing --log-level ${level}`).logLevel, level);
  }
  assertEquals(valuesOf("listing --log-level warn").logLevel, "warning");
});

Deno.test("switches are read from the usual words", () => {
  for (
    const [word, on] of [
      ["1", true],
      ["true", true],
      ["yes", true],
      ["ON", true],
      ["0", false],
      ["false", false],
      ["no", false],
      ["Off", false],
    ] as const
  ) {
    assertEquals(valuesOf("listing", { CHATTER_TRUST_PROXY: word }).trustProxy, on, word);
    assertEquals(valuesOf(`listing --trust-proxy=${word}`).trustProxy, on, word);
    assertEquals(valuesOf("chat", { CHATTER_NO_LISTING: word }).noListing, on, word);
  }
  assertEquals(valuesOf("listing --trust-proxy").trustProxy, true);
  assertEquals(valuesOf("listing --trust-proxy=no", { CHATTER_TRUST_PROXY: "yes" }).trustProxy, false);
  assertMatch(
    problemOf("listing", { CHATTER_TRUST_PROXY: "maybe" }),
    /^CHATTER_TRUST_PROXY is "maybe"; allowed: 1, true/,
  );
});

Deno.test("a switch takes no word after it", () => {
  assertMatch(problemOf("listing --trust-proxy true"), /takes only flags, not "true"/);
  for (const switched of ["--trust-proxy", "--no-listing"]) {
    assertMatch(problemOf(`chat ${switched}=x`), new RegExp(`^${switched} is "x"; allowed: 1, true`));
    assertMatch(problemOf(`chat ${switched}=`), new RegExp(`^${switched} is ""; allowed: 1, true`));
  }
  assertEquals(valuesOf("chat --no-listing=no", { CHATTER_NO_LISTING: "1" }).noListing, false);
});

Deno.test("listings may be several, by flag or in one variable", () => {
  assertEquals(valuesOf("chat --listing http://a --listing https://b:1").listing, [
    "http://a",
    "https://b:1",
  ]);
  const several = { CHATTER_LISTING: " http://a/,https://b\thttp://c/under/ ," };
  assertEquals(valuesOf("chat", several).listing, ["http://a", "https://b", "http://c/under"]);
  assertEquals(valuesOf("chat --listing http://x", several).listing, ["http://x"]);
  assertMatch(
    problemOf("chat --listing http://a --listing b"),
    /^--listing is "http:\/\/a,b"; allowed: http/,
  );
});

Deno.test("every list may be repeated, and its bounds are those of all its values together", () => {
  assertEquals(valuesOf("chat --tags a,b --tags c").tags, ["a", "b", "c"]);
  assertEquals(valuesOf("chat --cluster nats://a --cluster nats://b").cluster, ["nats://a", "nats://b"]);
  assertMatch(problemOf("chat --tags a,b,c,d --tags e,f"), /^--tags is "a,b,c,d,e,f"; allowed: at most 5/);
  assertMatch(problemOf("chat --tags a --tags a"), /^--tags is "a,a"; allowed: at most 5 different tags/);
  assertMatch(problemOf("chat --cluster nats://a --cluster tls://b"), /the same kind for all/);
});

Deno.test("no listing and a listing contradict each other, and a flag wins over a variable there too", () => {
  const one = { CHATTER_LISTING: "http://a" };
  const none = { CHATTER_NO_LISTING: "1" };
  assertMatch(problemOf("chat --listing http://a --no-listing"), /--listing and --no-listing contradict/);
  assertMatch(problemOf("chat", { ...one, ...none }), /contradict/);
  assertEquals(valuesOf("chat --no-listing", one).noListing, true);
  assertEquals(valuesOf("chat --listing http://b", none).noListing, false);
  assertEquals(valuesOf("chat --listing http://b", none).listing, ["http://b"]);
  assertEquals(valuesOf("chat", { ...one, CHATTER_NO_LISTING: "0" }).listing, ["http://a"]);
});

Deno.test("a certificate and its key are given both or neither", () => {
  for (const command of ROLES) {
    assertMatch(
      problemOf(`${command} --tls-cert c`),
      /^--tls-cert is given without --tls-key; give both or neither$/,
    );
    assertMatch(problemOf(command, { CHATTER_TLS_KEY: "k" }), /^--tls-key is given without --tls-cert/);
    assertEquals(valuesOf(`${command} --tls-cert c`, { CHATTER_TLS_KEY: "k" }).tlsKey, "k");
  }
});

Deno.test("the servers of a cluster are URLs of one kind, without a password", () => {
  const servers = (text: string) => valuesOf(["chat", "--cluster", text]).cluster;
  assertEquals(servers("nats://chatter@a:4222,nats://10.0.0.2:4222/ NATS://[::1]:4222"), [
    "nats://chatter@a:4222",
    "nats://10.0.0.2:4222",
    "nats://[::1]:4222",
  ]);
  assertEquals(servers("tls://a"), ["tls://a"]);
  assertEquals(servers("wss://a/nats, wss://b:443"), ["wss://a/nats", "wss://b"]);
  for (
    const wrong of [
      ..." a:4222 nats:// nats://a/x nats://a?b nats://a#b http://a nats://a,tls://b ws://a,nats://b".split(
        " ",
      ),
      "nats://u@a,nats://v@b",
    ]
  ) {
    assertMatch(problemOf(["chat", "--cluster", wrong]), /^--cluster is .*; allowed: nats:/, wrong);
  }
  const withPassword = problemOf("chat", { CHATTER_CLUSTER: "nats://chatter:hunter2@a:4222" });
  assertMatch(
    withPassword,
    /^CHATTER_CLUSTER is "nats:\/\/chatter:…@a:4222"; .*CHATTER_CLUSTER_PASSWORD holds$/,
  );
});

Deno.test("the password of a cluster is taken from a variable, and refused on the command line", () => {
  const cluster = "chat --cluster nats://chatter@a";
  assertEquals(valuesOf(cluster, { CHATTER_CLUSTER_PASSWORD: "hunter2" }).clusterPassword, "hunter2");
  assertEquals(
    problemOf(`${cluster} --cluster-password hunter2`),
    "--cluster-password is a secret, and other users can read command lines: set CHATTER_CLUSTER_PASSWORD",
  );
  const both = { CHATTER_CLUSTER_CREDS: "file", CHATTER_CLUSTER_PASSWORD: "hunter2" };
  assertMatch(problemOf(cluster, both), /^--cluster-password and --cluster-creds contradict each other/);
});

Deno.test("flags of a cluster are refused without --cluster", () => {
  assertEquals(
    problemOf("chat --cluster-takeover 3"),
    "--cluster-takeover is given without --cluster; give both or neither",
  );
  assertMatch(problemOf("chat", { CHATTER_CLUSTER_PASSWORD: "x" }), /^--cluster-password is given without/);
});

Deno.test("a number at its bounds is taken, and one past them is refused", () => {
  const bounds: [CommandName, string, number, number][] = [
    ["chat", "port", 0, 65_535],
    ["chat", "workers", 1, 64],
    ["chat", "id", 0, Number.MAX_SAFE_INTEGER],
    ["listing", "port", 0, 65_535],
    ["listing", "checkInterval", 1, 86_400],
    ...Object.entries(LIMITS).map(([name, { min, max }]) =>
      ["chat", name, min, max] as [CommandName, string, number, number]
    ),
  ];
  for (const [command, key, min, max] of bounds) {
    const flag = flagName(key);
    assertEquals(valuesOf(`${command} ${flag} ${min}`)[key], min);
    assertEquals(valuesOf(`${command} ${flag} ${max}`)[key], max);
    for (const beyond of [BigInt(min) - 1n, BigInt(max) + 1n]) {
      assertEquals(
        problemOf(`${command} ${flag} ${beyond}`),
        `${flag} is "${beyond}"; allowed: ${(COMMANDS[command] as Command).flags?.[key]?.expected}`,
      );
    }
  }
});

Deno.test("a bad value is named with what it was and what is allowed", () => {
  const bad: [string[], Record<string, string>, RegExp][] = [
    [["chat", "--port", "abc"], {}, /^--port is "abc"; allowed: a whole number from 0 to 65535$/],
    [["chat", "--port", "1e3"], {}, /^--port is "1e3"/],
    [["chat", "--port", "0x10"], {}, /^--port is "0x10"/],
    [["chat", "--port", "1.5"], {}, /^--port is "1.5"/],
    [["chat", "--port="], {}, /^--port is ""/],
    [
      ["chat"],
      { CHATTER_PORT: "99999" },
      /^CHATTER_PORT is "99999"; allowed: a whole number from 0 to 65535$/,
    ],
    [
      ["chat"],
      { CHATTER_MAX_USERS: "1\n2" },
      /^CHATTER_MAX_USERS is "1\\n2"; allowed: .* 1 to 1000000 \(users\)$/,
    ],
    [["chat", "--name", "  "], {}, /^--name is " {2}"; allowed: 1 to 64 characters/],
    [["chat", "--name", "x".repeat(65)], {}, /^--name is "x+"; allowed: 1 to 64/],
    [["chat", "--name", "a\u202eb"], {}, /bidi/],
    [["chat", "--hostname", "a b"], {}, /^--hostname is "a b"/],
    [["chat", "--address", "http://x"], {}, /^--address is "http:\/\/x"; allowed: host:port/],
    [["chat", "--address", ":0"], {}, /^--address is ":0"/],
    [["chat", "--kv", ""], {}, /^--kv is ""/],
    [["chat", "--listing", "127.0.0.1:8000"], {}, /^--listing is "127.0.0.1:8000"; allowed: http/],
    [["chat", "--listing", "ftp://x"], {}, /^--listing is "ftp/],
    [["chat", "--listing", "http://a,nonsense"], {}, /^--listing is/],
    [["chat", "--listing", " , "], {}, /^--listing is/],
    [["chat", "--log-level", "loud"], {}, /allowed: trace, debug, info, warning, error or fatal$/],
    [["chat", "--log-format", "toString"], {}, /allowed: pretty or json$/],
  ];
  for (const [line, variables, problem] of bad) assertMatch(problemOf(line, variables), problem);
});

Deno.test("an unknown flag or command is answered with the nearest", () => {
  const unknown: [string, string][] = [
    ["chat --prot 1", 'chatter chat has no flag "--prot"; did you mean --port?'],
    ["chat --max-user=1", 'chatter chat has no flag "--max-user"; did you mean --max-users?'],
    ["chat --nolisting", 'chatter chat has no flag "--nolisting"; did you mean --no-listing?'],
    ["chat --hepl", 'chatter chat has no flag "--hepl"; did you mean --help?'],
    ["chat --no-port", 'chatter chat has no flag "--no-port"; did you mean --port?'],
    ["chat --no-port=1", 'chatter chat has no flag "--no-port"; did you mean --port?'],
    ["chat --no-no-listing", 'chatter chat has no flag "--no-no-listing"; did you mean --no-listing?'],
    ["chat --maxUsers=1", 'chatter chat has no flag "--maxUsers"; did you mean --max-users?'],
    ["chat --listing.x=1", 'chatter chat has no flag "--listing.x"; did you mean --listing?'],
    [
      "listing --max-users 5",
      'chatter listing has no flag "--max-users"; did you mean --max-servers?',
    ],
    ["listing --check-intervall 5", "did you mean --check-interval?"],
    ["caht", 'there is no command "caht"; did you mean chat?'],
    ["Chat", "did you mean chat?"],
    ["list", "did you mean listing?"],
    ["hlep", "did you mean help?"],
    ["version", "did you mean --version?"],
    ["--verison", 'there is no command "--verison"; did you mean --version?'],
    ["help lsting", 'there is no command "lsting"; did you mean listing?'],
    ["foo", 'there is no command "foo"; chatter help lists the commands'],
    ["chat -p 5", 'has no flag "-p"; chatter help chat lists its flags'],
    ["__proto__", "there is no command"],
    ["chat --__proto__=1", "has no flag"],
    ["chat --constructor 1", "has no flag"],
    ["chat -x", 'has no flag "-x"'],
  ];
  for (const [line, says] of unknown) assertStringIncludes(problemOf(line), says);
});

Deno.test("a flag before the command is refused with its place", () => {
  const place = "flags follow one, as in chatter chat --port 5001";
  assertEquals(problemOf("--port 5000 chat"), `there is no command "--port"; ${place}`);
  assertEquals(problemOf("--quiet"), `there is no command "--quiet"; ${place}`);
});

Deno.test("a flag that may be given once is refused the second time", () => {
  assertEquals(problemOf("chat --port 1 --port=1"), "--port is given twice; once is allowed");
  assertEquals(problemOf("chat --no-listing --no-listing"), "--no-listing is given twice; once is allowed");
});

Deno.test("a flag without its value is refused, and does not eat the next flag", () => {
  assertEquals(problemOf("chat --port"), "--port needs a value; allowed: a whole number from 0 to 65535");
  assertMatch(problemOf("chat --name --no-listing"), /^--name needs a value/);
});

Deno.test("arguments that no command takes are refused", () => {
  assertEquals(problemOf("chat 5000"), 'chatter chat takes only flags, not "5000"');
  assertEquals(problemOf("chat -- --port 1"), 'chatter chat takes only flags, not "--port"');
  assertEquals(problemOf("listing -"), 'chatter listing takes only flags, not "-"');
  assertEquals(valuesOf("chat --port 1 --").port, 1);
});

Deno.test("help and the version are found wherever they are asked for", () => {
  for (const line of ["help", "--help", "-h", "", "help help", "help --help", "help -h"]) {
    assertEquals(parse(line), { kind: "help", topic: undefined }, line);
  }
  for (
    const line of [
      "help chat",
      "help chat --port",
      "chat --help",
      "chat -h",
      "--help chat",
      "chat --port 1 --help",
      "chat --prot --help",
    ]
  ) {
    assertEquals(parse(line), { kind: "help", topic: "chat" }, line);
  }
  for (const line of ["--version", "-V", "-v", "chat --version", "listing -V"]) {
    assertEquals(parse(line), { kind: "version" }, line);
  }
});

Deno.test("without arguments the role comes from CHATTER_ROLE, with its variables", () => {
  const asked = (line: string, variables = {}) => {
    const read = parse(line, variables);
    return [read.kind, "values" in read && read.values];
  };
  assertEquals(asked("", { CHATTER_ROLE: "listing", CHATTER_PORT: "9" }), asked("listing --port 9"));
  assertEquals(asked("", { CHATTER_ROLE: "chat" }), asked("chat"));
  assertEquals(asked("listing", { CHATTER_ROLE: "chat" }), asked("listing"));
  assertEquals(
    problemOf("", { CHATTER_ROLE: "lsting" }),
    'CHATTER_ROLE is "lsting"; allowed: chat or listing',
  );
});

Deno.test("every flag has a line of help with its default, and every limit with its reason and bounds", () => {
  for (const name of COMMAND_NAMES) {
    const help = helpText(name).replace(/\s+/g, " ");
    const command: Command = COMMANDS[name];
    const actions = Object.entries(command.actions ?? {});
    for (const [word, { description, operand }] of actions) {
      assertStringIncludes(
        help,
        ` ${word} ${operand === undefined ? "" : operand.placeholder + " "}${description}`,
      );
    }
    const tables = [command.flags ?? {}, ...actions.map(([, { flags = {} }]) => flags)];
    for (const [key, flag] of tables.flatMap((table) => Object.entries(table))) {
      assertStringIncludes(help, ` ${typedFlag(key, flag)} `);
      assertStringIncludes(help, flag.description);
      if (flag.defaultText !== undefined) assertStringIncludes(help, `Default: ${flag.defaultText}.`);
    }
  }
  const help = helpText("chat").replace(/\s+/g, " ");
  for (const limit of Object.values<Limit>(LIMITS)) {
    assertStringIncludes(
      help,
      `${limit.description} Default: ${limit.follows?.text ?? limit.default}. ` +
        `Allowed: a whole number from ${limit.min} to ${limit.max} (${limit.unit}). Reason: ${limit.reason}.`,
    );
  }
  for (const name of COMMAND_NAMES) assertStringIncludes(helpText(undefined), `  ${name} `);
});

Deno.test("help names flags and variables only for a command that has flags", () => {
  for (const name of COMMAND_NAMES) {
    const has = syntaxesOf(name).some(({ flags }) => Object.keys(flags).length > 0);
    const help = helpText(name);
    assertEquals([help.includes("[flags]"), help.includes("Each flag")], [has, has], name);
  }
  assert(!helpText("man").includes("flag"));
  assertStringIncludes(helpText("admin"), "CHATTER_SOME_FLAG sets --some-flag");
});

Deno.test("help fits a terminal of 80 columns and ends in a line break", () => {
  for (const topic of [undefined, ...COMMAND_NAMES]) {
    const help = helpText(topic);
    assert(help.endsWith("\n") && !help.endsWith("\n\n"));
    for (const line of help.split("\n")) assert([...line].length <= 80, line);
  }
});

Deno.test("the flag of a limit is the one that the table of limits names", () => {
  for (const [name, limit] of Object.entries<Limit>(LIMITS)) assertEquals(flagName(name), "--" + limit.flag);
  assertEquals(variableName("maxUsers"), "CHATTER_MAX_USERS");
});

Deno.test("the limits of a command line are exactly the limits of the table", () => {
  const line = parse("chat --resume-window 3");
  assert(line.kind === "chat");
  assertEquals(limitsOf(LIMITS, line.values), { ...DEFAULT_LIMITS, resumeWindow: 3 });
});

Deno.test("a limit that is not given follows the one that its default names", () => {
  for (const { default: value, follows } of Object.values<Limit>(LIMITS)) {
    if (follows === undefined) continue;
    assertEquals(value, followed(follows, DEFAULT_LIMITS[follows.limit as "maxUsers"]));
  }
  const cases: [string, users: number, rate: number][] = [
    ["chat --max-users 100 --flood-rate 5", 50, 20],
    ["chat --max-users 5 --flood-rate 0", 3, 0],
    ["chat --max-users 7", 4, 80],
    ["chat --max-users 100 --max-users-per-address 2 --flood-rate-per-address 0", 2, 0],
  ];
  for (const [line, maxUsersPerAddress, floodRatePerAddress] of cases) {
    const values = valuesOf(line);
    assertEquals(
      [values.maxUsersPerAddress, values.floodRatePerAddress],
      [maxUsersPerAddress, floodRatePerAddress],
      line,
    );
  }
});

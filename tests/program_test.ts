/**
 * The program from outside: exit statuses, what goes to stdout and to stderr, signals, and why it does not start.
 *
 * @module
 */
import {
  assert,
  assertEquals,
  assertLess,
  assertMatch,
  assertNotMatch,
  assertStringIncludes,
} from "@std/assert";
import { helpText } from "../src/cli/help_text.ts";
import { VERSION } from "../src/version.ts";
import { ChatClient } from "./support/chat_client.ts";
import { type Role, runProgram, startServer, type Variables } from "./support/program.ts";

const ROLES: readonly Role[] = ["chat", "listing"];
/** Milliseconds within which a signal ends the program, sockets open or not. */
const STOP_MS = 5000;

const SUPPORT = import.meta.dirname + "/support/";

/** A server that should not start: in memory and on a free port, but for `flags`. */
async function refusedStart(
  role: Role,
  flags: readonly string[],
  variables: Variables = {},
): Promise<string> {
  const { status, stdout, stderr } = await runProgram([role, ...flags], {
    CHATTER_HOSTNAME: "127.0.0.1",
    CHATTER_PORT: "0",
    CHATTER_KV: ":memory:",
    ...variables,
  });
  assertEquals({ status, stdout }, { status: 1, stdout: "" }, stderr);
  assertMatch(stderr, /^chatter: [^\n]+\n$/, "one line, and no stack");
  return stderr;
}

Deno.test("help goes to stdout with status 0, however it is asked for", async () => {
  const asked: [string[], "chat" | "listing" | undefined][] = [
    [[], undefined],
    [["help"], undefined],
    [["--help"], undefined],
    [["help", "chat"], "chat"],
    [["chat", "--help"], "chat"],
    [["listing", "-h"], "listing"],
  ];
  for (const [args, topic] of asked) {
    assertEquals(await runProgram(args), { status: 0, stdout: helpText(topic), stderr: "" }, args.join(" "));
  }
});

Deno.test("the version goes to stdout with the commit, the Deno and the platform that run it", async () => {
  const { status, stdout, stderr } = await runProgram(["--version"]);
  assertEquals({ status, stderr }, { status: 0, stderr: "" });
  const [, version, made] =
    /^chatter (\d+\.\d+\.\d+) \((.+), deno \d+\.\d+\.\d+, [a-z0-9_]+-[a-z0-9-]+\)\n$/.exec(stdout) ?? [];
  assertEquals(version, VERSION, stdout);
  const isBuilt = Boolean(Deno.env.get("CHATTER_BINARY"));
  assertMatch(made!, isBuilt ? /^commit (?:[0-9a-f]{12}(?:-dirty)?|unknown)$/ : /^source$/);
});

Deno.test("a wrong command line is one line on stderr with status 2", async () => {
  const wrong: [string[], Variables, string][] = [
    [["caht"], {}, 'chatter: there is no command "caht"; did you mean chat?\n'],
    [["chat", "--prot", "1"], {}, 'chatter: chatter chat has no flag "--prot"; did you mean --port?\n'],
    [["chat", "--port", "x"], {}, 'chatter: --port is "x"; allowed is a whole number from 0 to 65535\n'],
    [
      ["listing"],
      { CHATTER_CHECK_INTERVAL: "0" },
      'chatter: CHATTER_CHECK_INTERVAL is "0"; allowed is a whole number from 1 to 86400 (seconds)\n',
    ],
    [
      [],
      { CHATTER_ROLE: "x" },
      'chatter: CHATTER_ROLE is "x"; allowed is chat or listing, did you mean chat?\n',
    ],
  ];
  for (const [args, variables, stderr] of wrong) {
    assertEquals(await runProgram(args, variables), { status: 2, stdout: "", stderr });
  }
});

for (const role of ROLES) {
  Deno.test(`${role} on a port that is taken says so and how to go on`, async () => {
    using taken = Deno.listen({ hostname: "127.0.0.1", port: 0 });
    const { port } = taken.addr;
    const problem = await refusedStart(role, ["--port", String(port)]);
    assertStringIncludes(problem, `Cannot listen on 127.0.0.1:${port}: the port is taken.`);
    assertStringIncludes(problem, "--port");
  });

  Deno.test(`${role} on an address that is not of this machine says so`, async () => {
    // TEST-NET-1, RFC 5737: nobody has it.
    const problem = await refusedStart(role, ["--hostname", "192.0.2.1"]);
    assertStringIncludes(problem, "Cannot listen on 192.0.2.1:0: that is no address of this machine.");
    assertStringIncludes(problem, "--hostname");
  });

  Deno.test(`${role} with a store that cannot be used says where and what to do`, async () => {
    const folder = await Deno.makeTempDir();
    try {
      const garbage = `${folder}/garbage.db`;
      await Deno.writeTextFile(
        garbage,
        "this is no database, and it is long enough to be seen as none\n".repeat(100),
      );
      // As root a folder's permissions do not bind: nobody can make a folder inside of a file.
      for (const place of [folder, garbage, `${garbage}/sub/chat.db`]) {
        const problem = await refusedStart(role, ["--kv", place]);
        assertStringIncludes(problem, place);
        assertStringIncludes(problem, "--kv");
      }
    } finally {
      await Deno.remove(folder, { recursive: true });
    }
  });

  Deno.test(`${role} with TLS files that cannot be used says which and why`, async () => {
    const cert = SUPPORT + "localhost_cert.pem";
    const key = SUPPORT + "localhost_key.pem";
    const cases: [string, string, RegExp][] = [
      ["/nowhere/cert.pem", key, /Cannot read the file of --tls-cert: .*\/nowhere\/cert\.pem/],
      [cert, "/nowhere/key.pem", /Cannot read the file of --tls-key: .*\/nowhere\/key\.pem/],
      [key, cert, /Cannot use the files of --tls-cert and --tls-key/],
    ];
    for (const [tlsCert, tlsKey, says] of cases) {
      assertMatch(await refusedStart(role, ["--tls-cert", tlsCert, "--tls-key", tlsKey]), says);
    }
  });

  Deno.test(`${role} with a certificate and its key speaks TLS`, async () => {
    const cert = SUPPORT + "localhost_cert.pem";
    await using server = await startServer(role, [
      "--tls-cert",
      cert,
      "--tls-key",
      SUPPORT + "localhost_key.pem",
    ]);
    assertMatch(server.url, /^https:/);
    using client = Deno.createHttpClient({ caCerts: [await Deno.readTextFile(cert)] });
    const response = await fetch(`https://127.0.0.1:${server.port}/healthz`, { client });
    assertEquals(response.status, 200);
    await response.body?.cancel();
    assertEquals((await server.stop()).status, 0);
  });

  for (const signal of ["SIGTERM", "SIGINT"] as const) {
    Deno.test(`${role} ends with status 0 within 5 s of ${signal}, a stuck connection or not`, async () => {
      await using server = await startServer(role);
      // Half a request, and nobody who reads the answer.
      using stuck = await Deno.connect({ hostname: "127.0.0.1", port: server.port });
      await stuck.write(new TextEncoder().encode("GET / HTTP/1.1\r\nHost: x\r\n"));
      const { status, tookMs } = await server.stop(signal);
      assertEquals(status, 0, server.log);
      assertLess(tookMs, STOP_MS);
      assertNotMatch(server.log, /"level":"(ERROR|FATAL)"/);
    });
  }

  Deno.test(`${role} takes its flags from variables, and its role from CHATTER_ROLE`, async () => {
    using taken = Deno.listen({ hostname: "127.0.0.1", port: 0 });
    const { status, stderr } = await runProgram([], {
      CHATTER_ROLE: role,
      CHATTER_HOSTNAME: "127.0.0.1",
      CHATTER_PORT: String(taken.addr.port),
      CHATTER_KV: ":memory:",
      CHATTER_LISTING: role === "chat" ? "http://127.0.0.1:1" : "",
    });
    assertEquals(status, 1);
    assertStringIncludes(stderr, `Cannot listen on 127.0.0.1:${taken.addr.port}`);
  });

  Deno.test(`${role} keeps its data in the platform's folder, which it makes`, async () => {
    const folder = await Deno.makeTempDir();
    try {
      const home = { HOME: folder, XDG_DATA_HOME: `${folder}/data`, LOCALAPPDATA: folder, CHATTER_KV: "" };
      // Where Deno keeps its modules follows HOME too, and has to stay.
      const cache = Deno.env.get("DENO_DIR") ??
        `${Deno.env.get("XDG_CACHE_HOME") ?? `${Deno.env.get("HOME")}/.cache`}/deno`;
      await using server = await startServer(role, [], { ...home, DENO_DIR: cache });
      assertEquals((await server.stop()).status, 0);
      const files: string[] = [];
      const walk = async (path: string): Promise<void> => {
        for await (const { name, isDirectory } of Deno.readDir(path)) {
          if (isDirectory) await walk(`${path}/${name}`);
          else files.push(name);
        }
      };
      await walk(folder);
      assert(files.includes(`${role}.db`), files.join(" "));
    } finally {
      await Deno.remove(folder, { recursive: true });
    }
  });
}

for (const signal of ["SIGTERM", "SIGINT"] as const) {
  Deno.test(`chat tells an open WebSocket goodbye at ${signal}, and ends with status 0`, async () => {
    await using server = await startServer("chat");
    await using anna = await ChatClient.connect(server.url, "anna");
    const { status, tookMs } = await server.stop(signal);
    assertEquals(status, 0, server.log);
    assertLess(tookMs, STOP_MS);
    assertEquals((await anna.closed).code, 1001);
  });
}

Deno.test("chat ends in time although a WebSocket never reads and never answers the close", async () => {
  await using server = await startServer("chat");
  using stuck = await Deno.connect({ hostname: "127.0.0.1", port: server.port });
  await stuck.write(new TextEncoder().encode(
    "GET / HTTP/1.1\r\nHost: x\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n" +
      "Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==\r\n\r\n",
  ));
  const answer = new Uint8Array(4096);
  const size = await stuck.read(answer) ?? 0;
  assertMatch(new TextDecoder().decode(answer.subarray(0, size)), /^HTTP\/1\.1 101 /);
  const { status, tookMs } = await server.stop();
  assertEquals(status, 0, server.log);
  assertLess(tookMs, STOP_MS);
});

Deno.test("a second signal while it stops changes nothing", async () => {
  await using server = await startServer("chat");
  await using anna = await ChatClient.connect(server.url, "anna");
  server.kill("SIGINT");
  server.kill("SIGINT");
  server.kill("SIGTERM");
  assertEquals(await server.end(), { status: 0, signal: null });
  assertEquals((await anna.closed).code, 1001);
});

Deno.test("port 0 takes a free port, which the log names", async () => {
  await using server = await startServer("chat", ["--port", "0"]);
  assert(server.port > 0);
  await using anna = await ChatClient.connect(server.url, "anna");
  assertMatch(await anna.ask("c2/PING 5"), /^c2\/PING 5; \d+$/);
});

Deno.test("a variable sets what a user sees, and a flag wins over it", async () => {
  const names: [string[], string][] = [[[], "The Pub"], [["--name", "The Inn"], "The Inn"]];
  for (const [flags, name] of names) {
    await using server = await startServer("chat", [...flags, "--id", "7"], { CHATTER_NAME: "The Pub" });
    await using anna = await ChatClient.open(server.url);
    assertEquals(await anna.ask("c2/CONNECT anna"), `c2/ACKNOWLEDGE ${name}`);
    assertEquals(await anna.ask("c2/PING"), "c2/PING 7");
  }
});

Deno.test("chat lives on when nobody reads its log any more, and still stops cleanly", async () => {
  await using server = await startServer("chat");
  await server.ignoreLog();
  // Each is a line of the log: the first to fail would take the rest along.
  for (const signal of ["SIGINT", "SIGTERM"] as const) server.kill(signal);
  assertEquals(await server.end(), { status: 0, signal: null });
});

/**
 * The program from outside: exit statuses, what goes to stdout and to stderr, signals, and why it does not start.
 *
 * @module
 */
import { assert, assertEquals, assertMatch, assertNotMatch, assertStringIncludes } from "@std/assert";
import { helpText } from "../src/cli/help_text.ts";
import { VERSION } from "../src/version.ts";
import { ChatClient } from "./support/chat_client.ts";
import {
  commandLine,
  IS_OF_OLD_DENO,
  type Role,
  runProgram,
  startServer,
  type Variables,
} from "./support/program.ts";
import { RawPeer } from "./support/raw_peer.ts";
import { inTempFolder } from "./support/temp_folder.ts";

const ROLES: readonly Role[] = ["chat", "listing"];

const SUPPORT = import.meta.dirname + "/support/";

/** What a server that speaks TLS is started with beside its files: without, a chat server wants a later Deno. */
function forTls(role: Role): string[] {
  return role === "chat" && IS_OF_OLD_DENO ? ["--transport", "serve"] : [];
}

/** A server that should not start: in memory and on a free port, but for `flags`. */
async function refusedStart(
  role: Role | undefined,
  flags: readonly string[],
  variables: Variables = {},
): Promise<string> {
  const { status, stdout, stderr } = await runProgram([...(role === undefined ? [] : [role]), ...flags], {
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
  assertEquals(await runProgram([]), { status: 0, stdout: helpText(undefined), stderr: "" });
  assertEquals(await runProgram(["listing", "-h"]), { status: 0, stdout: helpText("listing"), stderr: "" });
});

Deno.test("the version goes to stdout with the commit, the Deno and the platform that run it", async () => {
  const { status, stdout, stderr } = await runProgram(["--version"]);
  assertEquals({ status, stderr }, { status: 0, stderr: "" });
  const [, version, made] =
    /^chatter (\d+\.\d+\.\d+) \((.+), deno \d+\.\d+\.\d+, [a-z0-9_]+-[a-z0-9-]+\)\n$/.exec(stdout) ?? [];
  assertEquals(version, VERSION, stdout);
  const isBuilt = Boolean(Deno.env.get("CHATTER_BINARY"));
  assertMatch(
    made!,
    isBuilt ? /^commit (?:[0-9a-f]{12}(?:-dirty)?|unknown)$/ : /^source(?: of commit [0-9a-f]{12})?$/,
  );
});

const GIT_LOG = ".git/logs/HEAD";
const AUTHOR = "A. Body <a@chat.example> 1800000000 +0000";
const [FIRST_COMMIT, SECOND_COMMIT] = ["a".repeat(40), "0123456789ab".padEnd(40, "c")];
const CLONED = `${"0".repeat(40)} ${FIRST_COMMIT} ${AUTHOR}\tclone: from x\n`;
const PULLED = `${FIRST_COMMIT} ${SECOND_COMMIT} ${AUTHOR}\tpull: y\n`;

/** What the program says of its version in a folder, where `log` has put git's log. */
async function versionIn(log: (file: string) => unknown): Promise<string> {
  let line = "";
  await inTempFolder(async (folder) => {
    for (const inner of ["src", ".git/logs"]) await Deno.mkdir(`${folder}/${inner}`, { recursive: true });
    for (const file of ["deno.json", "src/version.ts"]) {
      await Deno.copyFile(new URL(`../${file}`, import.meta.url), `${folder}/${file}`);
    }
    await log(`${folder}/${GIT_LOG}`);
    line = (await import(`file://${folder}/src/version.ts`)).versionLine();
  });
  return line;
}

Deno.test("a program that runs from a checkout names the commit that git has last logged there", async () => {
  const logged = /^chatter \S+ \(source of commit 0123456789ab, deno /;
  assertMatch(await versionIn((file) => Deno.writeTextFile(file, CLONED + PULLED)), logged);
  assertMatch(await versionIn((file) => Deno.writeTextFile(file, CLONED.repeat(1000) + PULLED)), logged);
});

Deno.test("a log of git that is none, has no end or steers a terminal names no commit, at once", async () => {
  const logs = [
    (file: string) => Deno.writeTextFile(file, `${FIRST_COMMIT} \x1b]0;title\x07 ${AUTHOR}\n`),
    (file: string) => Deno.symlink("/dev/zero", file),
    (file: string) => new Deno.Command("mkfifo", { args: [file] }).output(),
    (file: string) => Deno.mkdir(file),
  ];
  for (const log of Deno.build.os === "windows" ? logs.slice(0, 1) : logs) {
    assertMatch(await versionIn(log), /^chatter \S+ \(source, deno /);
  }
});

Deno.test("a wrong command line is one line on stderr with status 2", async () => {
  assertEquals(await runProgram(["listing"], { CHATTER_CHECK_INTERVAL: "0" }), {
    status: 2,
    stdout: "",
    stderr: 'chatter: CHATTER_CHECK_INTERVAL is "0"; allowed: a whole number from 1 to 86400 (seconds)\n',
  });
});

Deno.test({
  name: "output that cannot be written is one line on stderr with status 1, or the status alone",
  ignore: Deno.build.os !== "linux",
  async fn() {
    const toFull = async (place: string, ...args: string[]) => {
      const words = ["bash", "-c", `exec "$@" ${place}`, "bash", ...commandLine(), ...args];
      return await runProgram([], {}, { words });
    };
    assertEquals(await toFull(">/dev/full", "help"), {
      status: 1,
      stdout: "",
      stderr: "chatter: Cannot write the output: No space left on device (os error 28)\n",
    });
    const silent = { status: 1, stdout: "", stderr: "" };
    assertEquals(await toFull(">/dev/full 2>&1", "help"), silent);
    const client = ["client", "--plain", "--name", "anna", "ws://127.0.0.1:1"];
    assertEquals(await toFull("2>/dev/full", ...client), silent);
  },
});

Deno.test("a server on an address that is not of this machine says so", async () => {
  // TEST-NET-1, RFC 5737: no machine has this address.
  const problem = await refusedStart("chat", ["--hostname", "192.0.2.1"]);
  assertStringIncludes(problem, "Cannot listen on 192.0.2.1:0: this machine does not have this address.");
  assertStringIncludes(problem, "--hostname");
});

Deno.test("a server from variables alone, on a port that is taken, says so and how to go on", async () => {
  using taken = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  const { port } = taken.addr;
  const problem = await refusedStart(undefined, [], {
    CHATTER_ROLE: "listing",
    CHATTER_PORT: String(port),
  });
  assertStringIncludes(problem, `Cannot listen on 127.0.0.1:${port}: the port is in use.`);
  assertStringIncludes(problem, "--port");
});

for (const role of ROLES) {
  Deno.test(`${role} keeps its data in the platform's folder, which it makes, and ends with status 0 within 5 s of SIGTERM, a stuck connection or not`, async () => {
    const folder = await Deno.makeTempDir();
    try {
      const home = { HOME: folder, XDG_DATA_HOME: `${folder}/data`, LOCALAPPDATA: folder, CHATTER_KV: "" };
      // Where Deno keeps its modules follows HOME too, and has to stay.
      const cache = Deno.env.get("DENO_DIR") ??
        `${Deno.env.get("XDG_CACHE_HOME") ?? `${Deno.env.get("HOME")}/.cache`}/deno`;
      await using server = await startServer(role, [], { ...home, DENO_DIR: cache });
      using _half = await stuckAt(server.port);
      assertStopped(await server.stop("SIGTERM"), server.log);
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

Deno.test("a store that cannot be used is named, and what to do about it", () =>
  inTempFolder(async (folder) => {
    const [inside, file] = [`${folder}/inside`, `${folder}/notes.txt`];
    // The lock is made beside what is no store, too.
    await Deno.mkdir(inside);
    await Deno.writeTextFile(file, "mine");
    // Permissions of a folder do not bind root, but even root cannot make a folder inside a file.
    for (const [role, place] of [["chat", inside], ["listing", `${file}/sub/chat.db`]] as const) {
      const problem = await refusedStart(role, ["--kv", place]);
      assertStringIncludes(problem, place);
      assertStringIncludes(problem, "--kv");
    }
  }));

Deno.test("TLS files that cannot be used are named, and why", async () => {
  const cert = SUPPORT + "localhost_cert.pem";
  const key = SUPPORT + "localhost_key.pem";
  const cases: [Role, string, string, RegExp][] = [
    ["listing", cert, "/nowhere/key.pem", /Cannot read the file of --tls-key: .*\/nowhere\/key\.pem/],
    ["chat", key, cert, /Cannot use the files of --tls-cert and --tls-key/],
    // By Deno.serve and not by node:tls, which fail in other ways.
    ["listing", key, cert, /Cannot use the files of --tls-cert and --tls-key/],
  ];
  for (const [role, tlsCert, tlsKey, says] of cases) {
    const flags = ["--tls-cert", tlsCert, "--tls-key", tlsKey, ...forTls(role)];
    assertMatch(await refusedStart(role, flags), says);
  }
});

/** Sends a server half a request, and reads no answer. */
async function stuckAt(port: number): Promise<Deno.TcpConn> {
  const stuck = await Deno.connect({ hostname: "127.0.0.1", port });
  await stuck.write(new TextEncoder().encode("GET / HTTP/1.1\r\nHost: x\r\n"));
  return stuck;
}

function assertStopped(stop: { status: number; isInTime: boolean }, log: string): void {
  assertEquals(stop, { status: 0, isInTime: true }, log);
  assertNotMatch(log, /"level":"(ERROR|FATAL)"/);
}

Deno.test("chat ends with status 0 within 5 s of a signal, tells WebSockets goodbye, waits for none that is stuck, and ignores more signals", async () => {
  await using server = await startServer("chat");
  await using anna = await ChatClient.connect(server.url, "anna");
  // It never reads, and never answers the close.
  await using _mute = await RawPeer.open(server.url);
  server.kill("SIGINT");
  server.kill("SIGINT");
  assertStopped(await server.stop("SIGTERM"), server.log);
  assertEquals((await anna.closed).code, 1001);
});

Deno.test("chat lives on after the reader of its log is gone, and still stops cleanly", async () => {
  await using server = await startServer("chat");
  await server.ignoreLog();
  // Each is a line of the log: the first to fail would take the rest along.
  for (const signal of ["SIGINT", "SIGTERM"] as const) server.kill(signal);
  assertEquals(await server.end(), { status: 0, signal: null });
});

/**
 * The package `@chatter/client` as npm and JSR get it: what others' checkers say of it, and docs/client.md followed in
 * an empty folder, on each platform that it names, against a real server.
 *
 * @module
 */
/// <reference lib="dom" />
import { assert, assertEquals, assertLess, assertMatch } from "@std/assert";
import { Chat } from "../../src/client/mod.ts";
import { type ClientPackage, makeClientPackage } from "../../tools/client_package.ts";
import { releasesIn } from "../../tools/release_notes.ts";
import { testInBrowser } from "../support/browser.ts";
import { startTestChat } from "../support/chat_server.ts";
import { CuttingProxy } from "../support/cutting_proxy.ts";
import { freePort } from "../support/free_port.ts";
import { PATIENCE_MS } from "../support/patience.ts";

const EXAMPLES = new URL("../../docs/examples/", import.meta.url).pathname;
/** The checkers and what a program may have beside the package, by the versions that were tried. */
const PUBLINT = "publint@0.3.25";
const ATTW = "@arethetypeswrong/cli@0.18.5";
const BESIDE = ["ws@8.23.0", "@types/ws@8.18.2", "@types/node@22.20.7", "typescript@5.9.3"];
/** Bytes of a page that joins and says something, minified and compressed. */
const BUNDLE_BYTES_MAX = 20_480;

let work = "";
let made: ClientPackage;

Deno.test.beforeAll(async () => {
  work = await Deno.makeTempDir({ prefix: "chatter_" });
  made = await makeClientPackage(work);
  await Deno.mkdir(`${work}/bot`);
  await run("npm", ["init", "-y"]);
  await run("npm", ["install", "--no-audit", "--no-fund", made.tarball, ...BESIDE]);
  for (const name of ["bot", "echo_bot", "webhook"]) {
    await Deno.copyFile(`${EXAMPLES}${name}.mjs`, `${work}/bot/${name}.mjs`);
  }
});
Deno.test.afterAll(() => Deno.remove(work, { recursive: true }));

/** Runs a program in the folder of the bot to its end. Throws with its output if it fails. */
async function run(command: string, args: string[], cwd = `${work}/bot`): Promise<string> {
  const { success, stdout, stderr } = await new Deno.Command(command, {
    args,
    cwd,
    env: { NO_COLOR: "1" },
    stdin: "null",
  }).output();
  const output = new TextDecoder().decode(stdout) + new TextDecoder().decode(stderr);
  assert(success, `${command} ${args.join(" ")}:\n${output}`);
  return output;
}

/** A program that runs until the test has seen enough of it; then Ctrl-C ends it with status 0. */
async function during(
  [command = "", ...args]: string[],
  env: Record<string, string>,
  use: () => Promise<void>,
): Promise<void> {
  const child = new Deno.Command(command, {
    args,
    cwd: `${work}/bot`,
    env,
    stdin: "null",
    stdout: "piped",
    stderr: "piped",
  }).spawn();
  const patience = setTimeout(() => child.kill("SIGKILL"), PATIENCE_MS);
  const ended = child.output().then(({ code, stdout, stderr }) => {
    clearTimeout(patience);
    assertEquals(code, 0, new TextDecoder().decode(stdout) + new TextDecoder().decode(stderr));
    return "ended";
  });
  const used = await Promise.race([use(), ended]);
  assertEquals(used, undefined, "the program ended by itself");
  child.kill("SIGINT");
  await ended;
}

/** The Node of a version, from npm. */
async function nodeOf(version: number): Promise<string> {
  const path = (await run("npx", ["-y", `node@${version}`, "-p", "process.execPath"])).trim();
  assertMatch(await run(path, ["--version"]), new RegExp(`^v${version}\\.`));
  return path;
}

/** A user of the test who joins before the program, and the text of the next message of `name`. */
async function watcher(url: string) {
  const chat = await Chat.connect(url, { name: "alice" });
  const messages = chat.messages();
  const next = async (name: string) => {
    for (let { value } = await messages.next();; { value } = await messages.next()) {
      if (value.username === name) return value.text;
    }
  };
  return { chat, next, [Symbol.asyncDispose]: () => chat.leave() };
}

Deno.test("the tarball has the code, its types and its documents, and npm's checkers find nothing", async () => {
  const files = (await run("tar", ["-tzf", made.tarball])).trim().split("\n")
    .filter((path) => !path.endsWith("/")).map((path) => path.slice("package/".length));
  assertEquals(files.filter((path) => !path.startsWith("src/")).toSorted(), [
    "CHANGELOG.md",
    "LICENSE",
    "README.md",
    "package.json",
  ]);
  assertEquals(files.filter((path) => path.startsWith("src/") && !/\.(?:js|d\.ts)$/.test(path)), []);
  const manifest = JSON.parse(
    await Deno.readTextFile(`${work}/bot/node_modules/@chatter/client/package.json`),
  );
  const { name, version, dependencies, engines } = manifest;
  assertEquals([name, dependencies, engines], ["@chatter/client", undefined, { node: ">=18" }]);
  const [newest] = releasesIn(await Deno.readTextFile(`${made.folder}/CHANGELOG.md`));
  assertEquals(newest?.version, version);
  assertMatch(await run("npx", ["-y", PUBLINT, made.tarball, "--strict"]), /All good/);
  assertMatch(
    await run("npx", ["-y", ATTW, made.tarball, "--profile", "esm-only"]),
    /node16 \(from ESM\).*🟢/,
  );
});

Deno.test("JSR takes the folder, without slow types", async () => {
  const output = await run(Deno.execPath(), ["publish", "--dry-run", "--allow-dirty"], made.folder);
  assertMatch(output, /Success/);
});

Deno.test("a strict TypeScript program compiles against the types, with WebSockets of ws too", async () => {
  const program = `
    import { Chat, ChatError, type ChatEvent, type Message } from "@chatter/client";
    import WebSocket from "ws";
    const chat: Chat = await Chat.connect("ws://localhost", { name: "a", WebSocket, signal: AbortSignal.timeout(1) });
    await Chat.connect(new URL("ws://localhost"), { name: "b", WebSocket: globalThis.WebSocket });
    const id: string = await chat.say("hello");
    const page: readonly Message[] = await chat.history({ before: id });
    for await (const event of chat.events("joined", "gap")) {
      if (event.type === "joined") event.username.length;
      // @ts-expect-error -- a gap has no name
      else event.username;
    }
    chat.on("edited", ({ message }) => message.uuid);
    // @ts-expect-error -- there is no such event
    chat.on("nothing", () => {});
    // @ts-expect-error -- only connect makes a chat
    new Chat("ws://localhost", { name: "a" });
    function all(event: ChatEvent): void {
      if (event.type === "ended") { const error: ChatError = event.error; if (error.code === "KICKED") page.at(0); }
      // @ts-expect-error -- there is no such code
      if (event.type === "ended" && event.error.code === "NOTHING") page.at(0);
    }
    for await (const event of chat.events()) all(event);
  `;
  await Deno.writeTextFile(`${work}/bot/typed.mts`, program);
  const flags = [
    "--noEmit",
    "--strict",
    "--skipDefaultLibCheck",
    "--exactOptionalPropertyTypes",
    "--noUncheckedIndexedAccess",
  ];
  const target = ["--target", "es2022", "--module", "nodenext", "--types", "node"];
  await run("npx", ["tsc", ...flags, ...target, "typed.mts"]);
});

const PLATFORMS: readonly (readonly [string, (file: string) => Promise<string[]>, isGiven?: boolean])[] = [
  ["Node 22", async (file) => [await nodeOf(22), file]],
  ["Node 18 with the WebSocket of ws", async (file) => [await nodeOf(18), file], true],
  ["Deno", (file) => Promise.resolve([Deno.execPath(), "run", "--quiet", "--allow-net", file])],
];

for (const [name, start, isGiven] of PLATFORMS) {
  Deno.test(`the bot of ten lines answers on ${name}, resumes a cut connection, and leaves at Ctrl-C`, async () => {
    await using server = await startTestChat();
    await using proxy = new CuttingProxy({ target: server.port });
    await using alice = await watcher(server.url);
    const text = await Deno.readTextFile(`${EXAMPLES}bot.mjs`);
    assert(text.split("\n").length <= 11);
    const left = alice.chat.events("left");
    let file = "bot.mjs";
    if (isGiven) {
      file = "given.mjs";
      const given = text.replace("import ", 'import WebSocket from "ws";\nimport ').replace(
        '"clock" }',
        '"clock", WebSocket }',
      );
      await Deno.writeTextFile(`${work}/bot/${file}`, given);
    }
    await during([...await start(file), proxy.url], {}, async () => {
      assertEquals(await alice.next("clock"), "I say what time it is: !time");
      proxy.cutAll();
      await alice.chat.say("!time");
      assertMatch(await alice.next("clock"), /^It is .* GMT$/);
    });
    assertEquals((await left.next()).value.kind, "disconnect");
  });
}

Deno.test("the echo bot answers, and follows an edit and a deletion of the question", async () => {
  await using server = await startTestChat();
  await using alice = await watcher(server.url);
  const joined = alice.chat.events("joined");
  await during([await nodeOf(22), "echo_bot.mjs", server.url], {}, async () => {
    await joined.next();
    const changes = alice.chat.events("edited", "deleted");
    const change = async () => {
      for (let { value } = await changes.next();; { value } = await changes.next()) {
        if (value.message.username === "echo") return [value.type, value.message.text];
      }
    };
    await alice.chat.say("not for the bot");
    const id = await alice.chat.say("!echo one");
    assertEquals(await alice.next("echo"), "one");
    await alice.chat.edit(id, "!echo two");
    assertEquals(await change(), ["edited", "two"]);
    await alice.chat.delete(id);
    assertEquals(await change(), ["deleted", ""]);
  });
});

Deno.test("the bridge says what is posted with its token, and refuses the rest", async () => {
  await using server = await startTestChat();
  await using alice = await watcher(server.url);
  const joined = alice.chat.events("joined");
  const port = String(freePort());
  const env = { CHAT_URL: server.url, HOOK_PORT: port, HOOK_TOKEN: "secret" };
  const post = async (body: string, token = "secret") => {
    const headers = { authorization: `Bearer ${token}` };
    const answer = await fetch(`http://127.0.0.1:${port}`, { method: "POST", headers, body });
    return [answer.status, (await answer.text()).trim()] as const;
  };
  await during([await nodeOf(22), "webhook.mjs"], env, async () => {
    await joined.next();
    // It opens its port after it has joined.
    let posted = await post("Build 17 passed").catch(() => undefined);
    while (posted === undefined) posted = await post("Build 17 passed").catch(() => undefined);
    const [message] = await alice.chat.history({ limit: 1 });
    assertEquals([...posted, await alice.next("hooks")], [200, message!.uuid, "Build 17 passed"]);
    assertEquals((await post("no", "wrong"))[0], 401);
    assertEquals((await post(""))[0], 422);
    assertEquals((await post("a".repeat(4001)))[0], 413);
  });
});

testInBrowser("a page that a bundler made joins, and says and shows messages", async (stage) => {
  const program = `
    import { Chat } from "@chatter/client";
    const chat = await Chat.connect(new URLSearchParams(location.search).get("server"), { name: "page" });
    chat.on("message", ({ message }) => document.body.append(message.username + ": " + message.text + "; "));
    document.title = await chat.say("hello");
  `;
  await Deno.writeTextFile(`${work}/bot/page.mjs`, program);
  const flags = ["--platform=browser", "--minify", "--quiet", "--output=page.js"];
  await run(Deno.execPath(), ["bundle", ...flags, "page.mjs"]);
  const script = await Deno.readFile(`${work}/bot/page.js`);
  const compressed = new Blob([script]).stream().pipeThrough(new CompressionStream("gzip"));
  assertLess((await new Response(compressed).bytes()).length, BUNDLE_BYTES_MAX);
  await using server = await startTestChat();
  await using alice = await watcher(server.url);
  const page =
    `<!DOCTYPE html><link rel="icon" href="data:,"><body><script type="module" src="/page.js"></script>`;
  const web = Deno.serve({ hostname: "127.0.0.1", port: 0, onListen: () => {} }, ({ url }) => {
    const isScript = new URL(url).pathname === "/page.js";
    const headers = { "content-type": isScript ? "text/javascript" : "text/html" };
    return new Response(isScript ? script : page, { headers });
  });
  const visitor = await stage.visitor();
  await visitor.goto(`http://127.0.0.1:${web.addr.port}/?server=${encodeURIComponent(server.url)}`);
  assertEquals(await alice.next("page"), "hello");
  await alice.chat.say("hi");
  await visitor.waitForFunction(() => document.body.textContent.includes("page: hello; alice: hi; "));
  await visitor.close();
  await web.shutdown();
});

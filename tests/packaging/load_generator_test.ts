/**
 * The load generator against servers in the test's own process: Chatter, which passes, and rooms that lose, double,
 * swap and change messages, which do not. Nothing here is about speed.
 *
 * Skipped where there is no C compiler or no epoll, and says so in the tests' names.
 *
 * @module
 */
import { assertEquals, assertGreater, assertMatch } from "@std/assert";
import { buildLoadGenerator, findCompiler, runLoadGenerator } from "../../bench/comparison/load_generator.ts";
import { testOverEachTransport } from "../support/chat_server.ts";

const compiler = Deno.build.os === "linux" ? await findCompiler() : undefined;
const SKIPPED = compiler === undefined ? "SKIPPED, since there is no C compiler or no epoll: " : "";
const ROOMY = { maxUsers: 1000, floodBurst: 1_000_000, floodRate: 1_000_000, maxUnansweredFrames: 1_000_000 };

/** Built once, since all tests of this file run in one process, one after the other. */
let built: Promise<string> | undefined;
const folder = compiler === undefined ? "" : await Deno.makeTempDir();
globalThis.addEventListener("unload", () => {
  if (folder !== "") Deno.removeSync(folder, { recursive: true });
});

async function generate(url: string, ...args: string[]) {
  built ??= buildLoadGenerator(compiler!, folder);
  const { port } = new URL(url);
  return await runLoadGenerator(await built, [
    args[0] ?? "",
    ...["--port", port, "--warmup", "0.05", "--seconds", "0.2"],
    ...args.slice(1),
  ]);
}

function testGenerator(name: string, fn: () => Promise<void>): void {
  Deno.test({ name: SKIPPED + name, ignore: compiler === undefined, fn });
}

if (compiler === undefined) Deno.test({ name: `${SKIPPED}the generator and Chatter`, ignore: true, fn() {} });
else {
  testOverEachTransport("the load generator finds nothing wrong with a closed loop", async (start) => {
    await using chat = await start({ limits: ROOMY });
    const { figures, problem } = await generate(
      chat.url,
      ...["closed", "--clients", "5", "--senders", "2", "--outstanding", "3"],
    );
    assertEquals(problem, undefined);
    assertGreater(figures.deliveries_checked, 0);
    assertGreater(figures.checked_in_full, 0);
  });

  testOverEachTransport("nor with messages at a pace", async (start) => {
    await using chat = await start({ limits: ROOMY });
    const { figures, problem } = await generate(
      chat.url,
      ...["paced", "--clients", "4", "--senders", "2", "--rate", "100"],
    );
    assertEquals(problem, undefined);
    assertGreater(figures.deliveries_checked, 0);
  });

  testOverEachTransport("nor with idle sessions, all of which are there at the end", async (start) => {
    await using chat = await start({ limits: ROOMY });
    const { figures, problem } = await generate(chat.url, ...["idle", "--clients", "30", "--hold", "0.05"]);
    assertEquals(problem, undefined);
    assertEquals(figures.clients, 30);
  });
}

/** What a room does with a message for one of those in it: the n-th that this one is told. */
type Telling = (listener: WebSocket, text: string, n: number) => void;

async function inRoom(tell: Telling, args: readonly string[]) {
  const told = new Map<WebSocket, number>();
  const server = Deno.serve({ hostname: "127.0.0.1", port: 0, onListen: () => {} }, (request) => {
    const { socket, response } = Deno.upgradeWebSocket(request);
    let name = "";
    socket.onmessage = ({ data }) => {
      const [type = "", rest = ""] = data.split(/ (.*)/s);
      socket.send("c2/ACKNOWLEDGE");
      if (type === "c2/CONNECT") {
        name = rest;
        told.set(socket, 0);
        return;
      }
      const [timestamp = "", text = ""] = rest.split("; ");
      const message = `c2/MSG ${name}; ${timestamp}; ${crypto.randomUUID()}; ${text}`;
      for (const [listener, n] of told) {
        told.set(listener, n + 1);
        tell(listener, message, n);
      }
    };
    socket.onclose = socket.onerror = () => told.delete(socket);
    return response;
  });
  try {
    return await generate(`http://127.0.0.1:${server.addr.port}`, ...args);
  } finally {
    await server.shutdown();
  }
}

const SOME = ["closed", "--clients", "3", "--senders", "1", "--outstanding", "4"];

testGenerator("a room that tells everyone everything is right", async () => {
  const { problem } = await inRoom((listener, text) => listener.send(text), SOME);
  assertEquals(problem, undefined);
});

testGenerator("a message that one client never gets is found", async () => {
  const { problem } = await inRoom((listener, text, n) => n === 5 || listener.send(text), SOME);
  assertMatch(problem ?? "", /^client \d got message 6 of sender 0 and not 5: lost or out of order/);
});

testGenerator("a message that comes twice is found", async () => {
  const { problem } = await inRoom((listener, text, n) => {
    listener.send(text);
    if (n === 5) listener.send(text);
  }, SOME);
  assertMatch(problem ?? "", /^client \d got message 5 of sender 0 and not 6: twice or out of order/);
});

testGenerator("two messages in the wrong order are found", async () => {
  const held = new Map<WebSocket, string>();
  const { problem } = await inRoom((listener, text, n) => {
    if (n === 5) held.set(listener, text);
    else listener.send(text);
    if (n === 6) listener.send(held.get(listener)!);
  }, SOME);
  assertMatch(problem ?? "", /^client \d got message 6 of sender 0 and not 5: lost or out of order/);
});

testGenerator("a message under somebody else's name is found", async () => {
  const { problem } = await inRoom(
    (listener, text) => listener.send(text.replace(/MSG u\d+/, "MSG mallory")),
    SOME,
  );
  assertMatch(problem ?? "", /^client \d got a message that was changed/);
});

testGenerator("a client that is cut off is found", async () => {
  const { problem } = await inRoom(
    (listener, text, n) => n === 5 ? listener.close() : listener.send(text),
    SOME,
  );
  assertMatch(problem ?? "", /^client \d (?:got a close|was closed)/);
});

testGenerator("answers over HTTP are counted, and 304s are told apart", async () => {
  const server = Deno.serve({ hostname: "127.0.0.1", port: 0, onListen: () => {} }, (request) => {
    const headers = { etag: '"one"' };
    return request.headers.get("if-none-match") === '"one"'
      ? new Response(null, { status: 304, headers })
      : new Response("x".repeat(1000), { headers });
  });
  try {
    const url = `http://127.0.0.1:${server.addr.port}`;
    const whole = await generate(url, ...["http", "--clients", "2"]);
    assertEquals([whole.problem, whole.figures.share_304, whole.figures.bytes_of_a_body], [
      undefined,
      0,
      1000,
    ]);
    const conditional = await generate(url, ...["http", "--clients", "2", "--conditional"]);
    assertEquals([conditional.problem, conditional.figures.share_304], [undefined, 1]);
  } finally {
    await server.shutdown();
  }
});

testGenerator("the requests of a file are sent as they are, each once where that is asked for", async () => {
  const asked: string[] = [];
  const server = Deno.serve({ hostname: "127.0.0.1", port: 0, onListen: () => {} }, async (request) => {
    asked.push(`${request.method} ${new URL(request.url).pathname} ${await request.text()}`);
    return new Response(null, { status: 201 });
  });
  const file = `${folder}/requests`;
  const bodies = Array.from({ length: 30 }, (_, i) => `body ${i}`);
  const requests = bodies.map((body, i) =>
    `PUT /servers/${i} HTTP/1.1\r\nhost: here\r\ncontent-length: ${body.length}\r\n\r\n${body}\0`
  );
  await Deno.writeTextFile(file, requests.join(""));
  try {
    const url = `http://127.0.0.1:${server.addr.port}`;
    const args = ["http", "--clients", "4", "--requests", file, "--warmup", "0"];
    const once = await generate(url, ...args, "--once");
    assertEquals(once.problem, undefined);
    assertEquals(asked.toSorted(), bodies.map((body, i) => `PUT /servers/${i} ${body}`).toSorted());
    await generate(url, ...args);
    assertGreater(asked.length, 3 * bodies.length, "and over and over where it is not");
  } finally {
    await server.shutdown();
  }
});

/**
 * `chatter client --plain` in a pipe: its input, its output and its exit status.
 *
 * @module
 */
import { assert, assertEquals, assertMatch, assertStringIncludes } from "@std/assert";
import { eventLine } from "../../terminal/plain_client.ts";
import { AdminApi, TOKEN } from "../support/admin_api.ts";
import { ChatClient } from "../support/chat_client.ts";
import { startTestChat } from "../support/chat_server.ts";
import { freePort } from "../support/free_port.ts";
import { commandLine, startServer } from "../support/program.ts";
import { PATIENCE_MS } from "../support/patience.ts";

/** The program in a pipe. */
class PlainClient implements AsyncDisposable {
  readonly #child: Deno.ChildProcess;
  readonly #input: WritableStreamDefaultWriter<Uint8Array>;
  readonly #stdout: ReadableStreamDefaultReader<string>;
  readonly #reading: Promise<unknown>;
  readonly #patience: ReturnType<typeof setTimeout>;
  #changed = Promise.withResolvers<void>();
  #isEnded = false;
  stdout = "";
  stderr = "";

  constructor(...args: string[]) {
    const [command, ...words] = commandLine();
    this.#child = new Deno.Command(command, {
      args: [...words, "client", "--plain", ...args],
      env: { NO_COLOR: "1", USER: "" },
      stdin: "piped",
      stdout: "piped",
      stderr: "piped",
    }).spawn();
    this.#input = this.#child.stdin.getWriter();
    this.#stdout = this.#child.stdout.pipeThrough(new TextDecoderStream()).getReader();
    this.#patience = setTimeout(() => this.#kill(), PATIENCE_MS);
    this.#reading = Promise.all([
      this.#read(this.#stdout, (text) => this.stdout += text),
      this.#read(
        this.#child.stderr.pipeThrough(new TextDecoderStream()).getReader(),
        (text) => this.stderr += text,
      ),
    ]).then(() => {
      this.#isEnded = true;
      this.#changed.resolve();
    });
  }

  async write(text: string): Promise<void> {
    await this.#input.write(new TextEncoder().encode(text));
  }

  /** Waits until stdout or stderr has this. */
  async until(text: string): Promise<void> {
    while (!this.stdout.includes(text) && !this.stderr.includes(text)) {
      if (this.#isEnded) throw new Error(`${text} did not come; it wrote ${this.stdout} and ${this.stderr}`);
      await this.#changed.promise;
    }
  }

  /** Closes the reading end of stdout. */
  async stopReading(): Promise<void> {
    await this.#stdout.cancel();
  }

  signal(signal: Deno.Signal): void {
    this.#child.kill(signal);
  }

  /** Ends stdin, and waits for the end. */
  async end(): Promise<{ status: number; stdout: string; stderr: string }> {
    await this.#input.close().catch(() => {});
    await this.#reading;
    const { code } = await this.#child.status;
    clearTimeout(this.#patience);
    return { status: code, stdout: this.stdout, stderr: this.stderr };
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#kill();
    await this.end();
  }

  #kill(): void {
    try {
      this.#child.kill("SIGKILL");
    } catch {
      // It has ended already.
    }
  }

  async #read(reader: ReadableStreamDefaultReader<string>, take: (text: string) => void): Promise<void> {
    for (let next = await reader.read(); !next.done; next = await reader.read()) {
      take(next.value);
      this.#changed.resolve();
      this.#changed = Promise.withResolvers();
    }
  }
}

/** Lines without ids and times. */
function plain(stdout: string): string[] {
  return stdout.split("\n").slice(0, -1).map((line) => line.replace(/; [0-9]+; [0-9a-f-]{36}; /, "; "));
}

/** The texts that the server keeps, the oldest first. */
async function kept(url: string): Promise<string[]> {
  await using reader = await ChatClient.connect(url, "reader");
  const texts: string[] = [];
  for (let before = "";;) {
    const answer = await reader.ask(`c2/QUERY history; 200${before}`);
    const page = JSON.parse(answer.slice("c2/ACKNOWLEDGE ".length));
    if (page.length === 0) return texts;
    texts.unshift(...page.map(({ message }: { message: string }) => message));
    before = `; ${page[0].uuid}`;
  }
}

Deno.test("lines of stdin are said, frames come out, and the end of stdin is a leaving with status 0", async () => {
  const server = await startTestChat();
  try {
    await using bob = await ChatClient.connect(server.url, "bob");
    await using client = new PlainClient(server.url, "--name", "alice");
    await client.write("hello; all\n\n  two  \r\nthree without an end");
    await client.until("c2/MSG alice");
    await bob.say("back\\slash\nand \x1b[2J");
    const { status, stdout, stderr } = await client.end();
    assertEquals({ status, stderr }, { status: 0, stderr: "" });
    const lines = plain(stdout);
    assertEquals(lines.filter((line) => line.startsWith("c2/MSG bob")), [
      "c2/MSG bob; back\\\\slash\\nand \\u{1b}[2J",
    ]);
    assertEquals(lines.filter((line) => !line.startsWith("c2/MSG bob")), [
      "c2/JOIN alice",
      "c2/MSG alice; hello; all",
      "c2/MSG alice;   two  ",
      "c2/MSG alice; three without an end",
      "c2/DISCONNECT disconnect; alice",
    ]);
  } finally {
    await server.stop();
  }
});

Deno.test("many lines at once are all said once and in order, though a server takes only so many a second", async () => {
  const server = await startTestChat({ limits: { floodBurst: 40, floodRate: 200 } });
  try {
    const lines = Array.from({ length: 300 }, (_, i) => `line ${i}`);
    await using client = new PlainClient(server.url, "--name", "alice");
    await client.write(lines.join("\n"));
    const { status, stderr } = await client.end();
    assertEquals({ status, stderr }, { status: 0, stderr: "" });
    assertEquals(await kept(server.url), lines);
  } finally {
    await server.stop();
  }
});

Deno.test("refused messages are reported on stderr, the others are sent, and the status is 1", async () => {
  const server = await startTestChat({ limits: { maxMessageLength: 10 } });
  try {
    await using client = new PlainClient(server.url, "--name", "alice");
    await client.write("short\nmuch too long for it\nagain\n");
    const { status, stderr } = await client.end();
    assertEquals(status, 1);
    assertMatch(stderr, /^chatter: Not sent: Message is too long: [^\n]+: much too long for it\n$/);
    assertEquals(await kept(server.url), ["short", "again"]);
  } finally {
    await server.stop();
  }
});

Deno.test("a server that is not there, refuses or bans is one line on stderr and status 1", async () => {
  const server = await startTestChat({ adminToken: TOKEN });
  try {
    await using away = new PlainClient("ws://127.0.0.1:1", "--name", "alice");
    const unreachable = await away.end();
    assertEquals(unreachable.status, 1);
    assertMatch(unreachable.stderr, /^chatter: Cannot reach ws:\/\/127\.0\.0\.1:1: [^\n]+\n$/);

    await using _bob = await ChatClient.connect(server.url, "bob");
    await using taken = new PlainClient(server.url, "--name", "bob");
    const refused = await taken.end();
    assertEquals(refused.status, 1);
    assertMatch(refused.stderr, /^chatter: ws:\S+ refused: Username is in use[^\n]+\n$/);

    await using alice = new PlainClient(server.url, "--name", "alice");
    await alice.until("c2/JOIN alice");
    await new AdminApi(server.url).post("bans", { name: "alice", message: "be kind" });
    await alice.until("banned");
    const banned = await alice.end();
    assertEquals(banned.status, 1);
    assertEquals(banned.stderr, "chatter: You are banned from this server: be kind\n");
    assertStringIncludes(banned.stdout, "c2/DISCONNECT ban; alice; be kind\n");
  } finally {
    await server.stop();
  }
});

Deno.test("a missing name is status 2", async () => {
  await using nameless = new PlainClient("127.0.0.1:1");
  const missing = await nameless.end();
  assertEquals(missing.status, 2);
  assertMatch(missing.stderr, /^chatter: [^\n]+needs --name[^\n]+\n$/);
});

Deno.test("a server that is killed and started again under way has every line once, and the client missed nothing", async () => {
  const folder = await Deno.makeTempDir();
  try {
    const flags = ["--kv", `${folder}/chat.db`, "--flood-rate", "0", "--port", String(freePort())];
    const lines = Array.from({ length: 200 }, (_, i) => `line ${i}`);
    await using first = await startServer("chat", flags);
    await using client = new PlainClient(first.url, "--name", "alice");
    const writing = client.write(lines.join("\n") + "\n");
    await client.until("; line 50\n");
    await first.stop("SIGKILL");
    await client.until("reconnecting");
    await using second = await startServer("chat", flags);
    await client.until("Reconnected to");
    await writing;
    const { status, stdout, stderr } = await client.end();
    assertEquals(status, 0, stderr);
    assertStringIncludes(stderr, "you missed nothing");
    assertEquals(await kept(second.url), lines);
    const texts = plain(stdout).filter((line) => line.startsWith("c2/MSG")).map((line) =>
      line.split("; ")[1]
    );
    assertEquals(texts, lines);
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
});

Deno.test("SIGINT and SIGTERM leave with status 0, by DISCONNECT", async () => {
  const server = await startTestChat();
  try {
    for (const signal of ["SIGINT", "SIGTERM"] as const) {
      await using client = new PlainClient(server.url, "--name", "alice");
      await client.until("c2/JOIN alice");
      client.signal(signal);
      await client.until("c2/DISCONNECT disconnect; alice");
      assertEquals((await client.end()).status, 0);
    }
  } finally {
    await server.stop();
  }
});

Deno.test("when the reader closes the pipe, the client leaves with status 0", async () => {
  const server = await startTestChat();
  try {
    await using bob = await ChatClient.connect(server.url, "bob");
    await using client = new PlainClient(server.url, "--name", "alice");
    await client.until("c2/JOIN alice");
    await client.stopReading();
    // The first write fails: its pipe has no reader.
    bob.send("c2/MSG 1; hello");
    for (let frame = ""; frame !== "c2/DISCONNECT disconnect; alice";) frame = await bob.next();
    const { status, stderr } = await client.end();
    assertEquals({ status, stderr }, { status: 0, stderr: "" });
  } finally {
    await server.stop();
  }
});

Deno.test("on a server without c2.live, lines are sent and received all the same", async () => {
  const server = await startTestChat();
  // A proxy in between that drops the subprotocol c2.live.
  await using relay = Deno.serve({ hostname: "127.0.0.1", port: 0, onListen() {} }, (request) => {
    const { socket, response } = Deno.upgradeWebSocket(request);
    const behind = new WebSocket(server.url.replace("http", "ws"));
    const early: string[] = [];
    behind.onopen = () => early.splice(0).forEach((text) => behind.send(text));
    behind.onmessage = ({ data }) => socket.send(data);
    behind.onclose = ({ code, reason }) => socket.readyState === socket.OPEN && socket.close(code, reason);
    socket.onmessage = ({ data }) => behind.readyState === behind.OPEN ? behind.send(data) : early.push(data);
    socket.onclose = () => behind.close();
    return response;
  });
  try {
    await using client = new PlainClient(`127.0.0.1:${relay.addr.port}`, "--name", "alice");
    await client.write("one\none\ntwo\n");
    const { status, stdout, stderr } = await client.end();
    assertEquals({ status, stderr }, { status: 0, stderr: "" });
    assertEquals(plain(stdout), [
      "c2/MSG alice; one",
      "c2/MSG alice; one",
      "c2/MSG alice; two",
      "c2/DISCONNECT disconnect; alice",
    ]);
  } finally {
    await server.stop();
  }
});

Deno.test("an event is a frame in one line, from which the frame can be made again", () => {
  const message = {
    uuid: "u",
    username: "bob",
    timestamp: 7,
    receivedMs: 8,
    text: "a\\n\nb\r\u202e",
    edited: false,
    isOwn: false,
  };
  const line = eventLine({ type: "message", message, isNew: true, isMissed: false })!;
  assertEquals(line, "c2/MSG bob; 7; u; a\\\\n\\nb\\u{d}\\u{202e}");
  const back = line.replace(
    /\\(?:\\|n|u\{([0-9a-f]+)\})/g,
    (escape, hex) =>
      hex !== undefined ? String.fromCodePoint(parseInt(hex, 16)) : escape === "\\n" ? "\n" : "\\",
  );
  assertEquals(back, `c2/MSG bob; 7; u; ${message.text}`);
  assert(eventLine({ type: "typing", username: "bob" }) === undefined);
  assertEquals(
    eventLine({ type: "left", username: "bob", kind: "ban", message: "be; kind", isOwn: false }),
    "c2/DISCONNECT ban; bob; be; kind",
  );
  assertEquals(eventLine({ type: "renamed", from: "a", to: "b", isOwn: false }), "c2/UPDATE a; username; b");
});

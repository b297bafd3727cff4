/**
 * The clients of docs/clients.md: the page shows their files as they are, each is short, and each talks on a real
 * server, by every program on this machine that it is written for.
 *
 * In a browser the same is tests/browser/example_page.ts.
 *
 * @module
 */
import { assert, assertEquals, assertGreater, assertMatch, assertRejects } from "@std/assert";
import { join } from "../../docs/examples/client.mjs";
import { ChatClient } from "../support/chat_client.ts";
import { startTestChat } from "../support/chat_server.ts";
import { fencedBlocks, readDocument } from "../support/documents.ts";
import { sayMissing } from "./tool_path.ts";
import { PATIENCE_MS } from "../support/patience.ts";

const FOLDER = new URL("../../docs/examples/", import.meta.url).pathname;
const LINES_MAX = 40;

/** Whether a program is there that runs these words with status 0. */
async function runs(command: string, ...args: string[]): Promise<boolean> {
  try {
    const { success } = await new Deno.Command(command, { args, stdout: "null", stderr: "null" }).output();
    return success;
  } catch {
    return false;
  }
}

/** The first of some words that start a program and work on this machine. */
async function firstThatRuns(ways: string[][], ...trial: string[]): Promise<string[] | undefined> {
  for (const way of ways) {
    const [command = "", ...args] = way;
    if (await runs(command, ...args, ...trial)) return way;
  }
  sayMissing(`${ways[0]?.[0]} ${trial.join(" ")}`);
}

// Node 20 has a WebSocket behind a flag, and 22 without.
const node = await firstThatRuns(
  [["node"], ["node", "--experimental-websocket"]],
  "-e",
  "new WebSocket('ws://a').close()",
);
const python = await firstThatRuns([["python3"], ["/usr/bin/python3"]], "-c", "import websockets");

const PROGRAMS: readonly (readonly [name: string, start: string[] | undefined])[] = [
  ["hello.mjs by Deno", [
    Deno.execPath(),
    "run",
    "--quiet",
    "--no-config",
    "--allow-net",
    `${FOLDER}hello.mjs`,
  ]],
  ["hello.mjs by Node", node && [...node, `${FOLDER}hello.mjs`]],
  ["client.py by Python", python && [...python, `${FOLDER}client.py`]],
];

interface Ended {
  readonly status: number;
  readonly lines: string[];
}

async function run([command = "", ...args]: string[]): Promise<Ended> {
  const child = new Deno.Command(command, { args, stdin: "null", stdout: "piped", stderr: "piped" }).spawn();
  const patience = setTimeout(() => child.kill("SIGKILL"), PATIENCE_MS);
  const { code, stdout, stderr } = await child.output();
  clearTimeout(patience);
  const written = new TextDecoder().decode(stdout) + (code === 0 ? "" : new TextDecoder().decode(stderr));
  return { status: code, lines: written.trimEnd().split("\n") };
}

for (const [name, start] of PROGRAMS) {
  if (start === undefined) {
    Deno.test({ name: `${name} talks on a real server`, ignore: true, fn: () => {} });
    continue;
  }

  Deno.test(`${name} joins, tells who is there, says a text with ; in it, hears it, and leaves`, async () => {
    await using server = await startTestChat({ name: "Pub" });
    await using bob = await ChatClient.connect(server.url, "bob");
    const { status, lines } = await run([...start, socketOf(server), "alice", "one; two; three"]);
    assertEquals(status, 0, lines.join("\n"));
    assertEquals(lines[0]?.replaceAll(/[[\]]/g, "").replaceAll(", ", ","), "on Pub are bob,alice");
    assertMatch(lines[1]!, /^(?:alice: |MSG \| alice \| [0-9]+ \| [0-9a-f-]{36} \| )one; two; three$/);
    assertMatch(await bob.next(), /^c2\/MSG alice; [0-9]+; [0-9a-f-]{36}; one; two; three$/);
    assertEquals(await bob.next(), "c2/DISCONNECT disconnect; alice");
  });

  Deno.test(`${name} reads why it may not join, and ends with that`, async () => {
    await using server = await startTestChat();
    await using _bob = await ChatClient.connect(server.url, "bob");
    const { status, lines } = await run([...start, socketOf(server), "Bob"]);
    assertEquals(status, 1);
    assertMatch(lines.join("\n"), /Username is in use, or looks like one that is: choose another/);
  });
}

function socketOf({ url }: { readonly url: string }): string {
  return url.replace("http", "ws");
}

Deno.test("client.mjs tells of changes, names and the end, and refuses what is asked after it", async () => {
  await using server = await startTestChat({ name: "Pub" });
  await using bob = await ChatClient.connect(server.url, "bob");
  const told: unknown[][] = [];
  const ended = Promise.withResolvers<void>();
  const chat = await join(socketOf(server), "alice", {
    message: ({ name, text }: { name: string; text: string }) => told.push(["said", name, text]),
    renamed: (from: string, to: string) => told.push(["renamed", from, to]),
    left: (name: string, kind: string) => told.push(["left", name, kind]),
    closed: (code: number, reason: string) => {
      told.push(["closed", code, reason]);
      ended.resolve();
    },
  });
  assertEquals([chat.server, await chat.people()], ["Pub", ["bob", "alice"]]);
  await chat.say("one");
  const [message] = await chat.history();
  await chat.change(message.uuid, "two; three");
  await chat.rename("alicia");
  await assertRejects(() => chat.change(message.uuid, ""), Error, "Message is empty");
  await bob.drain();
  bob.send("c2/DISCONNECT");
  await bob.closed;
  await chat.people();
  await server.stop();
  await ended.promise;
  assertEquals(told, [
    ["said", "alice", "one"],
    ["said", "alice", "two; three"],
    ["renamed", "alice", "alicia"],
    ["left", "bob", "disconnect"],
    ["closed", 1001, "server is stopping"],
  ]);
  await assertRejects(() => chat.say("too late"), Error, "The connection is closed");
});

Deno.test("the documents show each file of docs/examples/ as it is, and none is longer than it says", async () => {
  const documents = await Promise.all(["docs/clients.md", "docs/client.md"].map(readDocument));
  const shown = documents.flatMap(fencedBlocks)
    .map(({ info, lines }) => [/ examples\/(\S+)$/.exec(info)?.[1], lines] as const);
  const files: string[] = [];
  for await (const { name } of Deno.readDir(FOLDER)) {
    files.push(name);
    const text = await Deno.readTextFile(FOLDER + name);
    assertEquals(shown.find(([file]) => file === name)?.[1].join("\n") + "\n", text, name);
    assert(text.split("\n").length - 1 <= LINES_MAX, `${name} is longer than ${LINES_MAX} lines`);
  }
  assertGreater(files.length, 3);
  assertEquals(shown.filter(([file]) => file !== undefined && !files.includes(file)), []);
});

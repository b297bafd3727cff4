/**
 * The plain client in the test's process, with a reader of stdout that takes nothing.
 *
 * @module
 */
import { assertEquals, assertMatch } from "@std/assert";
import { runPlain } from "../../terminal/plain_client.ts";
import { UNREAD_MAX } from "../../terminal/plain_output.ts";
import { ChatClient } from "../support/chat_client.ts";
import { startTestChat } from "../support/chat_server.ts";
import { until } from "../support/until.ts";

/** Runs as alice. `stop` is a signal. */
function stuckAlice(url: string) {
  const problems: string[] = [];
  const alice = { problems, printed: "", status: undefined as number | undefined, stop: () => {} };
  runPlain({
    url: url.replace("http", "ws"),
    name: "alice",
    stdin: new ReadableStream(),
    isTyped: false,
    print: (text) => {
      alice.printed += text;
      return new Promise(() => {});
    },
    complain: (text) => Promise.resolve(void problems.push(text)),
    onStop: (listener) => alice.stop = listener,
  }).then((status) => alice.status = status);
  return alice;
}

Deno.test("a second signal does not wait for a reader that takes nothing, and the first leaves", async () => {
  await using chat = await startTestChat();
  await using bob = await ChatClient.connect(chat.url, "bob");
  const alice = stuckAlice(chat.url);
  await until("alice's first line is written", () => alice.printed !== "");
  alice.stop();
  await bob.skipTo(/^c2\/DISCONNECT disconnect; alice$/);
  assertEquals(alice.status, undefined);
  alice.stop();
  await until("alice has ended", () => alice.status !== undefined);
  assertEquals([alice.status, alice.problems], [1, []]);
});

Deno.test("a reader that is too far behind ends the client with a line and status 1", async () => {
  const maxMessageLength = 15_000;
  const limits = {
    ...{ maxMessageLength, floodRate: 0, floodRatePerAddress: 0, maxUnansweredFrames: 1000 },
    maxOutboxBytes: 16 * UNREAD_MAX,
  };
  await using chat = await startTestChat({ limits });
  await using bob = await ChatClient.connect(chat.url, "bob");
  const alice = stuckAlice(chat.url);
  await until("alice's first line is written", () => alice.printed !== "");
  for (let n = 0; n < UNREAD_MAX / maxMessageLength + 1; n++) {
    bob.send(`c2/MSG 1; ${"x".repeat(maxMessageLength)}`);
  }
  await until("alice has ended", () => alice.status !== undefined);
  assertEquals([alice.status, alice.printed], [1, "c2/JOIN alice\n"]);
  assertMatch(alice.problems.join(""), /^chatter: stdout is read too slowly: [^\n]+\n$/);
});

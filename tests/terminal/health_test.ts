/**
 * `chatter health` against servers that are ready, not ready, or not there.
 *
 * @module
 */
import { assertEquals, assertMatch } from "@std/assert";
import { startTestChat } from "../support/chat_server.ts";
import { checkHealth } from "../../terminal/health.ts";
import { freePort } from "../support/free_port.ts";
import { startTestListing } from "../support/listing_server.ts";
import { runProgram } from "../support/program.ts";

const ask = (operand: string, timeout = 5) => checkHealth({ kind: "health", operand, values: { timeout } });

/** Answers each request in the same way, or never. */
function answering(response: () => Response | Promise<Response>) {
  const cut = new AbortController();
  const server = Deno.serve(
    { hostname: "127.0.0.1", port: 0, signal: cut.signal, onListen: () => {} },
    response,
  );
  return {
    url: `http://127.0.0.1:${server.addr.port}`,
    async [Symbol.asyncDispose]() {
      cut.abort();
      await server.finished;
    },
  };
}

Deno.test("a chat server and a listing that run are ready, and the program says so with status 0", async () => {
  await using chat = await startTestChat();
  const stdout = `${chat.url} is ready\n`;
  assertEquals(await runProgram(["health", chat.url]), { status: 0, stdout, stderr: "" });
  await using listing = await startTestListing();
  assertEquals(await ask(listing.url), { output: `${listing.url} is ready\n` });
});

Deno.test("a server that is not ready, or redirects, is reported with status 1 and its answer", async () => {
  await using busy = answering(() => new Response("not ready\n", { status: 503 }));
  assertEquals(await runProgram(["health", `${busy.url}/`]), {
    status: 1,
    stdout: "",
    stderr: `chatter: ${busy.url} is not ready: it answered 503\n`,
  });
  await using moved = answering(() => Response.redirect("http://127.0.0.1:1/"));
  assertEquals(await ask(moved.url), { problem: `${moved.url} is not ready: it answered 302` });
});

Deno.test("if no server listens or answers, that is the problem", async () => {
  const { problem } = await ask(`http://127.0.0.1:${freePort()}`) as { problem: string };
  assertMatch(problem, /^Cannot reach http:\/\/127\.0\.0\.1:[0-9]+: .*refused/i);
  const never = Promise.withResolvers<Response>();
  await using silent = answering(() => never.promise);
  assertEquals(await ask(silent.url, 0.1), { problem: `Cannot reach ${silent.url}: no answer within 0.1 s` });
  never.resolve(new Response());
});

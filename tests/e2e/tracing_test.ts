/**
 * Traces of the program, collected over OTLP as by an operator: of a message, and of a registration over both servers.
 *
 * @module
 */
import { assert, assertEquals, assertMatch } from "@std/assert";
import { TRACED_PER_BATCH_MAX } from "../../chat/order/turn_spans.ts";
import { ChatClient } from "../support/chat_client.ts";
import { startServer } from "../support/program.ts";
import { SpanCollector } from "../support/span_collector.ts";

/** Whether an executable exports traces is fixed when it is compiled, and these are compiled not to. */
const ignore = Boolean(Deno.env.get("CHATTER_BINARY"));
const STAGES = ["wait", "decide", "commit", "fan-out"];

Deno.test("a message is a trace of its wait, decision, commit and fan-out", { ignore }, async () => {
  const folder = await Deno.makeTempDir();
  await using done = new AsyncDisposableStack();
  done.defer(() => Deno.remove(folder, { recursive: true }));
  await using collector = new SpanCollector();
  await using server = await startServer("chat", ["--kv", `${folder}/chat.db`], collector.variables("pub"));
  await using anna = await ChatClient.connect(server.url, "Wendelgard");
  const uuid = await anna.say("Zwetschgenkuchen");
  await anna.ask(`c2/MSG 1; ${"x".repeat(4001)}`);
  assertEquals((await server.stop()).status, 0, server.log);

  const [message, ...others] = collector.own("MSG");
  // A frame refused before the sequencer is no message.
  assertEquals(others, []);
  assert(message);
  assertEquals([message.service, message.parentId, message.isFailed], ["pub", "", false]);
  const { "chatter.session": session, ...attributes } = message.attributes;
  assertMatch(String(session), /^[0-9a-f-]{36}$/);
  assertEquals(attributes, {
    "chatter.batch.inputs": 1,
    "chatter.outcome": "stored",
    "chatter.message": uuid,
  });
  const stages = collector.childrenOf(message);
  assertEquals(stages.map(({ name }) => name), STAGES);
  let at = message.start;
  for (const { name, start, end } of stages) {
    assert(start >= at && end >= start && end <= message.end, `${name} is not in its place`);
    at = end;
  }
  const commit = stages[2]!;
  assert(commit.end > commit.start, "a commit to a file takes time");
  for (const secret of ["Wendelgard", "Zwetschgenkuchen"]) {
    assert(!collector.text.includes(secret), `${secret} was exported`);
  }
});

Deno.test("of many messages in one batch some are traced", { ignore }, async () => {
  await using collector = new SpanCollector();
  const variables = { ...collector.variables("pub"), CHATTER_FLOOD_RATE: "0" };
  await using server = await startServer("chat", ["--transport", "ws"], variables);
  await using anna = await ChatClient.connect(server.url, "anna");
  const COUNT = 200;
  for (let i = 0; i < COUNT; i++) anna.send(`c2/MSG ${i}; x`);
  // No PING follows them: it would be an input of the last batch, and no message.
  for (let said = 0; said < COUNT;) if ((await anna.next()).startsWith("c2/MSG ")) said++;
  await server.stop();
  const messages = collector.own("MSG");
  const byBatch = Map.groupBy(messages, (message) => collector.childrenOf(message)[1]!.start);
  for (const [, batch] of byBatch) {
    const inputs = Number(batch[0]!.attributes["chatter.batch.inputs"]);
    assertEquals(batch.length, Math.min(inputs, TRACED_PER_BATCH_MAX));
  }
  assert(messages.length < COUNT, "some were in one batch");
});

Deno.test(
  "a registration is one trace from the chat server through the listing: ping and commit",
  { ignore },
  async () => {
    await using collector = new SpanCollector();
    await using listing = await startServer("listing", [], collector.variables("listing"));
    const flags = ["--listing", listing.url, "--id", "7"];
    await using chat = await startServer("chat", flags, collector.variables("chat"));
    await chat.event("listing.registered");
    assertEquals((await chat.stop()).status, 0);
    assertEquals((await listing.stop()).status, 0);

    const [registration] = collector.own("registration");
    assert(registration);
    assertEquals(registration.attributes, { "chatter.server": 7 });
    // Between them are the runtime's own spans of the request, on both sides.
    assertEquals(collector.pathTo(registration), [
      "chat register",
      "chat POST",
      "listing POST",
      "listing registration",
    ]);
    assertEquals(collector.childrenOf(registration).map(({ name }) => name), ["ping", "commit"]);
    assertEquals(collector.own("register")[0]?.attributes, { "chatter.listing": listing.url });
    const kept = /"text":"?([\w-]{43})/.exec(collector.text);
    assertEquals(kept, null, "the key was exported");
  },
);

Deno.test("nothing is traced where the runtime was not told to", async () => {
  await using collector = new SpanCollector();
  const { OTEL_DENO: _on, ...variables } = collector.variables("pub");
  await using server = await startServer("chat", [], variables);
  await using anna = await ChatClient.connect(server.url, "anna");
  await anna.say("hello");
  await server.stop();
  assertEquals([collector.spans, collector.text], [[], ""]);
});

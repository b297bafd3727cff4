/**
 * The client for a person, with a server that is none of ours.
 *
 * @module
 */
import { assertEquals, assertMatch, assertStringIncludes } from "@std/assert";
import { PersonClient, UNDRAWN_MAX } from "../../terminal/person_client.ts";
import { KeyDecoder } from "../../terminal/screen/keys.ts";

function bobAt(url: string, write: (text: string) => Promise<void>): PersonClient {
  const size = { columns: 80, rows: 24 };
  return new PersonClient({ url, name: "bob", size, paint: (_, text) => text, hasBell: true, write });
}

Deno.test("a server that ends a session steers no terminal by what it says, above the line or after the end", async () => {
  const steers = "\x1b]0;title\x07\x1b[2J\x9b31m\u202e";
  const left = Promise.withResolvers<void>();
  await using server = Deno.serve({ hostname: "127.0.0.1", port: 0, onListen() {} }, (request) => {
    const { socket, response } = Deno.upgradeWebSocket(request);
    socket.onclose = () => left.resolve();
    socket.onmessage = ({ data }) => {
      if (!String(data).startsWith("c2/CONNECT ")) return;
      socket.send(`c2/ACKNOWLEDGE ${steers}`);
      socket.send(`c2/DISCONNECT ban; bob; ${steers}`);
    };
    return response;
  });
  const written: string[] = [];
  const client = bobAt(`ws://127.0.0.1:${server.addr.port}`, (text) => {
    written.push(text);
    return Promise.resolve();
  });
  client.start();
  const { problem = "" } = await client.ended;
  await client.close();
  await left.promise;
  assertMatch(problem, /^[^\p{Cc}\p{Bidi_Control}]*title[^\p{Cc}\p{Bidi_Control}]*$/u);
  assertEquals(["\x1b]0;", "\x07", "\x9b", "\u202e"].filter((sign) => written.join("").includes(sign)), []);
});

/** A client that never connects, at a terminal that takes a drawing only when `take` is called. */
function atSlowTerminal() {
  const drawings: string[] = [];
  let taken = Promise.withResolvers<void>();
  const client = bobAt("ws://127.0.0.1:1", (text) => {
    drawings.push(text);
    return (taken = Promise.withResolvers()).promise;
  });
  const take = async () => {
    taken.resolve();
    // The next drawing follows in the microtasks of this turn.
    await new Promise((resolve) => setTimeout(resolve));
  };
  const type = (text: string) => client.press(new KeyDecoder().feed(new TextEncoder().encode(text)));
  return { client, drawings, take, type };
}

Deno.test("one drawing is under way, and the next shows all that has come in the meantime", async () => {
  const { drawings, take, type } = atSlowTerminal();
  for (const key of "abc") type(key);
  assertEquals(drawings.length, 1);
  await take();
  assertEquals(drawings.length, 2);
  assertStringIncludes(drawings[1]!, "abc");
  await take();
  assertEquals(drawings.length, 2);
});

Deno.test("as many lines wait for the terminal as the limit says, and of more the oldest are counted", async () => {
  for (const more of [0, 1]) {
    const { drawings, take, type } = atSlowTerminal();
    type("x\x7f");
    for (let i = 0; i < UNDRAWN_MAX + more; i++) type("/bell on\r");
    await take();
    assertEquals(drawings.length, 2);
    assertEquals(drawings[1]!.split("The bell is on").length - 1, UNDRAWN_MAX);
    assertEquals(drawings[1]!.includes("Too fast to be shown: 1 lines"), more === 1);
  }
});

Deno.test("while a message waits to be sent, the terminal changes and deletes no older one", async () => {
  for (const line of ["/edit", "/edit better", "/delete"]) {
    const { client, drawings, take, type } = atSlowTerminal();
    type("hello\r");
    type(`${line}\r`);
    await take();
    assertStringIncludes(drawings[1]!, "Your last message is not sent yet", line);
    const closed = client.close();
    await take();
    await take();
    await closed;
  }
});

Deno.test("a second signal or Ctrl-C does not wait for a terminal that takes nothing", async () => {
  for (const isTyped of [false, true]) {
    const { client, drawings, type } = atSlowTerminal();
    type("x");
    client.leave();
    assertEquals(await client.ended, { problem: undefined });
    let isClosed = false;
    client.close().then(() => isClosed = true);
    if (isTyped) type("\x03");
    else client.leave();
    await client.hurried;
    assertEquals([isClosed, drawings.length], [false, 1]);
  }
});

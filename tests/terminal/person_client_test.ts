/**
 * The client for a person, with a server that is none of ours.
 *
 * @module
 */
import { assertEquals, assertMatch } from "@std/assert";
import { PersonClient } from "../../terminal/person_client.ts";

Deno.test("a server that ends a session steers no terminal by what it says, above the line or after the end", async () => {
  const steers = "\x1b]0;title\x07\x1b[2J\x9b31m\u202e";
  await using server = Deno.serve({ hostname: "127.0.0.1", port: 0, onListen() {} }, (request) => {
    const { socket, response } = Deno.upgradeWebSocket(request);
    socket.onmessage = ({ data }) => {
      if (!String(data).startsWith("c2/CONNECT ")) return;
      socket.send(`c2/ACKNOWLEDGE ${steers}`);
      socket.send(`c2/DISCONNECT ban; bob; ${steers}`);
    };
    return response;
  });
  const written: string[] = [];
  const client = new PersonClient({
    url: `ws://127.0.0.1:${server.addr.port}`,
    name: "bob",
    size: { columns: 80, rows: 24 },
    paint: (_, text) => text,
    hasBell: true,
    write: (text) => written.push(text),
  });
  client.start();
  const { problem = "" } = await client.ended;
  client.close();
  assertMatch(problem, /^[^\p{Cc}\p{Bidi_Control}]*title[^\p{Cc}\p{Bidi_Control}]*$/u);
  assertEquals(["\x1b]0;", "\x07", "\x9b", "\u202e"].filter((sign) => written.join("").includes(sign)), []);
});

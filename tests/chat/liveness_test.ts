/**
 * Peers that are gone without a close: found by the transport's pings, and broadcast once as lost_connection,
 * PROTOCOL.md §7.3 and §6.2.
 *
 * @module
 */
import { assert, assertEquals } from "@std/assert";
import { ChatClient } from "../support/chat_client.ts";
import { overTransportsAtOnce, type TransportTest } from "../support/chat_server.ts";
import { frame, OPCODE, RawPeer } from "../support/raw_peer.ts";

/** Over both transports at once, since it waits. */
function test(name: string, run: TransportTest): void {
  Deno.test(`over each transport: ${name}`, () => overTransportsAtOnce(run));
}

const QUICK_PINGS = { pingInterval: 1, pingTimeout: 1 };

test("a peer that answers no ping is told as lost_connection, once, and its name is free", async (start) => {
  await using chat = await start({ limits: QUICK_PINGS });
  await using bob = await ChatClient.connect(chat.url, "bob");
  await using silent = await RawPeer.open(chat.url);
  await silent.sendText("c2/CONNECT alice");
  assertEquals(await silent.readText(), "c2/ACKNOWLEDGE Test Server");
  const startMs = performance.now();
  await bob.expect("c2/DISCONNECT lost_connection; alice");
  assert(performance.now() - startMs > 900, "not before it had time to answer");
  await using _again = await ChatClient.connect(chat.url, "alice");
  assertEquals(await bob.drain(), []);
});

test("a peer that answers pings stays for as long as it likes without a word", async (start) => {
  await using chat = await start({ limits: QUICK_PINGS });
  await using bob = await ChatClient.connect(chat.url, "bob");
  await using quiet = await RawPeer.open(chat.url);
  await quiet.sendText("c2/CONNECT alice");
  // Three pings, a second apart, take longer than the two seconds that a peer has to answer.
  for (let pings = 0; pings < 3;) {
    const next = await quiet.readFrame();
    assert(next !== undefined, "the connection ended");
    if (next.opcode !== OPCODE.ping) continue;
    pings++;
    await quiet.write(frame(next.payload, { opcode: OPCODE.pong }));
  }
  await quiet.sendText("c2/QUERY active_users");
  assertEquals(await quiet.readText(), "c2/ACKNOWLEDGE [bob,alice]");
  assertEquals(await bob.drain(), []);
});

test("a peer whose TCP connection is cut is told as lost_connection at once", async (start) => {
  await using chat = await start();
  await using bob = await ChatClient.connect(chat.url, "bob");
  const cut = await RawPeer.open(chat.url);
  await cut.sendText("c2/CONNECT alice");
  await cut.readText();
  cut.close();
  await bob.expect("c2/DISCONNECT lost_connection; alice");
});

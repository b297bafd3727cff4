/**
 * Peers that stop reading: they are closed, and no other client misses a frame or waits, PROTOCOL.md §7.2.
 *
 * @module
 */
import { assert, assertEquals } from "@std/assert";
import { ChatClient } from "../support/chat_client.ts";
import { PROGRAM_TRANSPORTS, startServer } from "../support/program.ts";
import { metricsOf } from "../support/metrics.ts";
import { RawPeer } from "../support/raw_peer.ts";

const READERS = 3;
const STUCK = 3;
/** 10 MB of text in all. */
const MESSAGES = 670;
const TEXT = "x".repeat(14_994);
/** Messages in flight, as of a sender that waits for acknowledgements. */
const WINDOW = 8;
const GROWTH_MAX_BYTES = 60_000_000;

/**
 * Reads to the last message; returns the names that were lost, in order. Throws if a message is missing or out of
 * order.
 */
async function readAll(reader: ChatClient): Promise<string[]> {
  const lost: string[] = [];
  for (let expected = 0; expected < MESSAGES;) {
    const frame = await reader.next();
    reader.seen.length = 0;
    if (frame.startsWith("c2/MSG sender; ")) {
      const number = Number(frame.split("; ", 2)[1]);
      assertEquals(number, expected, "a message is missing or out of order");
      assertEquals(frame.length, frame.indexOf(TEXT) + TEXT.length);
      expected++;
    } else lost.push(frame);
  }
  return lost;
}

async function sendAll(sender: ChatClient): Promise<void> {
  let sent = 0;
  const sendNext = () => {
    if (sent < MESSAGES) sender.send(`c2/MSG ${sent++}; ${TEXT}`);
  };
  for (let i = 0; i < WINDOW; i++) sendNext();
  for (let acknowledged = 0; acknowledged < MESSAGES;) {
    const frame = await sender.next();
    sender.seen.length = 0;
    if (frame !== "c2/ACKNOWLEDGE") continue;
    acknowledged++;
    sendNext();
  }
}

for (const transport of PROGRAM_TRANSPORTS) {
  Deno.test(`${transport}: three of six peers stop reading 10 MB: they alone are out`, async () => {
    const folder = await Deno.makeTempDir();
    await using everyone = new AsyncDisposableStack();
    everyone.defer(() => Deno.remove(folder, { recursive: true }));
    await using server = await startServer("chat", [
      "--transport",
      transport,
      "--kv",
      `${folder}/chat.db`,
      "--flood-rate",
      "0",
      "--max-message-length",
      "15000",
    ]);
    const stuck: string[] = [];
    for (let i = 0; i < STUCK; i++) {
      const peer = everyone.use(await RawPeer.open(server.url));
      await peer.sendText(`c2/CONNECT stuck${i}`);
      assertEquals(await peer.readText(), "c2/ACKNOWLEDGE Chatter Server");
      stuck.push(`stuck${i}`);
    }
    const readers: ChatClient[] = [];
    for (let i = 0; i < READERS - 1; i++) {
      readers.push(everyone.use(await ChatClient.connect(server.url, `reader${i}`)));
    }
    const sender = everyone.use(await ChatClient.connect(server.url, "sender"));
    const before = await server.residentBytes();
    let most = before;
    let isSending = true;
    const watch = async () => {
      while (isSending) {
        most = Math.max(most, await server.residentBytes());
        await new Promise((resolve) => setTimeout(resolve, 100));
      }
    };
    const watching = watch();
    const [lost] = await Promise.all([Promise.all(readers.map(readAll)), sendAll(sender)]);
    isSending = false;
    await watching;

    // Departures after the last message have not been read yet.
    const notices = await Promise.all(
      readers.map(async (reader, i) => [...lost[i]!, ...await reader.drain()]),
    );
    const expected = stuck.map((name) => `c2/DISCONNECT lost_connection; ${name}`).toSorted();
    for (const names of notices) assertEquals(names.toSorted(), expected);
    for (const names of notices) assertEquals(names, notices[0]!, "all are sent one order");
    await sender.drain();
    const users = await sender.ask("c2/QUERY active_users");
    assertEquals(users, `c2/ACKNOWLEDGE [${readers.map((_, i) => `reader${i}`).join(",")},sender]`);
    // The log comes over a pipe of its own.
    await server.event("consumer.slow");
    const samples = await metricsOf(server.url);
    assertEquals(samples.get('chatter_sockets_ended_total{cause="slow_consumer"}'), STUCK);
    assert(most - before < GROWTH_MAX_BYTES, `memory grew by ${Math.round((most - before) / 1e6)} MB`);
  });
}

/**
 * The end of a socket that closes. It comes with that of its peer, or past the bound on what the socket still takes: no
 * peer holds it by sending.
 *
 * @module
 */
import { assertEquals } from "@std/assert";
import { createServer, type Socket } from "node:net";
import { once } from "node:events";
import { FairReads } from "../../../chat/sockets/fair_reads.ts";
import { LINGER_BYTES_MAX, LingeringCloses } from "../../../chat/sockets/lingering_closes.ts";
import { writeAll } from "../../../src/write_all.ts";

/** A peer that has read the last words of a socket that closes, and that socket with its end. */
async function closing() {
  const server = createServer({ allowHalfOpen: true });
  const accepted = once(server, "connection");
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  const { port } = server.address() as { port: number };
  const peer = await Deno.connect({ hostname: "127.0.0.1", port });
  const [socket] = await accepted as [Socket];
  const closed = once(socket, "close");
  new LingeringCloses(new FairReads(() => 0), () => 0, 1).close(socket, "last words");
  assertEquals(await textOf(peer), "last words");
  return { server, peer, socket, closed };
}

Deno.test("a socket that closes ends with its peer's end, before any wait is over", async () => {
  const { server, peer, socket, closed } = await closing();
  await write(peer, 1);
  assertEquals(socket.destroyed, false);
  peer.close();
  await closed;
  server.close();
});

Deno.test("a socket that closes drops as many bytes as may be, and is cut by one more", async () => {
  const { server, peer, socket, closed } = await closing();
  using _ = peer;
  await write(peer, LINGER_BYTES_MAX);
  while (socket.bytesRead < LINGER_BYTES_MAX) await once(socket, "data");
  assertEquals(socket.destroyed, false);
  await write(peer, 1);
  await closed;
  server.close();
});

/** What a peer reads up to the other's end. */
async function textOf(peer: Deno.Conn): Promise<string> {
  const chunk = new Uint8Array(1024);
  let text = "";
  for (let count; (count = await peer.read(chunk)) !== null;) {
    text += new TextDecoder().decode(chunk.subarray(0, count));
  }
  return text;
}

async function write(peer: Deno.Conn, length: number): Promise<void> {
  await writeAll(peer, new Uint8Array(length));
}

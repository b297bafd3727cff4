/**
 * Events of a running listing over real sockets: they arrive, they end with the listing, a closed stream makes room,
 * and a stuck reader delays no other.
 *
 * @module
 */
import { assertEquals, assertMatch } from "@std/assert";
import { DEFAULT_LISTING_LIMITS } from "../../../src/announcement/listing_limits.ts";
import { EventReader } from "../../support/event_reader.ts";
import { startTestListing } from "../../support/listing_server.ts";
import { startChatServer } from "../probe/fake_chat_server.ts";

async function register(url: string, id: number, body: unknown): Promise<Record<string, string>> {
  const response = await fetch(`${url}/servers/${id}`, { method: "POST", body: JSON.stringify(body) });
  const text = await response.text();
  assertEquals(response.status, 201, text);
  return { Authorization: `C2Listing ${text}` };
}

async function send(
  method: string,
  url: string,
  headers: Record<string, string>,
  body?: string,
): Promise<void> {
  const response = await fetch(url, { method, headers, body: body ?? null });
  assertEquals([response.status, await response.text()], [200, ""]);
}

Deno.test("a client is sent a server that is added, filled and removed; a client that reconnects is sent what it missed", async () => {
  await using chat = startChatServer({ id: 7 });
  await using listing = await startTestListing();
  const url = `${listing.url}/servers/7`;
  let lastEventId: string;
  let headers: Record<string, string>;
  {
    await using reader = await EventReader.open(`${listing.url}/events`);
    assertEquals((await reader.next())?.name, "reset");
    headers = await register(listing.url, 7, { address: `:${chat.port}`, serverName: "Pub" });
    const added = await reader.next();
    assertEquals([added!.name, added!.data.displayName, added!.data.connectedUsers], ["added", "Pub", 0]);
    assertMatch(added!.id, /^[0-9a-f]{8}-[0-9]+$/);
    lastEventId = added!.id;
  }
  await send("PUT", url, headers, '{"connectedUsers":50}');
  await using reader = await EventReader.open(`${listing.url}/events`, { "Last-Event-ID": lastEventId });
  const changed = await reader.next();
  assertEquals([changed!.name, changed!.data.connectedUsers], ["changed", 50]);
  await send("DELETE", url, headers);
  assertEquals((await reader.next())?.name, "removed");
});

Deno.test("what another listing on the same store writes is sent within some seconds", async () => {
  const folder = await Deno.makeTempDir();
  try {
    await using chat = startChatServer({ id: 7 });
    await using one = await startTestListing({ kv: `${folder}/listing.db` });
    await using other = await startTestListing({ kv: `${folder}/listing.db` });
    await using reader = await EventReader.open(`${one.url}/events`);
    const { id } = (await reader.next())!;
    await register(other.url, 7, { address: `:${chat.port}` });
    assertEquals((await reader.next())?.name, "added");
    // The other listing has its own numbers, so a client that moves there must fetch its list.
    await using moved = await EventReader.open(`${other.url}/events`, { "Last-Event-ID": id });
    assertEquals((await moved.next())?.name, "reset");
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
});

Deno.test("streams end when the listing stops, and do not hold it up", async () => {
  const listing = await startTestListing();
  await using reader = await EventReader.open(`${listing.url}/events`);
  await reader.next();
  const ended = reader.next();
  await listing.stop();
  // What holds a stop up is cut, and no stream ends so.
  assertEquals(await ended, undefined);
});

Deno.test("who leaves makes room for the next", async () => {
  await using listing = await startTestListing({ limits: { ...DEFAULT_LISTING_LIMITS, maxEventStreams: 1 } });
  const url = `${listing.url}/events`;
  {
    await using _reader = await EventReader.open(url);
    const refused = await fetch(url);
    assertEquals(refused.status, 503);
    await refused.text();
  }
  // The listing notices the closed socket a moment later.
  let response = await fetch(url);
  while (response.status === 503) {
    await response.text();
    response = await fetch(url);
  }
  assertEquals(response.status, 200);
  await response.body?.cancel();
});

Deno.test("a reader that never reads holds up neither the others nor the stop", async () => {
  await using chat = startChatServer({ id: 7 });
  const listing = await startTestListing();
  const stuck = await Deno.connect({ hostname: "127.0.0.1", port: listing.port });
  try {
    await stuck.write(new TextEncoder().encode("GET /events HTTP/1.1\r\nHost: localhost\r\n\r\n"));
    await using reader = await EventReader.open(`${listing.url}/events`);
    await reader.next();
    const headers = await register(listing.url, 7, { address: `:${chat.port}` });
    assertEquals((await reader.next())?.name, "added");
    for (let connectedUsers = 1; connectedUsers <= 3; connectedUsers++) {
      await send("PUT", `${listing.url}/servers/7`, headers, JSON.stringify({ connectedUsers }));
      assertEquals((await reader.next())?.data.connectedUsers, connectedUsers);
    }
  } finally {
    await listing.stop();
    stuck.close();
  }
});

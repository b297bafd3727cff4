/**
 * A chat server and a listing, one of which stops and returns, docs/listing_api.md §10.
 * tests/binary_smoke_test.ts shows a registration without a fault.
 *
 * @module
 */
import { assert, assertEquals } from "@std/assert";
import { anyAddress } from "../../src/serving/any_address.ts";
import { ChatClient } from "../support/chat_client.ts";
import { startTestChat } from "../support/chat_server.ts";
import { freePort } from "../support/free_port.ts";
import { type ListedServer, listedServers, untilListed } from "../support/listed_servers.ts";
import { startTestListing } from "../support/listing_server.ts";
import { PROGRAM_TRANSPORTS, type ServerProgram, startServer } from "../support/program.ts";

/** An address of this test alone: a port of 127.0.0.1 that was free a moment ago may be another test's by now. */
const HOSTNAME = "127.0.0.53";
/** Another one for each run: two runs at once would register with each other's listings. */
const PORT = freePort(HOSTNAME);

function startChatFor(listing: string, ...flags: string[]): Promise<ServerProgram> {
  return startServer("chat", ["--listing", listing, ...flags]);
}

Deno.test("killed with -9 and started again, a chat server is listed under its old id, with its history", async () => {
  const folder = await Deno.makeTempDir();
  try {
    await using listing = await startTestListing();
    const flags = ["--kv", `${folder}/chat.db`];
    let id: number;
    {
      await using chat = await startChatFor(listing.url, ...flags);
      [{ id }] = await untilListed(listing.url, (entries) => entries.length === 1) as [ListedServer];
      await using alice = await ChatClient.connect(chat.url, "alice");
      await alice.say("before the fall");
      chat.kill("SIGKILL");
      await chat.end();
    }
    await using chat = await startChatFor(listing.url, ...flags);
    const [entry] = await untilListed(
      listing.url,
      ([entry]) => entry?.address === `127.0.0.1:${chat.port}`,
    );
    assertEquals(entry!.id, id);
    await using bob = await ChatClient.connect(chat.url, "bob");
    assert((await bob.ask("c2/QUERY history")).includes("before the fall"));
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
});

Deno.test("killed and started again without its store, a chat server on its port gets its entry back at once", async () => {
  await using listing = await startTestListing();
  const port = freePort(HOSTNAME);
  const place = ["--hostname", HOSTNAME, "--port", String(port), "--address", `${HOSTNAME}:${port}`];
  const flags = ["--kv", ":memory:", "--id", "7", ...place];
  const listed = (name: string) => (entries: ListedServer[]) =>
    entries.length === 1 && entries[0]!.id === 7 && entries[0]!.displayName === name;
  {
    await using chat = await startChatFor(listing.url, ...flags, "--name", "Before");
    await untilListed(listing.url, listed("Before"));
    chat.kill("SIGKILL");
    await chat.end();
  }
  await using _chat = await startChatFor(listing.url, ...flags, "--name", "After");
  await untilListed(listing.url, listed("After"));
});

Deno.test({
  name:
    "a chat server without --hostname is listed by a listing that it reaches over IPv6, and is there on both families",
  ignore: await anyAddress() !== "::",
  async fn() {
    await using listing = await startTestListing({ hostname: "::1" });
    for (const transport of PROGRAM_TRANSPORTS) {
      const flags = ["--listing", listing.url, "--transport", transport, "--name", transport];
      await using chat = await startServer("chat", flags, { CHATTER_HOSTNAME: "" });
      const [entry] = await untilListed(listing.url, ([entry]) => entry?.displayName === transport);
      assertEquals(entry!.address, `[::1]:${chat.port}`);
      for (const host of ["127.0.0.1", "[::1]"]) {
        await using client = await ChatClient.connect(`http://${host}:${chat.port}`, "alice");
        await client.say("hello");
      }
      await chat.stop();
    }
  },
});

Deno.test("a chat server is listed within 10 s of the start of a listing that came later", async () => {
  await using chat = await startTestChat({ listings: [`http://${HOSTNAME}:${PORT}`] });
  await using alice = await ChatClient.connect(chat.url, "alice");
  await alice.say("nobody lists us, and we talk");
  await using listing = await startTestListing({ hostname: HOSTNAME, port: PORT });
  await untilListed(listing.url, (entries) => entries.length === 1);
});

Deno.test("a chat server that a user joins is listed again after its listing lost all its data", async () => {
  const before = await startTestListing({ hostname: HOSTNAME, port: PORT });
  await using chat = await startTestChat({ listings: [before.url] });
  await untilListed(before.url, (entries) => entries.length === 1);
  await before.stop();
  await using after = await startTestListing({ hostname: HOSTNAME, port: PORT });
  assertEquals(await listedServers(after.url), []);
  // Without a change the renewal finds the loss, 12 to 15 s later: tests/chat/announce/registration_test.ts.
  await using alice = await ChatClient.connect(chat.url, "alice");
  await untilListed(after.url, (entries) => entries.length === 1);
  await alice.say("still here");
});

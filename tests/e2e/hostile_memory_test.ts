/**
 * Peers that try to fill the server's memory, against the program with `--transport ws`: they are cut at the limit, and
 * its memory stays flat. SECURITY.md says what `serve` cannot do about them.
 *
 * @module
 */
import { assert } from "@std/assert";
import { ChatClient } from "../support/chat_client.ts";
import { IS_OF_OLD_DENO, startServer } from "../support/program.ts";
import { MEMORY_ATTACKS } from "../support/memory_attacks.ts";
import { RawPeer } from "../support/raw_peer.ts";

const GROWTH_MAX_BYTES = 30_000_000;
const ignore = IS_OF_OLD_DENO;

Deno.test(
  "ws: a peer whose messages are too large is cut off at the limit, and memory stays flat",
  { ignore },
  async () => {
    await using server = await startServer("chat", ["--transport", "ws"]);
    await using alice = await ChatClient.connect(server.url, "alice");
    await alice.say("before");
    const before = await server.residentBytes();
    for (const { what, attack } of MEMORY_ATTACKS) {
      await using peer = await RawPeer.open(server.url);
      await attack(peer);
      // Input past the limit was dropped; the connection ends, whether the peer has read the reason or not.
      while (await peer.readFrame() !== undefined);
      await alice.say(what);
      const growth = await server.residentBytes() - before;
      assert(growth < GROWTH_MAX_BYTES, `${what}: memory grew by ${Math.round(growth / 1e6)} MB`);
    }
  },
);

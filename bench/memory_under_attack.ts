/**
 * Measures the memory that a peer with too much input costs the server, over both transports: the bytes it could send
 * before it was disconnected, and the growth of the server's memory. SECURITY.md has the figures.
 *
 *     deno run -A bench/memory_under_attack.ts
 *
 * @module
 */
import { MEMORY_ATTACKS } from "../tests/support/memory_attacks.ts";
import { startServer } from "../tests/support/program.ts";
import { RawPeer } from "../tests/support/raw_peer.ts";
import { TRANSPORT_NAMES } from "../tests/support/chat_server.ts";

/** Seconds after which a running attack is ended here; it then was not disconnected. */
const SECONDS_MAX = 20;

function say(line: string): void {
  Deno.stdout.writeSync(new TextEncoder().encode(line + "\n"));
}

say("| transport | attack | MB taken | cut off | memory before, MB | at most | at the end |");
say("| --- | --- | --- | --- | --- | --- | --- |");
for (const transport of TRANSPORT_NAMES) {
  for (const { what, attack } of MEMORY_ATTACKS) {
    await using server = await startServer("chat", ["--transport", transport]);
    const before = await server.residentBytes();
    let most = before;
    const watching = setInterval(async () => most = Math.max(most, await server.residentBytes()), 50);
    const peer = await RawPeer.open(server.url);
    let isCutOff = true;
    const deadline = setTimeout(() => {
      isCutOff = false;
      peer.close();
    }, SECONDS_MAX * 1000);
    const taken = await attack(peer);
    isCutOff &&= taken < 300_000_000;
    clearTimeout(deadline);
    clearInterval(watching);
    peer.close();
    const after = await server.residentBytes();
    const inMb = [taken, before, most, after].map((bytes) => Math.round(bytes / 1e6));
    say(
      `| ${transport} | ${what} | ${inMb[0]} | ${isCutOff ? "yes" : "no"} | ${inMb.slice(1).join(" | ")} |`,
    );
  }
}

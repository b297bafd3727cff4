/**
 * What a peer that pours in too much costs the server in memory, over both transports: bytes that it could send
 * before it was cut off, and by how much the server's memory grew. The figures in SECURITY.md are from this.
 *
 *     deno run -A bench/memory_under_attack.ts
 *
 * @module
 */
import { MEMORY_ATTACKS } from "../tests/support/memory_attacks.ts";
import { startServer } from "../tests/support/program.ts";
import { RawPeer } from "../tests/support/raw_peer.ts";
import { TRANSPORT_NAMES } from "../tests/support/chat_server.ts";

/** An attack that is still under way then is ended by us: it was not cut off. */
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

/**
 * A request whose body ends before it is whole, over real connections of both roles: the sender's fault and no bug.
 * The fuzzer found it.
 *
 * @module
 */
import { assertEquals, assertMatch } from "@std/assert";
import { startTestListing } from "./support/listing_server.ts";
import { TOKEN } from "./support/admin_api.ts";
import { keptLog } from "./support/broken.ts";
import { startTestChat } from "./support/chat_server.ts";

/** Asks with a body that is announced as longer than it is; answers the first line of what comes back. */
async function askBrokenOff(port: number, target: string, header: string, body: string): Promise<string> {
  using connection = await Deno.connect({ hostname: "127.0.0.1", port });
  const head = `POST ${target} HTTP/1.1\r\nHost: x\r\n${header}Content-Length: 20\r\n\r\n`;
  await connection.write(new TextEncoder().encode(head + body));
  await connection.closeWrite();
  const answer = new Uint8Array(4096);
  const count = await connection.read(answer) ?? 0;
  return new TextDecoder().decode(answer.subarray(0, count)).split("\r\n")[0]!;
}

Deno.test("a body that breaks off is refused by both roles and transports, and is no bug in the log", async () => {
  await using log = await keptLog();
  await using chat = await startTestChat({ adminToken: TOKEN });
  await using other = await startTestChat({ adminToken: TOKEN, transport: "ws" });
  await using listing = await startTestListing();
  for (const body of ["", '{"name', '{"name":"x"}']) {
    const authorization = `Authorization: Bearer ${TOKEN}\r\n`;
    assertMatch(await askBrokenOff(chat.port, "/admin/kick", authorization, body), /^HTTP\/1\.1 400 /);
    // node:http ends the connection, its word for that on the way or not.
    assertMatch(await askBrokenOff(other.port, "/admin/kick", authorization, body), /^(HTTP\/1\.1 400 .*)?$/);
    assertMatch(await askBrokenOff(listing.port, "/servers/7", "", body), /^HTTP\/1\.1 400 /);
  }
  assertEquals(log.errors(), []);
});

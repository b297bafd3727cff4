/**
 * The addresses that a trusted proxy names: how many users each may have, and what holds for them after a restart,
 * PROTOCOL.md §3.3 and §12.3. The sessions are stored with their addresses.
 *
 * @module
 */
import { assertEquals } from "@std/assert";
import { LIVE_SUBPROTOCOL } from "../../src/protocol/codec.ts";
import { FAULTS } from "../../src/protocol/faults.ts";
import { AdminApi, TOKEN } from "../support/admin_api.ts";
import { startTestChat, testOverTransportsAndGateways } from "../support/chat_server.ts";
import { RawPeer } from "../support/raw_peer.ts";
import { inTempFolder } from "../support/temp_folder.ts";

/** A client of the extended mode behind the proxy, which is closed with `peers`. */
async function open(peers: AsyncDisposableStack, url: string, address: string): Promise<RawPeer> {
  const headers = {
    "X-Forwarded-For": `192.0.2.99, ${address}`,
    "Sec-WebSocket-Protocol": LIVE_SUBPROTOCOL,
  };
  return peers.use(await RawPeer.open(url, headers));
}

/** Resolves with the token of a session that has joined, or with the answer that refuses it. */
async function join(
  peers: AsyncDisposableStack,
  url: string,
  name: string,
  address: string,
): Promise<string> {
  const peer = await open(peers, url, address);
  await peer.sendText(`c2/CONNECT ${name}`);
  while (true) {
    const frame = await peer.readText() ?? "";
    const [, token] = frame.match(/^c2\/SESSION (\S+);/) ?? [];
    if (token !== undefined || !frame.startsWith("c2/ACKNOWLEDGE ")) return token ?? frame;
  }
}

testOverTransportsAndGateways(
  "each address that a trusted proxy forwards has a share of the users of its own",
  async (start) => {
    await using chat = await start({ trustProxy: true, limits: { maxUsersPerAddress: 1 } });
    await using peers = new AsyncDisposableStack();
    const answers: string[] = [];
    for (const [name, address] of [["a", "192.0.2.1"], ["b", "192.0.2.1"], ["c", "192.0.2.2"]] as const) {
      answers.push(await join(peers, chat.url, name, address));
    }
    const refused = `c2/ERROR ${FAULTS.ADDRESS_FULL.replace("{limit}", "1")}`;
    assertEquals(answers.map((answer) => answer === refused), [false, true, false]);
  },
);

Deno.test("held sessions of before a restart end by a ban of their address, and the greediest address loses them first", () =>
  inTempFolder(async (folder) => {
    const limits = { maxUsers: 4, maxUsersPerAddress: 3 };
    const options = { kv: `${folder}/chat.db`, adminToken: TOKEN, trustProxy: true, limits };
    const usersOf = async (url: string) => {
      const { json: { users } } = await new AdminApi(url).get("users");
      return users.map(({ username }: { username: string }) => username.replace(/\d/, "")).sort();
    };
    await using peers = new AsyncDisposableStack();
    let token: string;
    {
      await using chat = await startTestChat(options);
      await join(peers, chat.url, "home", "192.0.2.1");
      token = await join(peers, chat.url, "banned", "192.0.2.2");
      for (const name of ["greedy1", "greedy2"]) await join(peers, chat.url, name, "192.0.2.3");
    }
    await using chat = await startTestChat(options);
    assertEquals(await usersOf(chat.url), ["banned", "greedy", "greedy", "home"]);
    await join(peers, chat.url, "first", "192.0.2.4");
    assertEquals(await usersOf(chat.url), ["banned", "first", "greedy", "home"]);
    assertEquals(
      (await new AdminApi(chat.url).post("bans", { address: "192.0.2.2", message: "go" })).status,
      201,
    );
    assertEquals(await usersOf(chat.url), ["first", "greedy", "home"]);
    const returned = await open(peers, chat.url, "192.0.2.5");
    await returned.sendText(`c2/RESUME ${token}; 0`);
    assertEquals(await returned.readText(), `c2/ERROR ${FAULTS.RESUME_UNKNOWN}`);
    const refused = await join(peers, chat.url, "another", "192.0.2.2");
    assertEquals(refused, `c2/ERROR ${FAULTS.BANNED.replace("{message}", "go")}`);
  }));

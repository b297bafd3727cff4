/**
 * What has to hold behind every proxy of packages/, whichever it is: tests that are given how to start it.
 *
 * @module
 */
import { assertEquals, assertMatch } from "@std/assert";
import { AdminApi, TOKEN } from "../support/admin_api.ts";
import { type StartTestChat, startTestChat, TRANSPORT_NAMES } from "../support/chat_server.ts";
import { EventReader } from "../support/event_reader.ts";
import { listedServers } from "../support/listed_servers.ts";
import { CERTIFICATE } from "./proxy_program.ts";
import { startServer } from "../support/program.ts";
import { RawPeer, testAuthorities } from "../support/raw_peer.ts";

/** Where clients find a chat server and a listing by TLS. */
export interface FrontProxy extends AsyncDisposable {
  /** By the address, 127.0.0.1 or ::1, from which a client then comes. */
  chatUrl(from?: "127.0.0.1" | "::1"): string;
  readonly listingUrl: string;
}

export interface ProxyTargets {
  /** Ports of 127.0.0.1; what nobody listens at is answered 502. */
  readonly chatPort?: number;
  readonly listingPort?: number;
}

type StartProxy = (targets: ProxyTargets) => Promise<FrontProxy>;
type Test = (name: string, test: () => Promise<void>) => void;

export function proxyTests(test: Test, startProxy: StartProxy): void {
  for (const transport of TRANSPORT_NAMES) {
    const start: StartTestChat = (options) => startTestChat({ transport, trustProxy: true, ...options });

    test(`two people talk c2 by TLS, ${transport}`, async () => {
      await using chat = await start();
      await using proxy = await startProxy({ chatPort: chat.port });
      await using anna = await connected(proxy.chatUrl(), "anna");
      await using ben = await connected(proxy.chatUrl(), "ben");
      await anna.sendText("c2/MSG 1; hello");
      assertEquals(await anna.readText(), "c2/ACKNOWLEDGE");
      assertMatch(await ben.readText() ?? "", /^c2\/MSG anna; 1; [0-9a-f-]{36}; hello$/);
    });

    test(`the address that counts is the client's, whatever it says it is, ${transport}`, async () => {
      const limits = { maxSocketsPerAddress: 1 };
      await using chat = await start({ adminToken: TOKEN, limitLoopback: true, limits });
      await using proxy = await startProxy({ chatPort: chat.port });
      // By IPv6 to the proxy, which reaches the chat server by IPv4.
      await using _six = await connected(proxy.chatUrl("::1"), "six", { "X-Forwarded-For": "203.0.113.7" });
      await using _four = await connected(proxy.chatUrl(), "four");
      const { json } = await new AdminApi(chat.url).get("users");
      assertEquals(
        json.users.map(({ username, address }: Record<string, unknown>) => [username, address]).toSorted(),
        [["four", "127.0.0.1"], ["six", "::1"]],
      );
      const head = await RawPeer.refused(proxy.chatUrl("::1"), { "X-Forwarded-For": "203.0.113.8" });
      assertMatch(head, /^HTTP\/1\.1 429 /);
    });
  }

  test("a page of the proxy's name may connect, and others if no origins are named", async () => {
    const page = (origin: string) => ({ Host: "chat.example", Origin: origin });
    const [own, other] = [page("https://chat.example"), page("https://evil.example")];
    for (const allowedOrigins of [undefined, ["https://pub.example"]]) {
      await using chat = await startTestChat({ trustProxy: true, allowedOrigins });
      await using proxy = await startProxy({ chatPort: chat.port });
      await using _own = await connected(proxy.chatUrl(), "own", own);
      if (allowedOrigins === undefined) (await connected(proxy.chatUrl(), "other", other)).close();
      else assertMatch(await RawPeer.refused(proxy.chatUrl(), other), /^HTTP\/1\.1 403 /);
    }
  });

  test("a listing takes registrations, lists, and tells events as they happen", async () => {
    await using listing = await startServer("listing", ["--trust-proxy"]);
    await using proxy = await startProxy({ listingPort: listing.port });
    using client = Deno.createHttpClient({ caCerts: await testAuthorities() });
    assertEquals(await listedServers(proxy.listingUrl, client), []);
    const response = await fetch(`${proxy.listingUrl}/events`, { client });
    await using events = new EventReader(response.body!);
    // By the proxy as well, and listed at the address that it has there.
    await using chat = await startServer("chat", ["--listing", proxy.listingUrl, "--id", "7"], {
      DENO_CERT: CERTIFICATE,
    });
    await chat.event("listing.registered");
    const told: unknown[] = [];
    while (!told.includes(7)) told.push((await events.next())?.data.id);
    const addresses = (await listedServers(proxy.listingUrl, client)).map(({ address }) => address);
    assertEquals(addresses, [`127.0.0.1:${chat.port}`]);
  });

  test("what is for those who run the servers is not to be had from outside", async () => {
    await using chat = await startTestChat({ trustProxy: true, adminToken: TOKEN });
    // Behind both names, so that what passes is seen.
    await using proxy = await startProxy({ chatPort: chat.port, listingPort: chat.port });
    using client = Deno.createHttpClient({ caCerts: await testAuthorities() });
    const passes = async (url: string) => {
      const response = await fetch(url, { client, headers: { authorization: `Bearer ${TOKEN}` } });
      const text = await response.text();
      return response.status !== 404 || text.includes("this is a chat server");
    };
    const secret = [
      "/admin",
      "/admin/",
      "/admin/users",
      "//admin/users",
      "/%61dmin/users",
      "/x/%2e%2e/admin/users",
    ];
    for (const path of [...secret, "/metrics"]) {
      assertEquals(await passes(proxy.chatUrl() + path), false, path);
      assertEquals(await passes(proxy.listingUrl + path), false, path);
    }
    assertEquals(await passes(`${proxy.chatUrl()}/nothing`), true);
  });
}

/** A peer that has said CONNECT through the proxy. */
export async function connected(
  url: string,
  name: string,
  headers: Readonly<Record<string, string>> = {},
): Promise<RawPeer> {
  const peer = await RawPeer.open(url, headers);
  await peer.sendText(`c2/CONNECT ${name}`);
  assertEquals(await peer.readText(), "c2/ACKNOWLEDGE Test Server");
  return peer;
}

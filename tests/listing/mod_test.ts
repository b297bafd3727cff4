/**
 * Start and stop of the listing: a real port and real pings. tests/e2e/kill_test.ts has what survives its end.
 *
 * @module
 */
import { assertEquals, assertRejects, assertStringIncludes } from "@std/assert";
import { BODY_BYTES_MAX } from "../../listing/http/read_body.ts";
import { KvUnavailable } from "../../src/kv/kv.ts";
import { freePort } from "../support/free_port.ts";
import { startTestListing } from "../support/listing_server.ts";
import { until } from "../support/until.ts";
import { startChatServer } from "./probe/fake_chat_server.ts";
import { writeAll } from "../../src/write_all.ts";

async function ask(url: string, init: RequestInit = {}): Promise<{ status: number; text: string }> {
  const response = await fetch(url, init);
  return { status: response.status, text: await response.text() };
}

async function listedIds(url: string): Promise<number[]> {
  const { servers } = JSON.parse((await ask(`${url}/servers`)).text);
  return servers.map(({ id }: { id: number }) => id);
}

async function withFile(work: (path: string) => Promise<void>): Promise<void> {
  const folder = await Deno.makeTempDir();
  try {
    await work(`${folder}/listing.db`);
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
}

Deno.test("a listing lists a chat server that answers, on the port of the origin's address too", async () => {
  await using chat = startChatServer({ id: 7 });
  await using listing = await startTestListing();
  const url = `${listing.url}/servers/7`;
  const registered = await ask(url, { method: "POST", body: JSON.stringify({ address: `:${chat.port}` }) });
  assertEquals(registered.status, 201, registered.text);
  const headers = { Authorization: `C2Listing ${registered.text}` };
  assertEquals(await ask(url, { method: "PUT", headers, body: '{"connectedUsers":3}' }), {
    status: 200,
    text: "",
  });
  const shown = JSON.parse((await ask(url)).text);
  assertEquals([shown.address, shown.connectedUsers], [`127.0.0.1:${chat.port}`, 3]);
  const wrong = await ask(`${listing.url}/servers/8`, {
    method: "POST",
    body: `{"address":":${chat.port}"}`,
  });
  assertEquals(wrong.status, 400);
  assertStringIncludes(wrong.text, "the id 7 instead of 8");
  assertEquals(await ask(url, { method: "DELETE", headers }), { status: 200, text: "" });
  assertEquals(await listedIds(listing.url), []);
});

Deno.test("a listing behind a proxy lets no outside client name internal addresses", async () => {
  await using chat = startChatServer({ id: 7 });
  await using listing = await startTestListing({ trustProxy: true });
  const post = (forwarded: string) =>
    ask(`${listing.url}/servers/7`, {
      method: "POST",
      headers: { "X-Forwarded-For": forwarded },
      body: `{"address":"localhost:${chat.port}"}`,
    });
  const refused = await post("127.0.0.1, 198.51.100.7");
  assertEquals([refused.status, refused.text.includes("private")], [400, true]);
  assertEquals(chat.hosts, []);
  assertEquals((await post("198.51.100.7, 10.0.0.7")).status, 201);
});

Deno.test("a dead server is removed by the sweep of a running listing", async () => {
  const chat = startChatServer({ id: 7 });
  await using listing = await startTestListing({ checkInterval: 0.1 });
  await ask(`${listing.url}/servers/7`, { method: "POST", body: `{"address":":${chat.port}"}` });
  await chat[Symbol.asyncDispose]();
  await until("it is gone", async () => (await listedIds(listing.url)).length === 0, 60_000);
});

Deno.test("a listing that cannot have its port or its store says so and leaves nothing open", async () => {
  await withFile(async (kv) => {
    await using first = await startTestListing();
    await assertRejects(() => startTestListing({ kv, port: first.port }), Deno.errors.AddrInUse);
    await using _again = await startTestListing({ kv });
    await assertRejects(() => startTestListing({ kv: "/dev/null/listing.db" }), KvUnavailable);
  });
});

Deno.test("a listing serves https by its certificate", async () => {
  const pem = (name: string) => Deno.readTextFile(new URL(`tls/${name}.pem`, import.meta.url));
  await using listing = await startTestListing({
    tls: { cert: await pem("server_certificate"), key: await pem("server_key") },
  });
  assertStringIncludes(listing.url, "https://127.0.0.1:");
  const client = Deno.createHttpClient({ caCerts: [await pem("authority")] });
  const response = await fetch(`${listing.url}/healthz`, { client });
  assertEquals(await response.text(), "ok");
  client.close();
});

Deno.test("a stop waits for none of 100 clients, whatever they do, and may be asked for twice", async () => {
  const silent = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  const port = freePort();
  const listing = await startTestListing({ port });
  const encoder = new TextEncoder();
  const body = JSON.stringify({ address: `:${silent.addr.port}` });
  const asksForPing = `POST /servers/1 HTTP/1.1\r\nHost: a\r\nContent-Length: ${body.length}\r\n\r\n${body}`;
  const texts = [
    "",
    "GET /servers HTTP/1.1\r\nHo",
    "GET /servers HTTP/1.1\r\nHost: a\r\n\r\n",
    "PUT /servers/7 HTTP/1.1\r\nHost: a\r\nContent-Length: 100\r\n\r\n{",
  ];
  const connect = async (text: string) => {
    const conn = await Deno.connect({ hostname: "127.0.0.1", port });
    await conn.write(encoder.encode(text));
    return conn;
  };
  const conns = await Promise.all(Array.from({ length: 100 }, (_, i) => connect(texts[i % texts.length]!)));
  conns.push(await connect(asksForPing), await silent.accept());
  // A client that requests and never reads. The answers exceed all socket buffers, so writing blocks.
  const deaf = await connect("");
  conns.push(deaf);
  const requests = encoder.encode("GET /openapi.json HTTP/1.1\r\nHost: a\r\n\r\n".repeat(500));
  const writing = (async () => {
    for (;;) await deaf.write(requests);
  })().catch(() => {});
  // And a load that continues until it is cut.
  let answered = 0;
  const loads = Promise.all(
    Array.from({ length: 8 }, async () => {
      for (;;) {
        await (await fetch(`${listing.url}/servers?q=${answered}`)).text();
        answered++;
      }
    }).map((load) => load.catch(() => {})),
  );
  while (answered < 50) await new Promise((resolve) => setTimeout(resolve, 5));
  // A stop that waited for them would not end.
  await Promise.all([listing.stop(), listing.stop()]);
  await loads;
  for (const conn of conns) conn.close();
  await writing;
  silent.close();
  await using _again = await startTestListing({ port });
});

Deno.test("a body that is too large is refused over a real connection, announced or not", async () => {
  await using listing = await startTestListing();
  const post = (head: string, body: string) =>
    exchange(listing.port, `POST /servers/1 HTTP/1.1\r\n${head}\r\n\r\n${body}`);
  const large = "x".repeat(BODY_BYTES_MAX + 1);
  assertStringIncludes(
    await post(`Host: a\r\nConnection: close\r\nContent-Length: ${large.length}`, large),
    " 413 ",
  );
  // Neither client ever completes its request.
  assertStringIncludes(await post("Host: a\r\nContent-Length: 1000000000", "x"), " 413 ");
  const chunk = `${large.length.toString(16)}\r\n${large}\r\n`;
  assertStringIncludes(await post("Host: a\r\nTransfer-Encoding: chunked", chunk), " 413 ");
});

/** Sends `text` and returns the first bytes that come back. */
async function exchange(port: number, text: string): Promise<string> {
  using conn = await Deno.connect({ hostname: "127.0.0.1", port });
  await writeAll(conn, text);
  const answer = new Uint8Array(1024);
  return new TextDecoder().decode(answer.subarray(0, await conn.read(answer) ?? 0));
}

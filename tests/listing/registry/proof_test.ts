/**
 * Proofs of control with a listing, chat servers and attackers over real sockets: who gets an entry, and who keeps it.
 *
 * @module
 */
import { assertEquals, assertFalse, assertMatch, assertStringIncludes } from "@std/assert";
import type { RunningChat } from "../../../chat/mod.ts";
import { startTestChat } from "../../support/chat_server.ts";
import { type ListedServer, listedServers, untilListed } from "../../support/listed_servers.ts";
import { freePort } from "../../support/free_port.ts";
import { gatewaysInProcess } from "../../support/gateways_in_process.ts";
import { startTestListing } from "../../support/listing_server.ts";
import { inTempFolder } from "../../support/temp_folder.ts";
import { until } from "../../support/until.ts";
import { type FakeChatServer, startChatServer } from "../probe/fake_chat_server.ts";
import { answerTo } from "../../../src/announcement/proof.ts";
import { NETWORKS_PER_SITE } from "../../../src/announcement/listing_limits.ts";
import { ID_KEPT_MS } from "../../../listing/registry/rules.ts";
import { ANSWERED, ListingUnderTest } from "../listing_under_test.ts";

const ID = 7;
/** A proof that no other server has. */
const FORGED = "f".repeat(43);

interface Asked {
  readonly id?: number;
  readonly address: string;
  readonly key?: string | undefined;
  readonly proof?: string | undefined;
  readonly name?: string;
}

async function post(listing: string, { id = ID, address, key, proof, name = "Taken" }: Asked) {
  const response = await fetch(`${listing}/servers/${id}`, {
    method: "POST",
    headers: {
      ...(key !== undefined && { authorization: `C2Listing ${key}` }),
      ...(proof !== undefined && { "C2-Proof": proof }),
    },
    body: JSON.stringify({ serverName: name, address }),
  });
  return { status: response.status, text: await response.text() };
}

/** A server of a program that answers challenges for `proof`. */
function provingServer(proof: string, shown = { id: ID }): FakeChatServer {
  return startChatServer({
    answer(text, socket) {
      const [timestamp, challenge] = text.slice("c2/PING ".length).split("; ");
      const answer = challenge === undefined ? "" : `; ${answerTo(challenge, proof)}`;
      socket.send(`c2/PING ${timestamp}; ${shown.id}${answer}`);
    },
  });
}

/** A server as the seed has it: it cannot answer challenges. */
function seedServer(): FakeChatServer {
  return startChatServer({
    answer: (text, socket) => socket.send(`${text.split(";")[0]}; ${ID}`),
  });
}

const named = (name: string) => ([entry]: ListedServer[]) => entry?.displayName === name;
const owner = (listing: string, options: Parameters<typeof startTestChat>[0] = {}): Promise<RunningChat> =>
  startTestChat({ id: ID, name: "Owner", listings: [listing], ...options });

Deno.test("an entry that was taken with a server's own address goes to the server when it registers", async () => {
  await using listing = await startTestListing();
  // The server runs and is on no list: a stranger lists it, and has the key of its entry.
  let port: number;
  let key: string;
  {
    await using unlisted = await owner(listing.url, { listings: [], port: freePort() });
    port = unlisted.port;
    const taken = await post(listing.url, { address: `127.0.0.1:${port}` });
    assertEquals(taken.status, 201);
    key = taken.text;
  }
  await using _owner = await owner(listing.url, { port });
  await untilListed(listing.url, named("Owner"));
  const again = await post(listing.url, { address: `127.0.0.1:${port}`, key });
  assertEquals(again.status, 409, "the stranger's key is void");
});

Deno.test("with a listed server's own address a stranger gets nothing, whatever proof he makes up", async () => {
  await using listing = await startTestListing();
  await using chat = await owner(listing.url);
  await untilListed(listing.url, named("Owner"));
  const address = `127.0.0.1:${chat.port}`;
  assertEquals((await post(listing.url, { address })).status, 409);
  const forged = await post(listing.url, { address, proof: FORGED });
  assertEquals(forged.status, 400);
  assertStringIncludes(forged.text, "with another proof than the request's C2-Proof");
  assertEquals((await listedServers(listing.url)).map(({ displayName }) => displayName), ["Owner"]);
});

Deno.test("one who asks for the id all the time gets it at no moment of its server's restart", () =>
  inTempFolder(async (folder) => {
    await using listing = await startTestListing({ checkInterval: 1 });
    await using own = provingServer(FORGED);
    await using seed = seedServer();
    const kv = `${folder}/chat.db`;
    const wants = [{ address: `127.0.0.1:${own.port}`, proof: FORGED }, {
      address: `127.0.0.1:${seed.port}`,
    }];
    const statuses = new Set<number>();
    const ask = async () => {
      for (const want of wants) statuses.add((await post(listing.url, want)).status);
    };
    {
      await using _before = await owner(listing.url, { kv });
      await untilListed(listing.url, named("Owner"));
      await ask();
    }
    // It has withdrawn, so it is not listed.
    assertEquals(await listedServers(listing.url), []);
    for (let i = 0; i < 5; i++) await ask();
    await using _after = await owner(listing.url, { kv });
    await until("its owner is listed again", async () => {
      await ask();
      return named("Owner")(await listedServers(listing.url));
    });
    assertEquals([...statuses], [409]);
  }));

Deno.test("a server of the seed registers as ever, and loses its id to one that proves itself", async () => {
  await using listing = await startTestListing();
  await using seed = seedServer();
  const first = await post(listing.url, { address: `127.0.0.1:${seed.port}`, name: "Seed" });
  assertEquals(first.status, 201);
  assertMatch(seed.texts[0] ?? "", /^c2\/PING [0-9]+$/, "it is asked for nothing that it does not know");
  await using proving = provingServer(FORGED);
  const proven = { address: `127.0.0.1:${proving.port}`, proof: FORGED, name: "Proven" };
  assertEquals((await post(listing.url, proven)).status, 201);
  const back = await post(listing.url, { address: `127.0.0.1:${seed.port}`, key: first.text });
  assertEquals(back.status, 409);
  assertEquals((await post(listing.url, proven)).status, 201, "its proof renews it without the key");
});

Deno.test("a proof on a registration whose server knows none leaves it unproven", async () => {
  await using listing = await startTestListing();
  await using seed = seedServer();
  const address = `127.0.0.1:${seed.port}`;
  assertEquals((await post(listing.url, { address, proof: FORGED })).status, 201);
  await using proving = provingServer("q".repeat(43));
  const taken = { address: `127.0.0.1:${proving.port}`, proof: "q".repeat(43) };
  assertEquals((await post(listing.url, taken)).status, 201);
});

Deno.test("a server that proves its address replaces what is listed there under other ids", async () => {
  await using listing = await startTestListing();
  const shown = { id: 8 };
  await using server = provingServer(FORGED, shown);
  const address = `127.0.0.1:${server.port}`;
  const ids = async () => (await listedServers(listing.url)).map(({ id }) => id);
  assertEquals((await post(listing.url, { id: 8, address })).status, 201);
  shown.id = 9;
  assertEquals((await post(listing.url, { id: 9, address })).status, 201);
  assertEquals(await ids(), [8, 9], "an unproven one replaces nothing");
  shown.id = 10;
  assertEquals((await post(listing.url, { id: 10, address, proof: FORGED })).status, 201);
  assertEquals(await ids(), [10]);
  shown.id = 11;
  assertEquals((await post(listing.url, { id: 11, address, proof: "q".repeat(43) })).status, 400);
  assertEquals((await post(listing.url, { id: 11, address })).status, 201);
  assertEquals(await ids(), [10, 11], "nor does an unproven one replace a proven one");
});

Deno.test("over two gateways a server proves itself as over one", async () => {
  using _inProcess = gatewaysInProcess();
  await using listing = await startTestListing();
  await using chat = await owner(listing.url, { transport: "ws", workers: 2 });
  await untilListed(listing.url, named("Owner"));
  const { text } = await post(listing.url, { address: `127.0.0.1:${chat.port}` });
  assertStringIncludes(text, "has proved itself");
});

Deno.test("each of several listings gets another proof, and each is answered by its own", async () => {
  await using one = await startTestListing();
  await using two = await startTestListing();
  await using chat = await startTestChat({ id: ID, name: "Owner", listings: [one.url, two.url] });
  const address = `127.0.0.1:${chat.port}`;
  for (const { url } of [one, two]) {
    await untilListed(url, named("Owner"));
    const { status, text } = await post(url, { address });
    assertEquals(status, 409);
    assertStringIncludes(text, "has proved itself", "both have the server as proven");
  }
});

Deno.test("a proof is nowhere in the store of a listing, and no answer shows that there is one", () =>
  inTempFolder(async (folder) => {
    const kv = `${folder}/listing.db`;
    {
      await using listing = await startTestListing({ kv });
      await using proving = provingServer(FORGED);
      const { status } = await post(listing.url, { address: `127.0.0.1:${proving.port}`, proof: FORGED });
      assertEquals(status, 201);
      const shown = await (await fetch(`${listing.url}/servers`)).text();
      assertFalse(shown.toLowerCase().includes("proof"), shown);
    }
    const names = await Array.fromAsync(Deno.readDir(folder));
    for (const { name } of names.filter(({ isFile }) => isFile)) {
      const bytes = new TextDecoder("latin1").decode(await Deno.readFile(`${folder}/${name}`));
      assertFalse(bytes.includes(FORGED), name);
    }
  }));

Deno.test("a malformed proof is refused by what is allowed", async () => {
  await using listing = await startTestListing();
  for (const proof of ["short", "x".repeat(42), "x".repeat(129), `${"x".repeat(43)}!`, ""]) {
    const { status, text } = await post(listing.url, { address: "127.0.0.1:1", proof });
    assertEquals(status, 400, proof);
    assertStringIncludes(text, "43 to 128 of A-Z a-z 0-9 _ -", proof);
  }
});

Deno.test("an address has as many ids kept as servers listed; past its time an id and its row are gone", async () => {
  await using listing = await ListingUnderTest.start({ limits: { maxServersPerOrigin: 2 } });
  listing.prober.answer = (_, { proof }) => ({ ...ANSWERED, isProven: proof !== undefined });
  const headers = { "C2-Proof": FORGED };
  for (const id of [1, 2, 3]) {
    const key = await listing.list(id, { address: `s${id}.example` }, { headers });
    assertEquals((await listing.ask("DELETE", `/servers/${id}`, { key })).status, 200);
    assertEquals((await listing.ask("PUT", `/servers/${id}`, { key, body: {} })).status, 400);
  }
  const strangers = async () => {
    const ask = async (id: number) => {
      const { status, text } = await listing.ask("POST", `/servers/${id}`, {
        body: { address: "x.example" },
      });
      if (status === 201) await listing.ask("DELETE", `/servers/${id}`, { key: text });
      return status;
    };
    return [await ask(1), await ask(2), await ask(3)];
  };
  assertEquals(await strangers(), [409, 409, 201], "one past the limit is not kept");
  listing.nowMs += ID_KEPT_MS - 1;
  await listing.registry.forget();
  assertEquals(await strangers(), [409, 409, 201]);
  listing.nowMs += 1;
  await listing.registry.forget();
  assertEquals([listing.index.kept.size, await listing.store.get(1)], [0, undefined]);
  assertEquals(await strangers(), [201, 201, 201]);
});

Deno.test("a /48 has as many ids kept as 16 networks may have, and not one more", async () => {
  await using listing = await ListingUnderTest.start({ limits: { maxServersPerOrigin: 1 } });
  listing.prober.answer = (_, { proof }) => ({ ...ANSWERED, isProven: proof !== undefined });
  const headers = { "C2-Proof": FORGED };
  const keep = async (id: number, peer: string) => {
    const key = await listing.list(id, { address: `s${id}.example` }, { headers, peer });
    assertEquals((await listing.ask("DELETE", `/servers/${id}`, { key, peer })).status, 200);
    return listing.index.kept.has(id);
  };
  for (let n = 0; n < NETWORKS_PER_SITE; n++) assertEquals(await keep(n, `2001:db8:1:${n}::1`), true);
  assertEquals(await keep(100, "2001:db8:1:100::1"), false);
  assertEquals(await keep(101, "2001:db8:2::1"), true, "another site has its own");
});

Deno.test("a proven server that misses its checks leaves the list, and its id is kept", async () => {
  await using listing = await ListingUnderTest.start();
  listing.prober.answer = (_, { proof }) => ({ ...ANSWERED, isProven: proof !== undefined });
  const headers = { "C2-Proof": FORGED };
  const key = await listing.list(ID, {}, { headers });
  listing.prober.answer = () => ({ answered: false, problem: "gone" });
  for (let miss = 0; miss < 3; miss++) await listing.registry.check(listing.index.record(ID)!);
  assertEquals(await listing.shown(ID), undefined);
  listing.prober.answer = () => ANSWERED;
  assertEquals((await listing.ask("POST", `/servers/${ID}`, { body: { address: "x.example" } })).status, 409);
  await listing.list(ID, { address: "moved.example" }, { key });
  assertEquals((await listing.shown(ID))?.["address"], "moved.example:5000");
});

/**
 * SIGHUP from outside: a server reads its file and its certificate again, and no connection is affected; errors change
 * nothing, and other changes wait for a restart.
 *
 * @module
 */
import { assert, assertEquals, assertFalse, assertStringIncludes } from "@std/assert";
import { ChatClient } from "../support/chat_client.ts";
import { startTestChat } from "../support/chat_server.ts";
import { startTestListing } from "../support/listing_server.ts";
import { untilListed } from "../support/listed_servers.ts";
import { IS_OF_OLD_DENO, type ServerProgram, startServer } from "../support/program.ts";
import { RawPeer } from "../support/raw_peer.ts";

const TESTS = import.meta.dirname + "/../";
/** Two certificates for 127.0.0.1, and the authority to trust for each. */
const CERTIFICATES = {
  first: ["support/localhost_cert.pem", "support/localhost_key.pem", "support/localhost_cert.pem"],
  second: ["listing/tls/server_certificate.pem", "listing/tls/server_key.pem", "listing/tls/authority.pem"],
} as const;
type CertificateName = keyof typeof CERTIFICATES;

/** A folder with the files of a server. */
class Files implements AsyncDisposable {
  readonly #folder: string;

  constructor(folder: string) {
    this.#folder = folder;
  }

  static async make(): Promise<Files> {
    return new Files(await Deno.makeTempDir());
  }

  get config(): string {
    return `${this.#folder}/chatter.json`;
  }

  get tlsFlags(): string[] {
    return ["--tls-cert", `${this.#folder}/cert.pem`, "--tls-key", `${this.#folder}/key.pem`];
  }

  async configure(values: unknown): Promise<void> {
    await Deno.writeTextFile(this.config, typeof values === "string" ? values : JSON.stringify(values));
  }

  async certify(name: CertificateName): Promise<void> {
    const [cert, key] = CERTIFICATES[name];
    await Deno.copyFile(TESTS + cert, `${this.#folder}/cert.pem`);
    await Deno.copyFile(TESTS + key, `${this.#folder}/key.pem`);
  }

  async spoilCertificate(): Promise<void> {
    await Deno.writeTextFile(`${this.#folder}/cert.pem`, "no certificate");
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await Deno.remove(this.#folder, { recursive: true });
  }
}

async function trusted(name: CertificateName): Promise<string[]> {
  return [await Deno.readTextFile(TESTS + CERTIFICATES[name][2])];
}

/** Whether a new connection gets this certificate. */
async function shows(url: string, name: CertificateName): Promise<boolean> {
  using client = Deno.createHttpClient({ caCerts: await trusted(name) });
  try {
    const response = await fetch(`${url}/healthz`, { client });
    await response.body?.cancel();
    return true;
  } catch (error) {
    assertStringIncludes(String((error as Error).cause ?? error), "certificate");
    return false;
  }
}

async function hangUp(server: ServerProgram, nth: number, event = "reloaded") {
  server.kill("SIGHUP");
  return await server.event(event, nth);
}

/** Each transport, one of them in two threads beside the main one. */
const KINDS = [
  { name: "serve", transport: "serve", workers: 1 },
  ...(IS_OF_OLD_DENO ? [] : [{ name: "ws in two threads", transport: "ws", workers: 2 }]),
];

for (const { name, transport, workers } of KINDS) {
  Deno.test(`${name}: SIGHUP puts the file's limits and name in force, and nobody is dropped`, async () => {
    await using files = await Files.make();
    const unchanged = { transport, workers };
    await files.configure({ chat: { name: "Before", "max-users": 2, ...unchanged } });
    await using server = await startServer("chat", ["--config", files.config]);
    await using alice = await ChatClient.connect(server.url, "alice");
    await using bob = await ChatClient.connect(server.url, "bob");
    await using eve = await ChatClient.open(server.url);
    assertEquals(
      await eve.ask("c2/CONNECT eve"),
      "c2/ERROR Server is full: at most 2 users are allowed, try again later",
    );

    await files.configure({ chat: { name: "After", "max-users": 3, "max-message-length": 4, ...unchanged } });
    const { changed, certificate } = await hangUp(server, 1);
    assertEquals(changed, [
      '--name "Before" to "After"',
      "--max-message-length 4000 to 4",
      "--max-users 2 to 3",
    ]);
    assertEquals(certificate, "none");
    assertEquals(await eve.ask("c2/CONNECT eve"), "c2/ACKNOWLEDGE After");
    assertStringIncludes(await bob.ask("c2/MSG 1; too long"), "c2/ERROR ");
    await bob.say("here");
    assertStringIncludes((await alice.drain()).join("\n"), "; here");
    // All threads give new clients the same answer.
    for (let i = 0; i < 6; i++) {
      assertStringIncludes(await (await fetch(server.url)).text(), "After\n");
    }
    assertEquals((await server.stop()).status, 0);
    assertFalse(/"level":"(WARN|ERROR|FATAL)"/.test(server.log), server.log);
  });
}

Deno.test("a file that is wrong changes nothing and is one line of the log", async () => {
  await using files = await Files.make();
  await files.configure({ chat: { "max-users": 2 } });
  await using server = await startServer("chat", ["--config", files.config]);
  await using alice = await ChatClient.connect(server.url, "alice");
  await files.configure('{\n "chat": {"max-users": 1, "max-user": 3}\n}');
  const { problem, level } = await hangUp(server, 1, "reload.refused");
  assertEquals(level, "ERROR");
  assertEquals(
    problem,
    `${files.config}:2:27: there is no "max-user" in the section "chat"; did you mean max-users?`,
  );
  await using bob = await ChatClient.connect(server.url, "bob");
  await Deno.remove(files.config);
  const gone = await hangUp(server, 2, "reload.refused");
  assertStringIncludes(String(gone.problem), "cannot read the --config file");
  for (const client of [alice, bob]) await client.drain();
});

Deno.test("what cannot change is logged as waiting each time, and secrets are not shown", async () => {
  await using files = await Files.make();
  await files.configure({ chat: { "admin-token": "first-secret-token" } });
  await using server = await startServer("chat", ["--config", files.config]);
  await files.configure({
    chat: { "admin-token": "second-secret-token", "log-level": "debug", "history-count": 0, "max-users": 9 },
  });
  for (const nth of [1, 2]) {
    assertEquals(
      (await hangUp(server, nth)).changed,
      nth === 1 ? ["--max-users 50 to 9", "--max-users-per-address 25 to 5"] : [],
    );
    const { flags, level } = await server.event("reload.waits_for_restart", nth);
    assertEquals(level, "WARN");
    assertEquals(flags, ["--log-level", "--admin-token", "--history-count"]);
  }
  assertFalse(server.log.includes("secret-token"));
});

Deno.test(
  "with --workers 2 and no flag for the transport, newcomers see a new certificate, and who is connected stays",
  {
    ignore: IS_OF_OLD_DENO,
  },
  async () => {
    await using files = await Files.make();
    await files.certify("first");
    await using server = await startServer("chat", ["--workers", "2", ...files.tlsFlags]);
    await using alice = await RawPeer.open(server.url);
    assertEquals((await hangUp(server, 1)).certificate, "as before");

    await files.spoilCertificate();
    const { problem } = await hangUp(server, 1, "reload.refused");
    assertStringIncludes(String(problem), "Cannot use the files of --tls-cert and --tls-key");
    assert(await shows(server.url, "first"), "what is broken changes nothing");

    await files.certify("second");
    assertEquals((await hangUp(server, 2)).certificate, "renewed");
    // On any thread.
    for (let i = 0; i < 6; i++) {
      assert(await shows(server.url, "second"));
      assertFalse(await shows(server.url, "first"));
    }
    await using bob = await RawPeer.open(server.url);
    for (const peer of [alice, bob]) {
      await peer.sendText("c2/PING 7");
      assertStringIncludes(await peer.readText() ?? "", "c2/PING 7; ");
    }
    assertEquals((await server.stop()).status, 0);
  },
);

Deno.test("--transport serve: a new certificate waits for a restart, as the log says, and who is connected stays", async () => {
  await using files = await Files.make();
  await files.certify("first");
  await using server = await startServer("chat", ["--transport", "serve", ...files.tlsFlags]);
  if (!IS_OF_OLD_DENO) {
    const { because } = await server.event("transport.recommended");
    assertStringIncludes(String(because), "renews a certificate");
  }
  await using alice = await RawPeer.open(server.url);
  await files.certify("second");
  assertEquals((await hangUp(server, 1)).certificate, "waits for a restart");
  assertEquals((await server.event("reload.waits_for_restart")).flags, ["--tls-cert"]);
  assert(await shows(server.url, "first"));
  await alice.sendText("c2/PING 7");
  assertStringIncludes(await alice.readText() ?? "", "c2/PING 7; ");
});

Deno.test("a listing takes new limits and a new certificate, and streams of events go on", async () => {
  await using files = await Files.make();
  await files.certify("first");
  await files.configure({ listing: { "max-servers": 5 } });
  await using server = await startServer("listing", ["--config", files.config, ...files.tlsFlags]);
  using client = Deno.createHttpClient({ caCerts: await trusted("first") });
  const stream = await fetch(`${server.url}/events`, { client });
  const events = stream.body!.pipeThrough(new TextDecoderStream()).values();
  const received = async (what: string) => {
    for (let text = ""; !text.includes(what);) text += (await events.next()).value ?? assert(false, text);
  };
  await received("event: reset");

  await files.certify("second");
  await files.configure({ listing: { "max-servers": 0 } });
  assertStringIncludes(
    String((await hangUp(server, 1, "reload.refused")).problem),
    "max-servers is 0; allowed: a whole number from 1",
  );
  assert(await shows(server.url, "first"));
  await files.configure({ listing: { "max-servers": 4 } });
  const { changed, certificate } = await hangUp(server, 1);
  assertEquals(changed, ["--max-servers 5 to 4"]);
  assertEquals(certificate, "renewed");
  assert(await shows(server.url, "second"));
  assertFalse(await shows(server.url, "first"));

  await using chat = await startTestChat();
  using newcomer = Deno.createHttpClient({ caCerts: await trusted("second") });
  const registered = await fetch(`${server.url}/servers/${chat.id}`, {
    method: "POST",
    body: JSON.stringify({ serverName: "A", address: `127.0.0.1:${chat.port}` }),
    client: newcomer,
  });
  assertEquals(registered.status, 201, await registered.text());
  await received(`"id":${chat.id}`);
  assertEquals((await server.stop()).status, 0);
  await events.return?.();
});

Deno.test("a listing is told the new name and the new limit of users", async () => {
  await using files = await Files.make();
  await using listing = await startTestListing();
  await files.configure({ chat: { name: "Before", tags: "a,b", language: "en" } });
  await using server = await startServer("chat", ["--config", files.config, "--listing", listing.url]);
  await server.event("listing.registered");
  await files.configure({ chat: { name: "After", "max-users": 7, language: "de", description: "A pub" } });
  await hangUp(server, 1);
  const listed = await untilListed(listing.url, ([entry]) => entry?.displayName === "After");
  assertEquals(listed.map(({ maxUsers }) => maxUsers), [7]);
  const [{ description, tags, language }] = listed as unknown as [Record<string, unknown>];
  assertEquals({ description, tags, language }, { description: "A pub", tags: undefined, language: "de" });
});

Deno.test("SIGHUP without a file reads the variables and the bans again and changes nothing", async () => {
  await using server = await startServer("chat");
  const { changed, bans } = await hangUp(server, 1);
  assertEquals({ changed, bans }, { changed: [], bans: { added: 0, lifted: 0 } });
  assertEquals((await server.stop()).status, 0);
});

/**
 * `kill -9` during traffic: after the restart, history has every acknowledged message and nothing that was deleted, and
 * a listing has everything that it answered with 2xx, PROTOCOL.md §4.3, docs/listing_api.md §9.9.
 *
 * @module
 */
import { assert, assertEquals } from "@std/assert";
import { ChatClient } from "../support/chat_client.ts";
import { startTestChat, TRANSPORT_NAMES } from "../support/chat_server.ts";
import { IS_OF_OLD_DENO, startServer } from "../support/program.ts";
import { runs } from "../support/property_runs.ts";
import { inTempFolder } from "../support/temp_folder.ts";

const KILLS = 2;
/** Kills of a chat on each transport: ten with `deno task test:more`. */
const CHAT_KILLS = Math.min(10, runs(1).numRuns);

/** What clients were promised: texts by their first word, and for each the latest acknowledged edit. */
class Promises {
  /** Version by text key: 0 as it was sent first. */
  readonly acknowledged = new Map<string, number>();
  /** The latest version that was sent, acknowledged or not. */
  readonly sent = new Map<string, number>();
  /** Ids by text key, of deletions that were acknowledged. */
  readonly deleted = new Map<string, string>();
}

/** A text key whose message is deleted has this as its version. */
const DELETED = Infinity;

/**
 * Sends, edits and deletes as fast as the server answers, with several frames in flight, up to `acknowledgements`; then
 * calls `enough` and reads until the connection is closed.
 */
async function talk(
  url: string,
  name: string,
  promises: Promises,
  acknowledgements: number,
  enough: () => void,
) {
  const client = await ChatClient.connect(url, name);
  const underWay: { key: string; version: number; uuid?: string }[] = [];
  const ids = new Map<string, string>();
  let said = 0;
  let received = 0;
  const sendNext = () => {
    const editable = [...ids.keys()].at(-1);
    if (said % 4 > 1 && editable !== undefined) {
      const uuid = ids.get(editable)!;
      const version = said % 4 === 2 ? promises.sent.get(editable)! + 1 : DELETED;
      promises.sent.set(editable, version);
      underWay.push({ key: editable, version, uuid });
      if (version === DELETED) {
        ids.delete(editable);
        client.send(`c2/QUERY delete_message; ${uuid}`);
      } else client.send(`c2/QUERY update_message; ${uuid}; ${editable} v${version}`);
    } else {
      const key = `${name}-${said}`;
      promises.sent.set(key, 0);
      underWay.push({ key, version: 0 });
      client.send(`c2/MSG 1; ${key} v0`);
    }
    said++;
  };
  for (let i = 0; i < 16; i++) sendNext();
  try {
    while (true) {
      const frame = await client.next();
      if (frame === "c2/ACKNOWLEDGE") {
        const { key, version, uuid } = underWay.shift()!;
        promises.acknowledged.set(key, version);
        if (version === DELETED) promises.deleted.set(key, uuid!);
        if (++received === acknowledgements) enough();
        sendNext();
      } else if (frame.startsWith(`c2/MSG ${name}; `)) {
        const [, , uuid, text] = frame.split("; ");
        const key = text!.split(" ")[0]!;
        if (promises.sent.get(key) !== DELETED && key !== "") ids.set(key, uuid!);
      } else assert(!frame.startsWith("c2/ERROR"), frame);
    }
  } catch (error) {
    if (!(error instanceof Error && error.message.startsWith("The connection ended"))) throw error;
  }
}

/** A client of the extended mode that is cut off with the server, and resumes with the next. */
class Witness {
  readonly #session: Promise<readonly [token: string, position: string]>;

  constructor(url: string, name: string) {
    this.#session = Witness.#join(url, name);
  }

  static async #join(url: string, name: string): Promise<readonly [string, string]> {
    const client = await ChatClient.open(url, true);
    await client.ask(`c2/CONNECT ${name}`);
    const [token = "", position = ""] = (await client.next()).slice("c2/SESSION ".length).split("; ");
    return [token, position];
  }

  joined(): Promise<unknown> {
    return this.#session;
  }

  /** Everything that was broadcast since it joined, as ids and texts. */
  async replayed(url: string): Promise<[uuid: string, text: string][]> {
    const [token, position] = await this.#session;
    await using client = await ChatClient.open(url, true);
    assert((await client.ask(`c2/RESUME ${token}; ${position}`)).startsWith("c2/ACKNOWLEDGE "));
    client.send("c2/PING 1");
    const messages: [string, string][] = [];
    for (let frame = await client.next(); !frame.startsWith("c2/PING "); frame = await client.next()) {
      const [type, , uuid, text] = frame.split("; ");
      if (type!.startsWith("c2/MSG ")) messages.push([uuid!, text!]);
    }
    return messages;
  }
}

/** All texts by id. */
async function wholeHistory(url: string): Promise<Map<string, string>> {
  await using reader = await ChatClient.connect(url, "reader");
  const texts = new Map<string, string>();
  let before = "";
  while (true) {
    const answer = await reader.ask(`c2/QUERY history; 200${before}`);
    const page = JSON.parse(answer.slice("c2/ACKNOWLEDGE ".length)) as { uuid: string; message: string }[];
    if (page.length === 0) return texts;
    for (const { uuid, message } of page) texts.set(uuid, message);
    before = `; ${page[0]!.uuid}`;
  }
}

/** The bytes of all files of a folder, one character each. */
async function bytesIn(folder: string): Promise<string> {
  const files = await Array.fromAsync(Deno.readDir(folder));
  const all = await Promise.all(files.map(({ name }) => Deno.readFile(`${folder}/${name}`)));
  return all.map((one) => new TextDecoder("latin1").decode(one)).join("");
}

for (const transport of IS_OF_OLD_DENO ? ["serve"] as const : TRANSPORT_NAMES) {
  Deno.test(`${transport}: kill -9 in the middle of traffic loses no acknowledged message, edit or deletion, and brings nothing back`, () =>
    inTempFolder(async (folder) => {
      const flags = ["--kv", `${folder}/chat.db`, "--flood-rate", "0", "--transport", transport];
      const promises = new Promises();
      let witness: Witness | undefined;
      const start = () => startServer("chat", [...flags, "--log-level", "debug"]);
      const check = async (url: string) => {
        const gone = new Set(promises.deleted.values());
        for (const [uuid, text] of await witness?.replayed(url) ?? []) {
          if (gone.has(uuid)) assertEquals(text, "", `${uuid} was deleted`);
        }
      };
      for (let round = 0; round < CHAT_KILLS; round++) {
        await using server = await start();
        await check(server.url);
        witness = new Witness(server.url, `witness${round}`);
        await witness.joined();
        const names = ["alice", "bob", "carol"].map((name) => `${name}${round}`);
        await Promise.all(names.map((name, i) =>
          talk(server.url, name, promises, 90 + 37 * round, () => {
            if (i === 0) server.kill("SIGKILL");
          })
        ));
        assertEquals((await server.end()).signal, "SIGKILL");
        assert(!/-\d+ v\d/.test(server.log), "a text is in the log");
      }
      await using server = await start();
      await check(server.url);
      const kept = await wholeHistory(server.url);
      assert(promises.acknowledged.size > CHAT_KILLS * 50, `${promises.acknowledged.size} acknowledged`);
      assert(promises.deleted.size > CHAT_KILLS * 5, `${promises.deleted.size} deleted`);
      const versions = new Map(Array.from(kept.values(), (text) => text.split(" v") as [string, string]));
      for (const [key, version] of promises.acknowledged) {
        const found = versions.get(key);
        if (found === undefined) assertEquals(promises.sent.get(key), DELETED, `${key} is gone`);
        else assert(Number(found) >= version, `${key} was acknowledged as v${version} and is v${found}`);
      }
      for (const [key, version] of versions) {
        if (key !== "") assert(Number(version) <= promises.sent.get(key)!, `${key} v${version} was not sent`);
      }
      for (const [key, uuid] of promises.deleted) assertEquals(kept.get(uuid), "", `${key} was deleted`);
      if (IS_OF_OLD_DENO) return;
      // The sweep of the start.
      await server.event("store.scrubbed");
      const bytes = await bytesIn(folder);
      for (const key of promises.deleted.keys()) assert(!bytes.includes(`${key} v`), `${key} is in the file`);
    }));
}

interface Entry {
  id: number;
  displayName: string;
  connectedUsers: number;
}

async function entries(url: string): Promise<Map<number, Entry>> {
  const response = await fetch(`${url}/servers`);
  const { servers } = await response.json() as { servers: Entry[] };
  return new Map(servers.map((entry) => [entry.id, entry]));
}

Deno.test("two kill -9 of a listing undo none of its 2xx", async () => {
  const folder = await Deno.makeTempDir();
  try {
    const flags = ["--kv", `${folder}/listing.db`];
    await using chats = new AsyncDisposableStack();
    /** By id: the last confirmed number of users, and the key. */
    const confirmed = new Map<number, { users: number; key: string }>();
    let users = 0;
    for (let round = 0; round < KILLS; round++) {
      await using listing = await startServer("listing", flags);
      const before = await entries(listing.url);
      assertEquals([...before.keys()].toSorted(), [...confirmed.keys()].toSorted());
      for (const [id, { users }] of confirmed) {
        assert(before.get(id)!.connectedUsers >= users, `server ${id}`);
      }
      const chat = chats.use(await startTestChat({ id: 100 + round }));
      const answer = await fetch(`${listing.url}/servers/${chat.id}`, {
        method: "POST",
        body: JSON.stringify({ address: `127.0.0.1:${chat.port}` }),
      });
      assertEquals(answer.status, 201);
      confirmed.set(chat.id, { users: 0, key: await answer.text() });
      let updates = 0;
      await Promise.all([...confirmed].map(async ([id, server]) => {
        while (true) {
          const now = ++users;
          try {
            const response = await fetch(`${listing.url}/servers/${id}`, {
              method: "PUT",
              headers: { authorization: `C2Listing ${server.key}` },
              body: JSON.stringify({ connectedUsers: now % 1_000_000 }),
            });
            await response.body?.cancel();
            assertEquals(response.status, 200);
            server.users = now;
          } catch (error) {
            // The kill cut this connection: unanswered frames promise nothing.
            if (error instanceof TypeError) return;
            throw error;
          }
          if (++updates === 60 + 17 * round) listing.kill("SIGKILL");
        }
      }));
      assertEquals((await listing.end()).signal, "SIGKILL");
    }
    await using listing = await startServer("listing", flags);
    const kept = await entries(listing.url);
    assertEquals(kept.size, KILLS);
    for (const [id, { users, key }] of confirmed) {
      assert(kept.get(id)!.connectedUsers >= users, `server ${id}`);
      const gone = await fetch(`${listing.url}/servers/${id}`, {
        method: "DELETE",
        headers: { authorization: `C2Listing ${key}` },
      });
      await gone.body?.cancel();
      assertEquals(gone.status, 200, "its key goes on working");
    }
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
});

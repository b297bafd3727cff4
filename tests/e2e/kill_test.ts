/**
 * `kill -9` during traffic: after the restart, history has every acknowledged message, and a listing has everything
 * that it answered with 2xx, PROTOCOL.md §4.3, docs/listing_api.md §9.9.
 *
 * @module
 */
import { assert, assertEquals } from "@std/assert";
import { ChatClient } from "../support/chat_client.ts";
import { startTestChat } from "../support/chat_server.ts";
import { startServer } from "../support/program.ts";

const KILLS = 3;

/** What a client was promised: texts by their first word, and for each the latest acknowledged edit. */
class Promises {
  /** Version by text key: 0 as it was sent first. */
  readonly acknowledged = new Map<string, number>();
  /** The latest version that was sent, acknowledged or not. */
  readonly sent = new Map<string, number>();
}

/**
 * Sends and edits as fast as the server answers, with several frames in flight, up to `acknowledgements`; then calls
 * `enough` and reads until the connection is closed.
 */
async function talk(
  url: string,
  name: string,
  promises: Promises,
  acknowledgements: number,
  enough: () => void,
) {
  const client = await ChatClient.connect(url, name);
  const underWay: { key: string; version: number }[] = [];
  const ids = new Map<string, string>();
  let said = 0;
  let received = 0;
  const sendNext = () => {
    const editable = [...ids.keys()].at(-1);
    if (said % 3 === 2 && editable !== undefined) {
      const version = promises.sent.get(editable)! + 1;
      promises.sent.set(editable, version);
      underWay.push({ key: editable, version });
      client.send(`c2/QUERY update_message; ${ids.get(editable)}; ${editable} v${version}`);
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
        const { key, version } = underWay.shift()!;
        promises.acknowledged.set(key, version);
        if (++received === acknowledgements) enough();
        sendNext();
      } else if (frame.startsWith(`c2/MSG ${name}; `)) {
        const [, , uuid, text] = frame.split("; ");
        ids.set(text!.split(" ")[0]!, uuid!);
      } else assert(!frame.startsWith("c2/ERROR"), frame);
    }
  } catch (error) {
    if (!(error instanceof Error && error.message.startsWith("The connection ended"))) throw error;
  }
}

async function wholeHistory(url: string): Promise<Map<string, number>> {
  await using reader = await ChatClient.connect(url, "reader");
  const versions = new Map<string, number>();
  let before = "";
  while (true) {
    const answer = await reader.ask(`c2/QUERY history; 200${before}`);
    const page = JSON.parse(answer.slice("c2/ACKNOWLEDGE ".length)) as { uuid: string; message: string }[];
    if (page.length === 0) return versions;
    for (const { message } of page) {
      const [key, version] = message.split(" v");
      versions.set(key!, Number(version));
    }
    before = `; ${page[0]!.uuid}`;
  }
}

Deno.test("three kill -9 in the middle of traffic lose no acknowledged message and no acknowledged edit", async () => {
  const folder = await Deno.makeTempDir();
  try {
    const flags = ["--kv", `${folder}/chat.db`, "--flood-rate", "0"];
    const promises = new Promises();
    for (let round = 0; round < KILLS; round++) {
      await using server = await startServer("chat", flags);
      const names = ["alice", "bob", "carol"].map((name) => `${name}${round}`);
      await Promise.all(names.map((name, i) =>
        talk(server.url, name, promises, 120 + 37 * round, () => {
          if (i === 0) server.kill("SIGKILL");
        })
      ));
      assertEquals((await server.end()).signal, "SIGKILL");
    }
    await using server = await startServer("chat", flags);
    const kept = await wholeHistory(server.url);
    assert(promises.acknowledged.size > KILLS * 100, `${promises.acknowledged.size} acknowledged`);
    for (const [key, version] of promises.acknowledged) {
      const found = kept.get(key);
      assert(found !== undefined, `${key} was acknowledged and is gone`);
      assert(found >= version, `${key} was acknowledged as v${version} and is v${found}`);
    }
    for (const [key, version] of kept) {
      assert(version <= promises.sent.get(key)!, `${key} v${version} was never sent`);
    }
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
});

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

Deno.test("three kill -9 of a listing undo none of its 2xx", async () => {
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

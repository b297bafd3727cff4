/**
 * A store that is in use, held, read-only, damaged, another program's, or gone: the program refuses to start with one
 * line, or goes on and logs it. No acknowledged message is lost, and no other program's file is written.
 *
 * @module
 */
import { assert, assertEquals, assertMatch, assertStringIncludes } from "@std/assert";
import { DatabaseSync } from "node:sqlite";
import { FAULTS } from "../../src/protocol/faults.ts";
import { keptLog } from "../support/broken.ts";
import { ChatClient } from "../support/chat_client.ts";
import { startTestChat } from "../support/chat_server.ts";
import { startTestListing } from "../support/listing_server.ts";
import { PATIENCE_MS } from "../support/patience.ts";
import { type Role, runProgram, startServer } from "../support/program.ts";
import { maySmallDisk, SmallDisk } from "../support/small_disk.ts";
import { wholeHistory } from "../support/whole_history.ts";
import { inTempFolder } from "../support/temp_folder.ts";

const ACK = "c2/ACKNOWLEDGE";
const REFUSED = `c2/ERROR ${FAULTS.STORE_FAILED}`;
const mayMount = await maySmallDisk();

/** Starts a role on a store that it cannot use, and returns its one line of output. */
async function refusedStart(role: Role, kv: string): Promise<string> {
  const flags = role === "chat" ? ["--no-listing"] : [];
  const { status, stdout, stderr } = await runProgram([role, "--port", "0", "--kv", kv, ...flags]);
  assertEquals([status, stdout], [1, ""], stderr);
  assertMatch(stderr, /^chatter: [^\n]+\n$/, "one line");
  return stderr;
}

/** The store of a server that has run and stopped. */
async function makeStore(role: Role, kv: string): Promise<void> {
  await using _server = await (role === "chat" ? startTestChat({ kv }) : startTestListing({ kv }));
}

Deno.test("a second chat on a store that is in use names the first, and a kill -9 of that one frees the store", () =>
  inTempFolder(async (folder) => {
    const kv = `${folder}/chat.db`;
    {
      await using first = await startServer("chat", ["--kv", kv]);
      await using alice = await ChatClient.connect(first.url, "alice");
      await Deno.symlink(kv, `${folder}/link.db`);
      for (const place of [kv, `${folder}/link.db`]) {
        const line = await refusedStart("chat", place);
        assertStringIncludes(line, `${place}: process ${first.pid} has it open`);
        assertStringIncludes(line, "--kv");
      }
      await alice.say("nobody got between");
      first.kill("SIGKILL");
      await first.end();
    }
    await using second = await startServer("chat", ["--kv", kv]);
    assertEquals((await wholeHistory(second.url)).map(({ message }) => message), ["nobody got between"]);
  }));

Deno.test("a second chat of one process gets the store when the first has stopped", () =>
  inTempFolder(async (folder) => {
    const kv = `${folder}/chat.db`;
    const first = await startTestChat({ kv });
    await first.stop();
    const second = await startTestChat({ kv });
    await second.stop();
  }));

// At once, since both wait.
Deno.test("of stores that another program holds for seconds, a chat stores when its own is let go and says so when it is not; a listing answers 503 in some seconds, and then goes on", async () => {
  await Promise.all([holdStoreOfChat(), holdStoreOfListing()]);
});

/** A connection of another program, which waits while the server writes. */
function otherProgram(kv: string): DatabaseSync {
  const other = new DatabaseSync(kv);
  other.exec(`pragma busy_timeout = ${PATIENCE_MS}`);
  return other;
}

function holdStoreOfChat(): Promise<void> {
  return inTempFolder(async (folder) => {
    const kv = `${folder}/chat.db`;
    await using server = await startTestChat({ kv });
    await using alice = await ChatClient.connect(server.url, "alice");
    await using bob = await ChatClient.connect(server.url, "bob");
    await alice.drain();
    const other = otherProgram(kv);
    try {
      other.exec("begin immediate");
      alice.send("c2/MSG 1; waits");
      assert((await bob.ask("c2/PING 5")).startsWith("c2/PING 5; "), "who writes nothing waits for nothing");
      setTimeout(() => other.exec("commit"), 1000);
      assertEquals(await alice.next(), ACK);
      assertMatch(await bob.next(), /; waits$/);
      assertMatch(await alice.next(), /; waits$/);

      other.exec("begin immediate");
      assertEquals(await alice.ask("c2/MSG 1; refused"), REFUSED);
      assertEquals(await bob.drain(), []);
      other.exec("commit");
    } finally {
      other.close();
    }
    await alice.say("works");
    assertEquals((await wholeHistory(server.url)).map(({ message }) => message), ["waits", "works"]);
  });
}

function holdStoreOfListing(): Promise<void> {
  return inTempFolder(async (folder) => {
    const kv = `${folder}/listing.db`;
    await using listing = await startTestListing({ kv });
    await using chat = await startTestChat({ id: 1 });
    const register = () =>
      fetch(`${listing.url}/servers/1`, {
        method: "POST",
        body: JSON.stringify({ address: `127.0.0.1:${chat.port}` }),
        // Far more than the 2 s of its tries, and far less than forever.
        signal: AbortSignal.timeout(15_000),
      });
    const list = async () => await (await fetch(`${listing.url}/servers`)).json();
    const other = otherProgram(kv);
    try {
      other.exec("begin immediate");
      const refused = await register();
      assertEquals([refused.status, refused.headers.get("retry-after")], [503, "5"], await refused.text());
      assertEquals(await list(), { servers: [] });
      other.exec("commit");
    } finally {
      other.close();
    }
    const taken = await register();
    assertEquals([taken.status, (await taken.text()).length], [201, 43]);
    assertEquals((await list()).servers.length, 1);
  });
}

for (const role of ["chat", "listing"] as const) {
  Deno.test(`${role} on a store that is damaged says so in one line`, () =>
    inTempFolder(async (folder) => {
      const cut = `${folder}/cut.db`;
      await makeStore(role, cut);
      await Deno.truncate(cut, Math.floor((await Deno.stat(cut)).size / 2));
      assertMatch(
        await refusedStart(role, cut),
        /cut\.db: .*malformed\. The file is damaged or not a store: restore a copy/,
      );
    }));

  Deno.test(`${role} on a store of a later Deno says so in one line`, () =>
    inTempFolder(async (folder) => {
      const kv = `${folder}/later.db`;
      await makeStore(role, kv);
      const file = new DatabaseSync(kv);
      // Each structured clone begins with the byte 255 and the version of its form.
      file.exec("update kv set v = cast(x'ff7f' || substr(v, 3) as blob) where hex(substr(v, 1, 1)) = 'FF'");
      file.close();
      assertMatch(
        await refusedStart(role, kv),
        /later\.db: .*deserialize.*\. A later Deno wrote the file, or it is damaged: start Chatter by that Deno/,
      );
    }));

  Deno.test({
    name: `${role} on a read-only disk says so in one line`,
    ignore: !mayMount,
    async fn() {
      await using disk = await SmallDisk.mount(2);
      const kv = `${disk.folder}/store.db`;
      await makeStore(role, kv);
      await disk.makeReadOnly();
      // A store that exists, or one that does not yet.
      const place = role === "chat" ? kv : `${disk.folder}/new/store.db`;
      const line = await refusedStart(role, place);
      assertStringIncludes(line, `Cannot open the store at ${place}: `);
      assertStringIncludes(line, "Give --kv a path that this user may write");
    },
  });
}

Deno.test("chat on a database of another program says so in one line and does not write to it", () =>
  inTempFolder(async (folder) => {
    const kv = `${folder}/notes.db`;
    const other = new DatabaseSync(kv);
    other.exec("create table notes (text); insert into notes values ('mine')");
    other.close();
    const before = await Deno.readFile(kv);
    assertStringIncludes(
      await refusedStart("chat", kv),
      `${kv}: it is a database of another program. Give --kv another`,
    );
    assertEquals(await Deno.readFile(kv), before);
  }));

Deno.test("chat whose store is removed while it runs acknowledges nothing any more, and lets people read and talk of it", () =>
  inTempFolder(async (folder) => {
    await using log = await keptLog();
    const kv = `${folder}/chat.db`;
    await using server = await startTestChat({ kv });
    await using alice = await ChatClient.connect(server.url, "alice");
    await alice.say("kept so far");
    const status = async () =>
      (await fetch(`${server.url}/readyz`).then(async (answer) => {
        await answer.body?.cancel();
        return answer;
      })).status;
    assertEquals(await status(), 200);
    for (const end of ["", "-wal", "-shm"]) await Deno.remove(kv + end);
    for (let i = 0; i < 3; i++) assertEquals(await alice.ask("c2/MSG 1; would be lost"), REFUSED);
    assertStringIncludes(await alice.ask("c2/QUERY history"), '"kept so far"');
    await using bob = await ChatClient.connect(server.url, "bob");
    assertEquals(await bob.ask("c2/QUERY active_users"), `${ACK} [alice,bob]`);
    assertEquals(await status(), 503);
    assertEquals(log.errors(), ["journal.append_failed"]);
    assertStringIncludes(
      String(log.properties("journal.append_failed").error),
      `${kv} was removed, moved or replaced while it was open`,
    );
  }));

Deno.test("listing whose store is moved while it runs answers 503 to what changes, and serves its list", () =>
  inTempFolder(async (folder) => {
    const kv = `${folder}/listing.db`;
    await using listing = await startTestListing({ kv });
    await using chat = await startTestChat({ id: 1 });
    const ask = async (method: string, path: string) => {
      const body = method === "POST" ? JSON.stringify({ address: `127.0.0.1:${chat.port}` }) : null;
      const response = await fetch(`${listing.url}${path}`, { method, body });
      await response.body?.cancel();
      return response.status;
    };
    await Deno.rename(kv, `${folder}/elsewhere.db`);
    assertEquals(await ask("POST", "/servers/1"), 503);
    assertEquals(await ask("GET", "/readyz"), 503);
    assertEquals(await ask("GET", "/servers"), 200);
    assertEquals(await ask("GET", "/healthz"), 200);
  }));

/**
 * Stores that earlier programs wrote, as files: each is opened by the server as it is now, and everything that was in
 * it is there. tests/support/write_store_fixtures.ts wrote them, by the programs of those commits.
 *
 * @module
 */
import { assertEquals, assertStringIncludes } from "@std/assert";
import { extractTimestamp } from "@std/uuid/v7";
import { startListing } from "../listing/mod.ts";
import { AdminApi, TOKEN } from "./support/admin_api.ts";
import { ChatClient } from "./support/chat_client.ts";
import { startTestChat } from "./support/chat_server.ts";

const VECTORS = new URL("vectors/stores/", import.meta.url);

interface Written {
  readonly commit: string;
  readonly history: readonly {
    readonly uuid: string;
    readonly message: string;
    readonly received?: number;
  }[];
  /** Names and addresses. */
  readonly bans: readonly string[];
  /** Of the extended mode, as it was when the server was killed. */
  readonly session: { readonly token: string; readonly position: number };
  readonly id: number;
  readonly displayName: string;
}

const ERAS = (await Array.fromAsync(Deno.readDir(VECTORS))).map(({ name }) => name)
  .filter((name) => name.endsWith(".json")).map((name) => name.slice(0, -".json".length)).toSorted();

async function written(era: string): Promise<Written> {
  return JSON.parse(await Deno.readTextFile(new URL(`${era}.json`, VECTORS)));
}

/** Unpacks a store into a folder that is gone afterwards. */
async function withStore(role: string, era: string, use: (path: string) => Promise<void>): Promise<void> {
  const folder = await Deno.makeTempDir();
  try {
    const path = `${folder}/${role}.db`;
    const packed = await Deno.readFile(new URL(`${role}_${era}.db.gz`, VECTORS));
    await Deno.writeFile(path, new Blob([packed]).stream().pipeThrough(new DecompressionStream("gzip")));
    await use(path);
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
}

/** All bytes of a store's file and its log, one character each. */
async function textOf(path: string): Promise<string> {
  const files = await Promise.all(["", "-wal"].map((end) => Deno.readFile(path + end)));
  return files.map((bytes) => new TextDecoder("latin1").decode(bytes)).join("");
}

/** Resumes a session that the store holds, and is told what it has missed. */
async function resume(url: string, { token, position }: Written["session"]) {
  await using lena = await ChatClient.open(url, true);
  assertStringIncludes(await lena.ask(`c2/RESUME ${token}; ${position}`), "c2/ACKNOWLEDGE ");
  assertStringIncludes(await lena.next(), "c2/SESSION ");
  while (!(await lena.next()).endsWith("; with a nonce"));
}

// So old that retention takes nothing, whenever this runs.
const LIMITS = { historyDays: 36_500 };

Deno.test("there is a store of every layout from the first release on", () => {
  assertEquals(ERAS, ["layout_2", "layout_3"]);
});

for (const era of ERAS) {
  Deno.test(`a chat's store of the era ${era} has its history, bans, sessions and id, and goes on`, async () => {
    await withStore("chat", era, async (kv) => {
      const { history, bans, session, id } = await written(era);
      {
        await using chat = await startTestChat({ kv, limits: LIMITS, adminToken: TOKEN });
        assertEquals(chat.id, id);
        await resume(chat.url, session);
        await using bob = await ChatClient.connect(chat.url, "bob");
        const answer = await bob.ask("c2/QUERY history");
        // Layout 2 had no times of receipt, and its ids came of a right clock.
        const expected = history.map((one) => ({ received: extractTimestamp(one.uuid), ...one }));
        assertEquals(JSON.parse(answer.slice("c2/ACKNOWLEDGE ".length)), expected);
        const kept = (await new AdminApi(chat.url).get("bans")).json.bans as Record<string, string | null>[];
        assertEquals(kept.map(({ name, address }) => name ?? address), [...bans]);
        await bob.say("after");
        // Of the sweep of the start: what was deleted or edited away is in the file that the earlier program wrote.
        while (/to be deleted|a first draft/.test(await textOf(kv))) {
          await new Promise((resolve) => setTimeout(resolve, 20));
        }
      }
      await using again = await startTestChat({ kv, limits: LIMITS });
      await using bob = await ChatClient.connect(again.url, "bob");
      const texts = JSON.parse((await bob.ask("c2/QUERY history")).slice("c2/ACKNOWLEDGE ".length));
      assertEquals(texts.map(({ message }: { message: string }) => message), [
        ...history.map(({ message }) => message),
        "after",
      ]);
    });
  });

  Deno.test(`a listing's store of the era ${era} has its server`, async () => {
    await withStore("listing", era, async (kv) => {
      const { id, displayName } = await written(era);
      await using listing = await startListing({
        kv,
        hostname: "127.0.0.1",
        port: 0,
        tls: undefined,
        // Long enough that nobody is found to be gone meanwhile.
        checkInterval: 86_400,
        trustProxy: false,
      });
      const { servers } = await (await fetch(`${listing.url}/servers`)).json();
      assertEquals(
        servers.map((server: Record<string, unknown>) => [server.id, server.displayName]),
        [[id, displayName]],
      );
    });
  });
}

/**
 * A store of layout 1 under this program: everything is there, whatever moment of the step a crash met.
 *
 * @module
 */
import { assert, assertEquals, assertRejects } from "@std/assert";
import { APPEND_TEXT_MAX, type StoredMessage } from "../../chat/room/message.ts";
import { KvJournal } from "../../chat/store/journal_kv.ts";
import { moveFromLayout1 } from "../../chat/store/layout.ts";
import { openKv } from "../../src/kv/kv.ts";
import { LIMITS } from "../../src/protocol/limits.ts";
import { ChatClient } from "../support/chat_client.ts";
import { startTestChat } from "../support/chat_server.ts";
import { appendAsLayout1, claimAsLayout1 } from "../support/layout_1.ts";

function id(n: number): string {
  return `019b7c2d-3400-7000-8000-${n.toString(16).padStart(12, "0")}`;
}

function message(n: number, more: Partial<StoredMessage> = {}): StoredMessage {
  return {
    uuid: id(n),
    author: `session ${n % 3}`,
    username: "alice",
    timestamp: `${n}`,
    text: `text ${n}`,
    edited: false,
    position: n,
    nonce: undefined,
    ...more,
  };
}

/** What was said with a program before positions, nonces and changes, and with one that has them. */
const MESSAGES = [
  message(1, { position: undefined }),
  message(2, { text: "", edited: true }),
  message(3, { nonce: "n", text: "👍 語" }),
  ...Array.from({ length: 1200 }, (_, n) => message(4 + n)),
];

async function storeOfLayout1(kv: Deno.Kv, messages: readonly StoredMessage[]): Promise<void> {
  await claimAsLayout1(kv);
  for (let at = 0; at < messages.length; at += 100) {
    await appendAsLayout1(kv, messages.slice(at, at + 100).map((message) => ({ kind: "said", message })));
  }
}

async function rows(kv: Deno.Kv, prefix: string): Promise<number> {
  return (await Array.fromAsync(kv.list({ prefix: [prefix] }))).length;
}

function everything(kv: Deno.Kv): Promise<StoredMessage[]> {
  return new KvJournal(kv).page({ limit: 10_000, before: undefined, from: "" });
}

Deno.test("a store of layout 1 has its messages, whole and in order, in segments after the step", async () => {
  using kv = await openKv(":memory:");
  await storeOfLayout1(kv, MESSAGES);
  assertEquals(await moveFromLayout1(kv), MESSAGES.length);
  assertEquals(await everything(kv), MESSAGES);
  assertEquals(await new KvJournal(kv).count(), MESSAGES.length);
  assertEquals([await rows(kv, "message"), await rows(kv, "message_count")], [0, 0]);
  assert(await rows(kv, "messages") < 20);
  // It goes on from there.
  const journal = new KvJournal(kv);
  await journal.append([{ kind: "said", message: message(5000) }]);
  assertEquals(await journal.sweep({ keep: 2, from: "" }), MESSAGES.length - 1);
  assertEquals(await everything(kv), [MESSAGES.at(-1)!, message(5000)]);
});

Deno.test("a store that has nothing of layout 1 is left as it is", async () => {
  using kv = await openKv(":memory:");
  assertEquals(await moveFromLayout1(kv), 0);
  await new KvJournal(kv).append([{ kind: "said", message: message(1) }]);
  assertEquals(await moveFromLayout1(kv), 0);
  assertEquals(await everything(kv), [message(1)]);
});

Deno.test("the step from layout 1 takes messages of the largest size, as many as they are", async () => {
  using kv = await openKv(":memory:");
  const text = "👍".repeat(LIMITS.maxMessageLength.max);
  const count = Math.ceil(APPEND_TEXT_MAX / text.length) + 1;
  const large = Array.from({ length: count }, (_, n) => message(n, { text }));
  await claimAsLayout1(kv);
  for (const message of large) await appendAsLayout1(kv, [{ kind: "said", message }]);
  assertEquals(await moveFromLayout1(kv), count);
  assertEquals(await everything(kv), large);
});

/** A store whose process ends before or after its `n`th commit. */
function endingAt(kv: Deno.Kv, n: number, when: "before" | "after"): Deno.Kv {
  let commits = 0;
  return new Proxy(kv, {
    get(target, property) {
      if (property === "atomic") {
        return () => {
          const atomic = target.atomic();
          const commit = atomic.commit.bind(atomic);
          atomic.commit = async () => {
            if (++commits < n) return await commit();
            if (when === "after") await commit();
            throw new Error("killed");
          };
          return atomic;
        };
      }
      const value: unknown = Reflect.get(target, property, target);
      return typeof value === "function" ? value.bind(target) : value;
    },
  });
}

for (const when of ["before", "after"] as const) {
  Deno.test(`the step from layout 1 that ends ${when} any of its commits is gone on with by the next start`, async () => {
    let interrupted = 0;
    for (let isOver = false, n = 1; !isOver; n++) {
      using kv = await openKv(":memory:");
      await storeOfLayout1(kv, MESSAGES);
      try {
        await moveFromLayout1(endingAt(kv, n, when));
        isOver = true;
      } catch {
        interrupted++;
      }
      await moveFromLayout1(kv);
      assertEquals(await everything(kv), MESSAGES);
      assertEquals(await new KvJournal(kv).count(), MESSAGES.length);
    }
    assert(interrupted >= 4, `${interrupted}`);
  });
}

Deno.test("a chat server on a file of layout 1 shows what was said, also deleted and changed, and says more", async () => {
  const folder = await Deno.makeTempDir({ prefix: "chatter_layout_" });
  try {
    const location = `${folder}/chat.db`;
    {
      using kv = await openKv(location);
      await claimAsLayout1(kv);
      const fresh = message(1, { uuid: uuidNow(1) });
      const deleted = message(2, { uuid: uuidNow(2) });
      await appendAsLayout1(kv, [fresh, deleted].map((message) => ({ kind: "said", message })));
      const change = { ...deleted, text: "", edited: true };
      await appendAsLayout1(kv, [{ kind: "changed", position: 3, message: change, before: deleted }]);
    }
    for (const expected of [["text 1", ""], ["text 1", "", "more"]]) {
      await using server = await startTestChat({ kv: location });
      await using alice = await ChatClient.connect(server.url, "alice");
      const answer = await alice.ask("c2/QUERY history");
      const page = JSON.parse(answer.slice("c2/ACKNOWLEDGE ".length)) as { message: string }[];
      assertEquals(page.map(({ message }) => message), expected);
      await alice.ask("c2/MSG 1; more");
    }
    using kv = await openKv(location);
    assertEquals((await kv.get(["layout"])).value, { role: "chat", version: 2 });
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
});

Deno.test("a chat server whose store of layout 1 cannot be moved does not start", async () => {
  const folder = await Deno.makeTempDir({ prefix: "chatter_layout_" });
  try {
    const location = `${folder}/chat.db`;
    {
      using kv = await openKv(location);
      await claimAsLayout1(kv);
      await kv.set(["message_count"], new Deno.KvU64(1n));
      await kv.set(["message", id(1)], "no message");
    }
    await assertRejects(() => startTestChat({ kv: location }));
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
});

/** An id that is young enough to be shown. */
function uuidNow(n: number): string {
  const hex = Date.now().toString(16).padStart(12, "0");
  return `${hex.slice(0, 8)}-${hex.slice(8)}${id(n).slice(13)}`;
}

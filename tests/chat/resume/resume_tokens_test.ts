/**
 * Tokens of the extended mode: which token resumes which session, and a store that fails, PROTOCOL.md §12.3.
 *
 * @module
 */
import { assertEquals } from "@std/assert";
import { KICKED_TOKENS_MAX, ResumeTokens, UNWRITTEN_MAX } from "../../../chat/resume/resume_tokens.ts";
import { KvSessionStore } from "../../../chat/store/session_store_kv.ts";
import {
  CHANGE_SESSIONS_MAX,
  type SessionStore,
  type StoredSession,
} from "../../../chat/store/session_store.ts";
import { openKv } from "../../../src/kv/kv.ts";
import { recordedLog } from "../../support/recorded_log.ts";

function resumeTokens(store?: Partial<SessionStore>) {
  const changes: ReadonlyMap<string, StoredSession | undefined>[] = [];
  let minted = 0;
  const { log, events } = recordedLog();
  const tokens = new ResumeTokens({
    store: {
      load: () => Promise.resolve([]),
      change(change) {
        changes.push(change);
        return Promise.resolve();
      },
      ...store,
    },
    mintToken: () => `token ${++minted}`,
    log,
  });
  return { tokens, changes, events };
}

function session(id: string, username: string, connectedAtMs: number) {
  return { id, username, connectedAtMs, firstPosition: 0 };
}

Deno.test("tokens are stored as hashes, and never as they are", async () => {
  const { tokens, changes } = resumeTokens();
  const token = tokens.begin(session("s", "alice", 1));
  tokens.resume("s", token, "192.0.2.1");
  await tokens.idle();
  const stored = JSON.stringify(changes.map((change) => [...change]));
  assertEquals(stored.includes("token "), false, stored);
  assertEquals([...changes.at(-1)!.values()][0]!.tokens.length, 2);
});

Deno.test("what one turn changes is one commit, and what ended is removed", async () => {
  const { tokens, changes } = resumeTokens();
  tokens.begin(session("s", "alice", 1));
  tokens.begin(session("t", "bob", 2));
  tokens.rename("s", "alicia");
  tokens.end("t");
  await tokens.idle();
  assertEquals(changes.length, 1);
  assertEquals([...changes[0]!].map(([id, stored]) => [id, stored?.username]), [
    ["s", "alicia"],
    ["t", undefined],
  ]);
  assertEquals(tokens.stored(), undefined);
});

Deno.test("more changes than fit one commit are several", async () => {
  const { tokens, changes } = resumeTokens();
  for (let n = 0; n <= CHANGE_SESSIONS_MAX; n++) tokens.begin(session(`s${n}`, `u${n}`, n));
  await tokens.idle();
  assertEquals(changes.map(({ size }) => size), [CHANGE_SESSIONS_MAX, 1]);
});

Deno.test("a store that fails is logged once, and is written all of it when it works again", async () => {
  let fails = true;
  const written: [string, string | undefined][][] = [];
  const { tokens, events } = resumeTokens({
    change(change) {
      if (fails) return Promise.reject(new Error("disk is full"));
      written.push([...change].map(([id, stored]) => [id, stored?.username]));
      return Promise.resolve();
    },
  });
  tokens.begin(session("s", "alice", 1));
  await tokens.idle();
  tokens.begin(session("t", "bob", 2));
  tokens.rename("s", "alicia");
  await tokens.idle();
  assertEquals(events("error"), ["sessions.store_failed"]);
  fails = false;
  tokens.end("t");
  await tokens.idle();
  assertEquals(written.flat().toSorted(), [["s", "alicia"], ["t", undefined]]);
  assertEquals(events("info"), ["sessions.store_works"]);
});

Deno.test("while the store fails so many changes wait, and of one more the oldest is dropped", async () => {
  let fails = true;
  const written: (readonly [string, StoredSession | undefined])[] = [];
  const { tokens } = resumeTokens({
    change(change) {
      if (fails) return Promise.reject(new Error("disk is full"));
      written.push(...change);
      return Promise.resolve();
    },
  });
  const live = 10;
  for (let n = 0; n < UNWRITTEN_MAX + 1; n++) {
    tokens.begin(session(`s${n}`, `u${n}`, n));
    if (n >= live) tokens.end(`s${n}`);
    if (n % 5000 === 0) await tokens.idle();
  }
  assertEquals(tokens.size, live);
  fails = false;
  await tokens.idle();
  assertEquals(written.length, UNWRITTEN_MAX);
  assertEquals(new Set(written.map(([id]) => id)).has("s0"), false);
  assertEquals(written.filter(([, stored]) => stored !== undefined).length, live - 1);
});

Deno.test("the store gives back the sessions that it holds, in order of connecting", async () => {
  const kv = await openKv(":memory:");
  try {
    const store = new KvSessionStore(kv);
    const row = (id: string, connectedAtMs: number) => ({ ...session(id, id, connectedAtMs), tokens: ["h"] });
    await store.change(new Map([["b", row("b", 1)], ["a", row("a", 2)], ["c", row("c", 3)]]));
    await store.change(new Map([["c", undefined]]));
    assertEquals(await store.load(), [row("b", 1), row("a", 2)]);
  } finally {
    kv.close();
  }
});

Deno.test("a session that begins just as the last write ends is stored before `stored` resolves", async () => {
  for (let ticks = 0; ticks < 8; ticks++) {
    const written: string[] = [];
    const { promise, resolve } = Promise.withResolvers<void>();
    const { tokens } = resumeTokens({
      change: async (change) => {
        if (change.has("first")) await promise;
        written.push(...change.keys());
      },
    });
    tokens.begin(session("first", "alice", 1));
    const first = tokens.idle();
    await Promise.resolve();
    resolve();
    for (let i = 0; i < ticks; i++) await Promise.resolve();
    tokens.begin(session("second", "bob", 2));
    await tokens.stored();
    assertEquals(written, ["first", "second"], `${ticks} ticks later`);
    await first;
  }
});

Deno.test("so many tokens of kicked sessions are known as such, and of one more the oldest is forgotten", async () => {
  const { tokens } = resumeTokens();
  const kick = (id: string) => {
    const token = tokens.begin(session(id, id, 1));
    tokens.kicked(id);
    tokens.end(id);
    return token;
  };
  const first = kick("first");
  const left = tokens.begin(session("left", "left", 1));
  tokens.end("left");
  for (let n = 1; n < KICKED_TOKENS_MAX; n++) kick(`${n}`);
  assertEquals([tokens.isOfKicked(first), tokens.isOfKicked(left), tokens.find(first)], [
    true,
    false,
    undefined,
  ]);
  const last = kick("one more");
  assertEquals([tokens.isOfKicked(first), tokens.isOfKicked(last)], [false, true]);
  await tokens.idle();
});

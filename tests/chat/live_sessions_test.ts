/**
 * Tokens and nonces of the extended mode: which token resumes what, how many nonces are known, and a store that fails,
 * PROTOCOL.md §12.3 and §12.4.
 *
 * @module
 */
import { assertEquals } from "@std/assert";
import { NONCES_MAX, ResumableSessions } from "../../chat/resume/resume_tokens.ts";
import { KvSessionStore } from "../../chat/store/session_store_kv.ts";
import {
  CHANGE_SESSIONS_MAX,
  type SessionStore,
  type StoredSession,
} from "../../chat/store/session_store.ts";
import { openKv } from "../../src/kv/kv.ts";
import { recordedLog } from "../support/recorded_log.ts";

function resumableSessions(store?: Partial<SessionStore>) {
  const changes: ReadonlyMap<string, StoredSession | undefined>[] = [];
  let tokens = 0;
  const { log, events } = recordedLog();
  const sessions = new ResumableSessions({
    store: {
      load: () => Promise.resolve([]),
      change(change) {
        changes.push(change);
        return Promise.resolve();
      },
      ...store,
    },
    mintToken: () => `token ${++tokens}`,
    log,
  });
  return { sessions, changes, events };
}

Deno.test("a session's last 1024 nonces are known, and not one more", () => {
  const { sessions } = resumableSessions();
  sessions.begin("s", "alice", 1);
  for (let n = 0; n < NONCES_MAX; n++) sessions.remember("s", `n${n}`, `id ${n}`);
  assertEquals(sessions.sentAs("s", "n0"), "id 0");
  sessions.remember("s", "one more", "id");
  assertEquals(sessions.sentAs("s", "n0"), undefined);
  assertEquals(sessions.sentAs("s", "n1"), "id 1");
  assertEquals(sessions.sentAs("other", "n1"), undefined);
});

Deno.test("tokens are stored as hashes, and never as they are", async () => {
  const { sessions, changes } = resumableSessions();
  const token = sessions.begin("s", "alice", 1);
  sessions.resume("s", token);
  await sessions.idle();
  const stored = JSON.stringify(changes.map((change) => [...change]));
  assertEquals(stored.includes("token "), false, stored);
  assertEquals([...changes.at(-1)!.values()][0]!.tokens.length, 2);
});

Deno.test("what one turn changes is one commit, and what ended is removed", async () => {
  const { sessions, changes } = resumableSessions();
  sessions.begin("s", "alice", 1);
  sessions.begin("t", "bob", 2);
  sessions.rename("s", "alicia");
  sessions.end("t");
  await sessions.idle();
  assertEquals(changes.length, 1);
  assertEquals([...changes[0]!].map(([id, stored]) => [id, stored?.username]), [
    ["s", "alicia"],
    ["t", undefined],
  ]);
  assertEquals(sessions.isWritten, true);
});

Deno.test("more changes than fit one commit are several", async () => {
  const { sessions, changes } = resumableSessions();
  for (let n = 0; n <= CHANGE_SESSIONS_MAX; n++) sessions.begin(`s${n}`, `u${n}`, n);
  await sessions.idle();
  assertEquals(changes.map(({ size }) => size), [CHANGE_SESSIONS_MAX, 1]);
});

Deno.test("a store that fails is logged once, and is written all of it when it works again", async () => {
  let fails = true;
  const written: [string, string | undefined][][] = [];
  const { sessions, events } = resumableSessions({
    change(change) {
      if (fails) return Promise.reject(new Error("disk is full"));
      written.push([...change].map(([id, stored]) => [id, stored?.username]));
      return Promise.resolve();
    },
  });
  sessions.begin("s", "alice", 1);
  await sessions.idle();
  sessions.begin("t", "bob", 2);
  sessions.rename("s", "alicia");
  await sessions.idle();
  assertEquals(events("error"), ["sessions.store_failed"]);
  fails = false;
  sessions.end("t");
  await sessions.idle();
  assertEquals(written.flat().toSorted(), [["s", "alicia"], ["t", undefined]]);
  assertEquals(events("info"), ["sessions.store_works"]);
});

Deno.test("the store gives back the sessions that it holds, in order of connecting", async () => {
  const kv = await openKv(":memory:");
  try {
    const store = new KvSessionStore(kv);
    const row = (id: string, connectedAtMs: number) => ({ id, username: id, connectedAtMs, tokens: ["h"] });
    await store.change(new Map([["b", row("b", 1)], ["a", row("a", 2)], ["c", row("c", 3)]]));
    await store.change(new Map([["c", undefined]]));
    assertEquals(await store.load(), [row("b", 1), row("a", 2)]);
  } finally {
    kv.close();
  }
});

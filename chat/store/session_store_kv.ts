/**
 * The sessions that may be resumed, in Deno KV, one row each under `["session", id]`, PROTOCOL.md §12.3.
 *
 * @module
 */
import type { SessionStore, StoredSession } from "./session_store.ts";

type Row = Omit<StoredSession, "id">;

export class KvSessionStore implements SessionStore {
  readonly #kv: Deno.Kv;

  constructor(kv: Deno.Kv) {
    this.#kv = kv;
  }

  async load(): Promise<StoredSession[]> {
    const sessions: StoredSession[] = [];
    for await (const { key, value } of this.#kv.list<Row>({ prefix: ["session"] })) {
      // Layout 2 has no first position.
      sessions.push({ id: key[1] as string, ...value, firstPosition: value.firstPosition ?? 0 });
    }
    // Positions are the order; the clock may have been set back between two.
    return sessions.sort((a, b) => a.firstPosition - b.firstPosition || a.connectedAtMs - b.connectedAtMs);
  }

  async change(sessions: ReadonlyMap<string, StoredSession | undefined>): Promise<void> {
    const atomic = this.#kv.atomic();
    for (const [id, session] of sessions) {
      if (session === undefined) atomic.delete(["session", id]);
      else {
        const { id: _, ...row } = session;
        atomic.set(["session", id], row satisfies Row);
      }
    }
    await atomic.commit();
  }
}

/**
 * The tokens that resume a session over another connection, PROTOCOL.md §12.3. It holds no connections: whether a
 * session may be resumed is the room's decision. Each change is written soon; after a failure it is written with the
 * next change.
 *
 * @module
 */
import { createHash } from "node:crypto";
import type { Logger } from "../../src/logging/log.ts";
import type { SessionId } from "../room/roster.ts";
import { CHANGE_SESSIONS_MAX, type SessionStore, type StoredSession } from "../store/session_store.ts";

/**
 * Changes that wait while the store fails, of some 400 bytes: an hour of four sessions a second, each of which begins
 * and ends. The oldest are dropped: a session that is not stored is lost with the process, and one whose end is not
 * stored is held once more after a restart.
 */
export const UNWRITTEN_MAX = 15_000;

/** Tokens of kicked sessions that are known as such, of some 100 bytes: each takes a command of an operator. */
export const KICKED_TOKENS_MAX = 1000;

export interface ResumeTokensOptions {
  readonly store: SessionStore;
  /** 256 random bits in base64url. */
  readonly mintToken: () => string;
  readonly log: Logger;
}

export class ResumeTokens {
  readonly #options: ResumeTokensOptions;
  readonly #sessions = new Map<SessionId, StoredSession>();
  /** Hashes of the tokens of kicked sessions, the oldest first. */
  readonly #kicked = new Set<string>();
  /** Sessions by the hash of a token. */
  readonly #byToken = new Map<string, SessionId>();
  /** Changes not written yet; undefined removes a session. */
  #unwritten = new Map<SessionId, StoredSession | undefined>();
  #writing: Promise<void> | undefined;
  #storeFails = false;

  constructor(options: ResumeTokensOptions) {
    this.#options = options;
  }

  /** Resolves when all changes are written or have failed; undefined if none is waiting. */
  stored(): Promise<void> | undefined {
    return this.#unwritten.size === 0 && this.#writing === undefined ? undefined : this.idle();
  }

  get size(): number {
    return this.#sessions.size;
  }

  restore(stored: StoredSession): void {
    this.#sessions.set(stored.id, stored);
    for (const hash of stored.tokens) this.#byToken.set(hash, stored.id);
  }

  /** Adds a session; returns its token. */
  begin(session: Omit<StoredSession, "tokens">): string {
    const token = this.#options.mintToken();
    this.#replace({ ...session, tokens: [hashOf(token)] });
    return token;
  }

  /** Corrects the first position of a session: broadcasts decided before it were not stored. */
  beganAt(id: SessionId, firstPosition: number): void {
    const session = this.#sessions.get(id);
    if (session !== undefined && session.firstPosition !== firstPosition) {
      this.#replace({ ...session, firstPosition });
    }
  }

  /**
   * Returns the next token. It and `token` are valid from now on: the client may lose the connection before it reads
   * the answer.
   */
  resume(id: SessionId, token: string, address: string): string {
    const next = this.#options.mintToken();
    const session = this.#sessions.get(id);
    if (session !== undefined) this.#replace({ ...session, address, tokens: [hashOf(next), hashOf(token)] });
    return next;
  }

  find(token: string): StoredSession | undefined {
    const id = this.#byToken.get(hashOf(token));
    return id === undefined ? undefined : this.#sessions.get(id);
  }

  /** An operator ends the session: call before its `end`. */
  kicked(id: SessionId): void {
    for (const hash of this.#sessions.get(id)?.tokens ?? []) this.#kicked.add(hash);
    for (const oldest of this.#kicked) {
      if (this.#kicked.size <= KICKED_TOKENS_MAX) break;
      this.#kicked.delete(oldest);
    }
  }

  /** Whether the token is of a session that an operator ended, in this run. */
  isOfKicked(token: string): boolean {
    return this.#kicked.has(hashOf(token));
  }

  rename(id: SessionId, username: string): void {
    const session = this.#sessions.get(id);
    if (session !== undefined) this.#replace({ ...session, username });
  }

  /** Removes a session and its tokens. Sessions outside the extended mode have none. */
  end(id: SessionId): void {
    const session = this.#sessions.get(id);
    if (session === undefined) return;
    this.#sessions.delete(id);
    for (const hash of session.tokens) this.#byToken.delete(hash);
    this.#write(id, undefined);
  }

  /** Resolves when all changes are written or have failed. */
  async idle(): Promise<void> {
    this.#beginWriting();
    await this.#writing;
  }

  #replace(stored: StoredSession): void {
    const known = this.#sessions.get(stored.id);
    for (const hash of known?.tokens ?? []) this.#byToken.delete(hash);
    for (const hash of stored.tokens) this.#byToken.set(hash, stored.id);
    this.#sessions.set(stored.id, stored);
    this.#write(stored.id, stored);
  }

  #write(id: SessionId, stored: StoredSession | undefined): void {
    this.#unwritten.set(id, stored);
    this.#dropOldest();
    this.#beginWriting();
  }

  #dropOldest(): void {
    for (const oldest of this.#unwritten.keys()) {
      if (this.#unwritten.size <= UNWRITTEN_MAX) return;
      this.#unwritten.delete(oldest);
    }
  }

  #beginWriting(): void {
    this.#writing ??= this.#writeAll();
  }

  async #writeAll(): Promise<void> {
    // One tick later: all changes of one turn share a commit.
    await Promise.resolve();
    try {
      while (this.#unwritten.size > 0) {
        const changes = new Map([...this.#unwritten].slice(0, CHANGE_SESSIONS_MAX));
        for (const id of changes.keys()) this.#unwritten.delete(id);
        if (!await this.#writeSome(changes)) return;
      }
    } finally {
      // In the same tick as the last look at `#unwritten`: a change after it begins a write of its own.
      this.#writing = undefined;
    }
  }

  /** Writes changes, or puts them back for the next try; returns whether the store took them. */
  async #writeSome(changes: ReadonlyMap<SessionId, StoredSession | undefined>): Promise<boolean> {
    const { store, log } = this.#options;
    try {
      await store.change(changes);
      if (this.#storeFails) log.info("sessions.store_works", {});
      this.#storeFails = false;
      return true;
    } catch (error) {
      if (!this.#storeFails) log.error("sessions.store_failed", { sessions: changes.size, error });
      this.#storeFails = true;
      // Retried with the next change. A newer change of a session takes precedence.
      this.#unwritten = new Map([...changes, ...this.#unwritten]);
      this.#dropOldest();
      return false;
    }
  }
}

function hashOf(token: string): string {
  return createHash("sha256").update(token).digest("base64url");
}

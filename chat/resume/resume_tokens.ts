/**
 * The tokens that let a session of the extended mode go on over another connection, PROTOCOL.md §12.3.
 *
 * It knows no connections: the room judges whether a session may be resumed. A change is written soon after it was
 * made, and `idle` waits for that; where the store fails, it is written with the next change.
 *
 * @module
 */
import { createHash } from "node:crypto";
import type { Logger } from "../../src/logging/log.ts";
import type { SessionId } from "../room/room.ts";
import { CHANGE_SESSIONS_MAX, type SessionStore, type StoredSession } from "../store/session_store.ts";

export interface ResumeTokensOptions {
  readonly store: SessionStore;
  /** 256 random bits in base64url. */
  readonly mintToken: () => string;
  readonly log: Logger;
}

export class ResumeTokens {
  readonly #options: ResumeTokensOptions;
  readonly #sessions = new Map<SessionId, StoredSession>();
  /** By the hash of a token. */
  readonly #byToken = new Map<string, SessionId>();
  /** What the store does not have yet. */
  #unwritten = new Map<SessionId, StoredSession | undefined>();
  #writing: Promise<void> | undefined;
  #storeFails = false;

  constructor(options: ResumeTokensOptions) {
    this.#options = options;
  }

  /** Resolves when the store has everything, or cannot take it; undefined where it has everything. */
  stored(): Promise<void> | undefined {
    return this.#unwritten.size === 0 && this.#writing === undefined ? undefined : this.idle();
  }

  get size(): number {
    return this.#sessions.size;
  }

  /** Takes a session of an earlier run, which is stored. */
  restore(stored: StoredSession): void {
    this.#sessions.set(stored.id, stored);
    for (const hash of stored.tokens) this.#byToken.set(hash, stored.id);
  }

  /** A session that connects; answers the token that resumes it. */
  begin(id: SessionId, username: string, connectedAtMs: number): string {
    const token = this.#options.mintToken();
    this.#replace({ id, username, connectedAtMs, tokens: [hashOf(token)] });
    return token;
  }

  /**
   * A session that is resumed by `token`; answers the next one. Both are valid from now on and no other: the client
   * may be lost again before it has read the answer.
   */
  resume(id: SessionId, token: string): string {
    const next = this.#options.mintToken();
    const session = this.#sessions.get(id);
    if (session !== undefined) this.#replace({ ...session, tokens: [hashOf(next), hashOf(token)] });
    return next;
  }

  /** The session that a token resumes. */
  find(token: string): SessionId | undefined {
    return this.#byToken.get(hashOf(token));
  }

  rename(id: SessionId, username: string): void {
    const session = this.#sessions.get(id);
    if (session !== undefined) this.#replace({ ...session, username });
  }

  /** It is over, and its tokens are worth nothing. An id that is not known is none of the extended mode. */
  end(id: SessionId): void {
    const session = this.#sessions.get(id);
    if (session === undefined) return;
    this.#sessions.delete(id);
    for (const hash of session.tokens) this.#byToken.delete(hash);
    this.#write(id, undefined);
  }

  /** Resolves when everything was written, or could not be. */
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
    this.#beginWriting();
  }

  #beginWriting(): void {
    this.#writing ??= this.#writeAll().finally(() => this.#writing = undefined);
  }

  async #writeAll(): Promise<void> {
    const { store, log } = this.#options;
    // In a turn of its own: what one turn of the sequencer changes is one commit.
    await Promise.resolve();
    while (this.#unwritten.size > 0) {
      const changes = new Map([...this.#unwritten].slice(0, CHANGE_SESSIONS_MAX));
      for (const id of changes.keys()) this.#unwritten.delete(id);
      try {
        await store.change(changes);
        if (this.#storeFails) log.info("sessions.store_works", {});
        this.#storeFails = false;
      } catch (error) {
        if (!this.#storeFails) log.error("sessions.store_failed", { sessions: changes.size, error });
        this.#storeFails = true;
        // Tried again with the next change; what is newer stands.
        this.#unwritten = new Map([...changes, ...this.#unwritten]);
        return;
      }
    }
  }
}

function hashOf(token: string): string {
  return createHash("sha256").update(token).digest("base64url");
}

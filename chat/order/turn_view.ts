/**
 * Lookups: what a batch asks for and memory does not hold, read from the journal before the batch is decided.
 *
 * It judges nothing. What could not be read is the sequencer's to answer.
 *
 * @module
 */
import type { Username } from "../../src/protocol/names.ts";
import type { Bans, Bar } from "../room/bans.ts";
import type { History } from "../room/history.ts";
import type { Participant, Submission } from "../delivery/participant.ts";
import type { StoredMessage } from "../room/message.ts";
import type { Resumption } from "../resume/resumption.ts";
import type { Claim, DecisionContext } from "../room/decision.ts";
import type { Logger } from "../../src/logging/log.ts";
import { asksForOlder } from "./batch.ts";
import type { Journal } from "../store/journal.ts";

export interface LookupOptions {
  readonly history: History;
  readonly journal: Journal;
  /** Milliseconds since 1970. */
  readonly nowMs: () => number;
  /** The smallest id that is young enough to be shown. */
  readonly historyFrom: (nowMs: number) => string;
  readonly log: Logger;
}

/** What was read from the journal for one batch, as of its beginning. */
export class Lookups {
  /** Of a batch that asks for nothing. */
  static readonly NONE = new Lookups();
  readonly messages = new Map<string, StoredMessage>();
  readonly pages = new Map<Submission, StoredMessage[]>();
  /** What could not be read. */
  readonly failed = new Set<Submission>();

  /** Reads for a batch; not a promise where there is nothing to read. Never rejects. */
  static of(batch: readonly Submission[], options: LookupOptions): Lookups | Promise<Lookups> {
    const lookups = new Lookups();
    const reads: Promise<void>[] = [];
    for (const submission of batch) {
      const failed = (error: unknown) => {
        options.log.error("journal.read_failed", { error });
        lookups.failed.add(submission);
      };
      try {
        const read = lookups.#readFor(submission, options);
        if (read !== undefined) reads.push(read.catch(failed));
      } catch (error) {
        failed(error);
      }
    }
    return reads.length === 0 ? lookups : Promise.all(reads).then(() => lookups);
  }

  #readFor(
    submission: Submission,
    { journal, history, historyFrom, nowMs }: LookupOptions,
  ): Promise<void> | undefined {
    const { input } = submission;
    if (input.type !== "QUERY") return undefined;
    switch (input.query) {
      case "update_message":
      case "delete_message":
        if (history.get(input.uuid) !== undefined) return undefined;
        return journal.find(input.uuid).then((message) => {
          if (message !== undefined) this.messages.set(message.uuid, message);
        });
      case "history": {
        if (!asksForOlder(input)) return undefined;
        const range = { limit: input.limit, before: input.before, from: historyFrom(nowMs()) };
        const page = history.page(range);
        if (page !== undefined) {
          this.pages.set(submission, page);
          return undefined;
        }
        return journal.page(range).then((page) => void this.pages.set(submission, page));
      }
      default:
        return undefined;
    }
  }
}

export interface TurnParts {
  readonly history: History;
  readonly bans: Pick<Bans, "bar">;
  readonly resumption: Resumption;
  /** What was read from the journal for this batch. */
  readonly messages: ReadonlyMap<string, StoredMessage>;
  readonly nowMs: number;
  readonly steadyMs: number;
  readonly historyFrom: string;
}

export class TurnView implements DecisionContext {
  readonly nowMs: number;
  readonly steadyMs: number;
  readonly historyFrom: string;
  readonly #parts: TurnParts;
  #participant: Participant | undefined;

  constructor(parts: TurnParts) {
    this.#parts = parts;
    this.nowMs = parts.nowMs;
    this.steadyMs = parts.steadyMs;
    this.historyFrom = parts.historyFrom;
  }

  /** The same for another participant's input. */
  of(participant: Participant): this {
    this.#participant = participant;
    return this;
  }

  get isLive(): boolean {
    return this.#participant!.isExtended;
  }

  find(uuid: string): StoredMessage | undefined {
    return this.#parts.history.get(uuid) ?? this.#parts.messages.get(uuid);
  }

  bar(username: Username): Bar | undefined {
    return this.#parts.bans.bar(username, this.#participant!.remoteAddress, this.nowMs);
  }

  claim(token: string, position: number): Claim | undefined {
    return this.#parts.resumption.claim(token, position);
  }

  sentAs(nonce: string): string | undefined {
    return this.#parts.resumption.sentAs(this.#participant!.id, nonce);
  }
}

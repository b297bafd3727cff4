/**
 * What the room is told of the moment at which it decides: one object for all inputs of a batch, since a decision is
 * made for each of them.
 *
 * It looks things up where they are and judges nothing.
 *
 * @module
 */
import type { Username } from "../src/protocol/names.ts";
import type { Bans, Bar } from "./room/bans.ts";
import type { History } from "./room/history.ts";
import type { Participant } from "./delivery/participant.ts";
import type { StoredMessage } from "./room/message.ts";
import type { Resumption } from "./resume/resumption.ts";
import type { Claim, DecisionContext } from "./room/decision.ts";

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

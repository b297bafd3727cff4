/**
 * The teller: applies each decision of a stored batch to the room's state and has its frames sent, in order,
 * PROTOCOL.md §4.4. It decides nothing and stores nothing.
 *
 * @module
 */
import type { Participant, Submission } from "../delivery/participant.ts";
import type { Resumption } from "../resume/resumption.ts";
import { type Decision, isSessionChange } from "../room/decision.ts";
import type { StoredMessage } from "../room/message.ts";
import type { EffectFrames, RoomState } from "../room/room_state.ts";
import type { Batch } from "./batch.ts";
import { DecisionSender, type DecisionSenderOptions, type Follower } from "./decision_sender.ts";

export interface TellerOptions extends DecisionSenderOptions {
  readonly state: RoomState;
  readonly resumption: Resumption;
}

export class Teller implements Follower<Submission> {
  superseded: Participant | undefined;
  readonly #options: TellerOptions;
  readonly #sender: DecisionSender;
  /** Of the batch that is being sent. */
  #pages = NO_PAGES;
  /** Recorded only for a page from the store: recording a message costs as much as sending it. */
  #changed: Map<string, StoredMessage> | undefined;

  constructor(options: TellerOptions) {
    this.#options = options;
    this.#sender = new DecisionSender(options);
  }

  /** Resolves when the fan-out can take more; undefined if it can now. */
  caughtUp(): Promise<void> | undefined {
    return this.#options.fanout.caughtUp();
  }

  /** Sends a batch's decisions, from the first that was not sent yet. */
  send(batch: Batch): void {
    const { submissions, decisions, pages } = batch;
    this.#pages = pages;
    const changed = this.#changed = pages.size === 0 ? undefined : new Map();
    while (batch.sentCount < submissions.length) {
      const submission = submissions[batch.sentCount]!;
      const decision = decisions[batch.sentCount]!;
      batch.sentCount++;
      if (changed !== undefined && decision.kind === "stored") {
        changed.set(decision.entry.message.uuid, decision.entry.message);
      }
      this.#sender.send(submission, decision, this);
    }
    // Pages may be large, and the next batch late.
    this.#pages = NO_PAGES;
    this.#changed = undefined;
    this.superseded = undefined;
    // Before this function returns: a session without unanswered frames may answer the next one itself.
    this.#sender.flush();
  }

  follow(submission: Submission, decision: Decision): EffectFrames {
    const { state, resumption } = this.#options;
    let token: string | undefined;
    if (isSessionChange(decision)) {
      const followed = resumption.follow(submission.participant, decision, state.position);
      this.superseded = followed.superseded;
      token = followed.token;
    }
    return state.follow(decision, this.#pageFor(submission, decision), token);
  }

  /** A page from memory is current. A page from the store lacks the edits of its own batch, so they are applied. */
  #pageFor(submission: Submission, decision: Decision): readonly StoredMessage[] {
    if (decision.kind !== "asked_history") return NO_PAGE;
    return this.#options.state.page(decision.range) ??
      this.#pages.get(submission)?.map((message) => this.#changed?.get(message.uuid) ?? message) ?? NO_PAGE;
  }
}

const NO_PAGE: readonly StoredMessage[] = [];
const NO_PAGES: Batch["pages"] = new Map();

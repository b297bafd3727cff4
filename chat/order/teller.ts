/**
 * The teller: applies each decision of a stored batch to the room's state and sends its answers, broadcasts and closes,
 * in order, PROTOCOL.md §4.4. It decides nothing and stores nothing. The nodes of a cluster share its `DecisionSender`:
 * a bug in one decision is answered to its sender and affects no other.
 *
 * @module
 */
import { encodeServerFrame } from "../../src/protocol/codec.ts";
import { CLOSE } from "../../src/protocol/close_codes.ts";
import { type Fault, fault } from "../../src/protocol/faults.ts";
import type { Logger } from "../../src/logging/log.ts";
import type { FanoutPort } from "../delivery/fanout.ts";
import type { Participant, Submission } from "../delivery/participant.ts";
import type { PresenceNotices } from "../delivery/presence_notices.ts";
import type { ChatMeters } from "../meters.ts";
import type { Resumption } from "../resume/resumption.ts";
import { type Decision, isSessionChange } from "../room/decision.ts";
import { toFrame } from "../room/frame.ts";
import type { StoredMessage } from "../room/message.ts";
import type { EffectFrames, RoomState } from "../room/room_state.ts";
import type { Batch } from "./batch.ts";

export interface DecisionSenderOptions {
  readonly fanout: FanoutPort;
  readonly presence: PresenceNotices;
  /** Called after each turn that changed who is connected. */
  readonly onRosterChange: (connectedUsers: number) => void;
  /** Called with each changed message, before the change is broadcast. */
  readonly onChange: (message: StoredMessage) => void;
  readonly meters: ChatMeters;
  readonly log: Logger;
}

type Sent = Pick<Submission, "participant" | "decided">;

/** Applies decisions to the room's state. One object for many, since a closure for each message would be garbage. */
export interface Follower<From extends Sent = Sent> {
  follow(submission: From, decision: Decision): EffectFrames;
  /** After `follow` of a change of sessions: the connection whose session another one has taken over. */
  readonly superseded: Participant | undefined;
}

export class DecisionSender {
  readonly #options: DecisionSenderOptions;
  #users = 0;
  #rosterChanged = false;
  /** Whether this turn is a write for each client of the extended mode. */
  #isBroadcast = false;

  constructor(options: DecisionSenderOptions) {
    this.#options = options;
  }

  /** Sends one decision, which `follower` applies. A participant without an outbox is of another node. */
  send<From extends Sent>(submission: From, decision: Decision, follower: Follower<From>): void {
    const { fanout, presence, meters, log, onChange } = this.#options;
    const { participant } = submission;
    this.#rosterChanged ||= decision.kind === "joined" || decision.kind === "left";
    try {
      if (isFaulted(decision)) meters.faulted(decision.fault.fault);
      else if (decision.kind === "stored") {
        meters.messageStored(decision.entry);
        if (decision.entry.kind === "changed") onChange(decision.entry.message);
      }
      const frames = follower.follow(submission, decision);
      const superseded = isSessionChange(decision) ? follower.superseded : undefined;
      this.#sendFrames(participant, decision, frames, superseded);
      presence.follow(participant, decision);
    } catch (error) {
      log.error("bug", { where: "tell", decision: decision.kind, error });
      meters.faulted("INTERNAL");
      const text = fault("INTERNAL").text;
      fanout.send(participant, toFrame(encodeServerFrame({ type: "ERROR", text })));
      fanout.endBroken(participant);
    }
    try {
      // Answered later, off the order.
      if (decision.kind !== "asked_search") participant.settled();
      submission.decided?.(decision);
    } catch (error) {
      log.error("bug", { where: "settled", session: participant.id, error });
      fanout.endBroken(participant);
    }
  }

  /** Ends a turn. */
  flush(): void {
    const { fanout, presence, onRosterChange } = this.#options;
    presence.turnEnds(this.#isBroadcast);
    this.#isBroadcast = false;
    fanout.flush();
    const hasChanged = this.#rosterChanged || fanout.size !== this.#users;
    // Before the call: after a bug in it the rest of the turn is sent.
    this.#users = fanout.size;
    this.#rosterChanged = false;
    if (hasChanged) onRosterChange(fanout.size);
  }

  /** Frames in the order of PROTOCOL.md §4.4: departure notice, answer, follow-ups, broadcasts, close. */
  #sendFrames(
    participant: Participant,
    decision: Decision,
    frames: EffectFrames,
    superseded: Participant | undefined,
  ): void {
    const { fanout } = this.#options;
    this.#isBroadcast ||= frames.broadcast !== undefined || frames.extendedBroadcast !== undefined;
    if (frames.departureNotice !== undefined) fanout.broadcast(frames.departureNotice);
    if (frames.answer !== undefined) fanout.send(participant, frames.answer);
    if (decision.kind === "held") fanout.delete(participant);
    if (superseded !== undefined) {
      fanout.delete(superseded);
      fanout.end(superseded, CLOSE.resumedElsewhere);
    }
    if (frames.session !== undefined) fanout.send(participant, frames.session);
    fanout.replay(participant, frames.missed);
    if (participant.outbox !== undefined && (decision.kind === "joined" || decision.kind === "resumed")) {
      fanout.add(participant);
      participant.joined();
    }
    if (frames.broadcast !== undefined) fanout.broadcast(frames.broadcast);
    if (frames.plainBroadcast !== undefined) fanout.broadcastPlain(frames.plainBroadcast);
    if (frames.extendedBroadcast !== undefined) fanout.broadcastExtended(frames.extendedBroadcast);
    if (frames.ephemeral !== undefined) fanout.broadcastExtendedBut(participant, frames.ephemeral);
    if (decision.kind === "left") fanout.delete(participant);
    if (frames.close !== undefined) fanout.end(participant, frames.close);
  }
}

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

function isFaulted(decision: Decision): decision is Extract<Decision, { fault: Fault }> {
  return decision.kind === "refused" || decision.kind === "barred" || decision.kind === "unresumable";
}

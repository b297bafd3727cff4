/**
 * The teller: applies each decision of a stored batch to the room's state and sends the frames, in order, PROTOCOL.md
 * §4.4. It decides nothing and stores nothing. A bug in one decision is answered to its sender and affects no other.
 *
 * @module
 */
import { encodeServerFrame } from "../../src/protocol/codec.ts";
import { CLOSE } from "../../src/protocol/close_codes.ts";
import { type Fault, fault } from "../../src/protocol/faults.ts";
import type { Logger } from "../../src/logging/log.ts";
import type { FanoutPort } from "../delivery/fanout.ts";
import type { Participant, Submission } from "../delivery/participant.ts";
import type { ChatMeters } from "../meters.ts";
import type { Resumption } from "../resume/resumption.ts";
import { type Decision, isSessionChange } from "../room/decision.ts";
import { toFrame } from "../room/frame.ts";
import type { StoredMessage } from "../room/message.ts";
import type { RoomState } from "../room/room_state.ts";
import type { Batch } from "./batch.ts";

export interface TellerOptions {
  readonly state: RoomState;
  readonly fanout: FanoutPort;
  readonly resumption: Resumption;
  /** Called after each batch that changed who is connected. */
  readonly onRosterChange: (connectedUsers: number) => void;
  /** Called with each changed message, before the change is broadcast. */
  readonly onChange: (message: StoredMessage) => void;
  readonly meters: ChatMeters;
  readonly log: Logger;
}

export class Teller {
  readonly #options: TellerOptions;

  constructor(options: TellerOptions) {
    this.#options = options;
  }

  /** Resolves when the fan-out can take more; undefined if it can now. */
  caughtUp(): Promise<void> | undefined {
    return this.#options.fanout.caughtUp();
  }

  /** Sends a batch's decisions, from the first that was not sent yet. */
  send(batch: Batch): void {
    const { fanout, onRosterChange } = this.#options;
    const { submissions, decisions, pages } = batch;
    const usersBefore = fanout.size;
    let rosterChanged = false;
    // Recorded only for a page from the store: recording a message costs as much as sending it.
    const changed = pages.size === 0 ? undefined : new Map<string, StoredMessage>();
    while (batch.sentCount < submissions.length) {
      const submission = submissions[batch.sentCount]!;
      const decision = decisions[batch.sentCount]!;
      batch.sentCount++;
      rosterChanged ||= decision.kind === "joined" || decision.kind === "left";
      this.#sendOne(submission, decision, pages.get(submission), changed);
    }
    // Before this function returns: a session without unanswered frames may answer the next one itself.
    fanout.flush();
    if (rosterChanged || fanout.size !== usersBefore) onRosterChange(fanout.size);
  }

  #sendOne(
    submission: Submission,
    decision: Decision,
    storedPage: readonly StoredMessage[] | undefined,
    changed: Map<string, StoredMessage> | undefined,
  ): void {
    const { fanout, meters, log } = this.#options;
    const { participant } = submission;
    try {
      if (isFaulted(decision)) meters.faulted(decision.fault.fault);
      else if (decision.kind === "stored") {
        meters.messageStored(decision.entry);
        changed?.set(decision.entry.message.uuid, decision.entry.message);
        if (decision.entry.kind === "changed") this.#options.onChange(decision.entry.message);
      }
      this.#sendFrames(participant, decision, this.#pageFor(decision, storedPage, changed));
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

  /** A page from memory is current. A page from the store lacks the edits of its own batch, so they are applied. */
  #pageFor(
    decision: Decision,
    storedPage: readonly StoredMessage[] | undefined,
    changed: ReadonlyMap<string, StoredMessage> | undefined,
  ): readonly StoredMessage[] {
    if (decision.kind !== "asked_history") return NO_PAGE;
    return this.#options.state.page(decision.range) ??
      storedPage?.map((message) => changed?.get(message.uuid) ?? message) ?? NO_PAGE;
  }

  /** Frames in the order of PROTOCOL.md §4.4: departure notice, answer, follow-ups, broadcasts, close. */
  #sendFrames(participant: Participant, decision: Decision, page: readonly StoredMessage[]): void {
    const { state, fanout, resumption } = this.#options;
    const { superseded, token } = isSessionChange(decision)
      ? resumption.follow(participant, decision, state.position)
      : NO_CHANGE;
    const frames = state.follow(decision, page, token);
    if (frames.departureNotice !== undefined) fanout.broadcast(frames.departureNotice);
    if (frames.answer !== undefined) fanout.send(participant, frames.answer);
    if (decision.kind === "held") fanout.delete(participant);
    if (superseded !== undefined) {
      fanout.delete(superseded);
      fanout.end(superseded, CLOSE.resumedElsewhere);
    }
    for (const frame of frames.followUps) fanout.send(participant, frame);
    if (decision.kind === "joined" || decision.kind === "resumed") {
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

const NO_PAGE: readonly StoredMessage[] = [];
const NO_CHANGE = { superseded: undefined, token: undefined };

function isFaulted(decision: Decision): decision is Extract<Decision, { fault: Fault }> {
  return decision.kind === "refused" || decision.kind === "barred" || decision.kind === "unresumable";
}

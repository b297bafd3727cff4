/**
 * A session's inbound side: decodes frames, enforces frame size, flood limit and connect timeout, and submits inputs
 * to the sequencer, PROTOCOL.md §2, §3.3 and §7. The room decides what a frame may do.
 *
 * @module
 */
import { decodeClientFrame, encodeServerFrame, LIVE_SUBPROTOCOL } from "../../src/protocol/codec.ts";
import { type Fault, fault, isFault } from "../../src/protocol/faults.ts";
import type { Limits } from "../../src/protocol/limits.ts";
import type { Logger } from "../../src/logging/log.ts";
import { LogThrottle } from "../../src/logging/throttle.ts";
import { type Rate, TokenBucket } from "../../src/token_bucket.ts";
import type { Connection, Receiver } from "../delivery/connection.ts";
import { CLOSE, type CloseCause } from "../../src/protocol/close_codes.ts";
import type { Participant } from "../delivery/participant.ts";
import type { ChatMeters } from "../meters.ts";
import { Outbox, type OutboxOwner } from "../delivery/outbox.ts";
import { type Frame, toFrame } from "../room/frame.ts";
import type { AddressShare } from "./address_shares.ts";
import type { SessionId } from "../room/roster.ts";
import type { Input } from "../room/decision.ts";

/** UTF-16 units of a frame per token of the flood limit, §7.4: a message of the maximum length in most scripts. */
const UNITS_OF_A_TOKEN = 4096;

/** Tokens of the flood limits that a frame of `length` UTF-16 units takes. */
export function tokensOf(length: number): number {
  return 1 + Math.floor(length / UNITS_OF_A_TOKEN);
}

/** Takes what sessions receive: the sequencer. */
export interface Inbox {
  submit(participant: Participant, input: Input): void;
  /**
   * Set when the sequencer runs on another thread. Broadcasts may still be in flight, so the session must not answer
   * locally: PING, faults and closes are submitted too, and come back in order.
   */
  readonly elsewhere?: {
    /** Closes the session's connection after all broadcasts so far. */
    end(participant: Participant, cause: CloseCause): void;
  };
}

export interface SessionParts {
  readonly id: SessionId;
  readonly connection: Connection;
  /** Of its address; undefined if it has no limit, or if the sequencer's thread counts. */
  readonly share: AddressShare | undefined;
}

/** Shared by all sessions of a gateway, in one object because there are many sessions. */
export interface SessionRules {
  readonly inbox: Inbox;
  /** The limits in force; they may change during a session. */
  readonly limits: Limits;
  readonly floodRate: Rate;
  readonly serverId: number;
  /** A clock that never goes backwards, in milliseconds. */
  readonly steadyMs: () => number;
  /** Called once, when the connection is gone. */
  readonly onOver: (session: Session) => void;
  readonly meters: ChatMeters;
  readonly log: Logger;
  readonly logs: SessionLogs;
}

/** Throttles of the lines that clients can cause at will: a client that reconnects would fill the disk with them. */
export class SessionLogs {
  readonly flood: LogThrottle;
  readonly slow: LogThrottle;
  readonly unanswered: LogThrottle;

  constructor(steadyMs: () => number) {
    this.flood = new LogThrottle(steadyMs);
    this.slow = new LogThrottle(steadyMs);
    this.unanswered = new LogThrottle(steadyMs);
  }
}

/** The flood limit in force. */
export class FloodRate implements Rate {
  readonly #limits: Limits;

  constructor(limits: Limits) {
    this.#limits = limits;
  }

  get burst(): number {
    return this.#limits.floodBurst;
  }

  get perSecond(): number {
    return this.#limits.floodRate;
  }
}

export class Session implements Receiver, Participant, OutboxOwner {
  readonly id: SessionId;
  readonly isExtended: boolean;
  readonly remoteAddress: string;
  readonly outbox: Outbox;
  readonly #connection: Connection;
  readonly #rules: SessionRules;
  readonly #share: AddressShare | undefined;
  readonly #allowed: TokenBucket;
  /** A second limit for frames beyond the flood limit; past it the session is disconnected. Made at the first one. */
  #tolerated: TokenBucket | undefined;
  #connectDeadline: ReturnType<typeof setTimeout> | undefined;
  /** Inputs submitted to the sequencer and not yet answered. */
  #unanswered = 0;
  #hasStoppedReading = false;

  constructor({ id, connection, share }: SessionParts, rules: SessionRules) {
    this.id = id;
    this.#share = share;
    this.remoteAddress = connection.remoteAddress;
    this.isExtended = connection.subprotocol === LIVE_SUBPROTOCOL;
    this.#connection = connection;
    this.#rules = rules;
    const { limits, floodRate, steadyMs } = rules;
    this.outbox = new Outbox(connection, limits, this);
    this.#allowed = new TokenBucket(floodRate, steadyMs());
    this.#connectDeadline = setTimeout(
      () => this.outbox.close(CLOSE.connectTimeout),
      limits.connectTimeout * 1000,
    );
  }

  closing(cause: CloseCause): void {
    this.#clearConnectDeadline();
    this.#rules.meters.socketEnded(cause);
  }

  overflowed(): void {
    const { limits, log, logs } = this.#rules;
    logs.slow.log((suppressed) =>
      log.warn("consumer.slow", { session: this.id, limitBytes: limits.maxOutboxBytes, suppressed })
    );
    this.#submit({ type: "LOST" });
  }

  receiveText(text: string): void {
    try {
      this.#readText(text);
    } catch (error) {
      this.#broke(error);
    }
  }

  receiveBinary(bytes: number): void {
    try {
      if (this.#takesFrame(bytes)) this.#answerFault(fault("BINARY_FRAME"), bytes);
    } catch (error) {
      this.#broke(error);
    }
  }

  /** After a bug in one frame, its sender gets a fault. If that throws too, the connection ends. */
  #broke(error: unknown): void {
    this.#rules.log.error("bug", { where: "session", session: this.id, error });
    this.#answerFault(fault("INTERNAL"));
  }

  #readText(text: string): void {
    if (!this.#takesFrame(text.length)) return;
    if (this.#isTooLarge(text)) {
      return this.#answerFault(fault("FRAME_TOO_LARGE", this.#rules.limits.maxFrameBytes), text.length);
    }
    const frame = decodeClientFrame(text, this.#rules.limits, this.isExtended);
    if (isFault(frame)) this.#answerFault(frame, text.length);
    else if (frame.type === "PING" && frame.challenge === undefined && this.#answersItself) {
      // Answered locally, so it does not wait for a commit. A listing's challenge is the room's.
      const { timestamp } = frame;
      this.#answerNow(
        toFrame(encodeServerFrame({ type: "PING", timestamp, serverId: this.#rules.serverId })),
      );
    } else this.#submit(frame);
  }

  lost(isGoingAway = false): void {
    this.#clearConnectDeadline();
    if (!this.outbox.isClosed) this.#rules.meters.socketEnded(undefined);
    this.outbox.discard();
    this.#submit(isGoingAway ? { type: "LOST", isGoingAway } : { type: "LOST" });
    this.#rules.onOver(this);
  }

  /** Bytes given to the connection that have not left the process. */
  get pendingBytes(): number {
    return this.#connection.pendingBytes;
  }

  /** The sequencer has answered one input. */
  settled(): void {
    this.#unanswered--;
  }

  joined(): void {
    this.#clearConnectDeadline();
  }

  /** Ignores later frames; frames that were read are answered. */
  stopReading(): void {
    this.#hasStoppedReading = true;
  }

  /** Ends the connection without a close frame, for a peer that does not answer the close. */
  terminate(): void {
    this.#clearConnectDeadline();
    this.outbox.discard();
    this.#connection.terminate();
  }

  /** True if a local answer would keep the order. */
  get #answersItself(): boolean {
    return this.#unanswered === 0 && this.#rules.inbox.elsewhere === undefined;
  }

  /** False if the session is over, floods, has too many unanswered frames, or its address floods. */
  #takesFrame(length: number): boolean {
    this.#rules.meters.framesReceived.add();
    if (this.outbox.isClosed || this.#hasStoppedReading || this.#isFlooded(length)) return false;
    const { maxUnansweredFrames } = this.#rules.limits;
    if (this.#unanswered < maxUnansweredFrames) return !this.#isPastShare(length);
    const { log, logs } = this.#rules;
    logs.unanswered.log((suppressed) =>
      log.warn("session.unanswered", { session: this.id, limitFrames: maxUnansweredFrames, suppressed })
    );
    this.#disconnect(CLOSE.unanswered);
    return false;
  }

  /** Closes the connection and frees the name at once, also if the peer does not answer the close. */
  #disconnect(cause: CloseCause): void {
    const { elsewhere } = this.#rules.inbox;
    if (elsewhere === undefined) this.outbox.close(cause);
    else {
      this.stopReading();
      elsewhere.end(this, cause);
    }
    // Final, because a flooding client would resume and continue.
    this.#submit(cause === CLOSE.flood ? { type: "LOST", isFinal: true } : { type: "LOST" });
  }

  #submit(input: Input): void {
    this.#unanswered++;
    this.#rules.inbox.submit(this, input);
  }

  /** Answers a fault in order: locally if nothing is unanswered, otherwise through the sequencer. */
  #answerFault(refusal: Fault, units = 0): void {
    if (!this.#answersItself) return this.#submit({ type: "FAULT", fault: refusal, units });
    this.#rules.meters.faulted(refusal.fault);
    this.#answerNow(toFrame(encodeServerFrame({ type: "ERROR", text: refusal.text })));
  }

  #answerNow(frame: Frame): void {
    this.#rules.meters.deliveries.add();
    this.outbox.push(frame);
    this.outbox.flush();
  }

  #isFlooded(length: number): boolean {
    // 0 disables the limit.
    if (this.#rules.limits.floodRate === 0) return false;
    const nowMs = this.#rules.steadyMs();
    const tokens = tokensOf(length);
    if (this.#allowed.consume(nowMs, tokens)) return false;
    this.#refuseFlood(nowMs, tokens);
    return true;
  }

  /** Asked last: what a session may not send takes nothing from the others of its address. */
  #isPastShare(length: number): boolean {
    const refusal = this.#share?.refuses(this.#rules.steadyMs(), tokensOf(length));
    // Never closed for it: others of the address may have sent the rest.
    if (refusal !== undefined) this.#answerFault(refusal);
    return refusal !== undefined;
  }

  #refuseFlood(nowMs: number, tokens: number): void {
    this.#tolerated ??= new TokenBucket(this.#rules.floodRate, nowMs);
    if (this.#tolerated.consume(nowMs, tokens)) {
      return this.#answerFault(fault("FLOOD", this.#rules.limits.floodRate));
    }
    const { log, logs } = this.#rules;
    logs.flood.log((suppressed) => log.warn("session.flood", { session: this.id, suppressed }));
    this.#disconnect(CLOSE.flood);
  }

  #isTooLarge(text: string): boolean {
    const max = this.#rules.limits.maxFrameBytes;
    // A UTF-16 unit is one to three bytes of UTF-8, so counting is needed only in between.
    if (text.length * 3 <= max) return false;
    return text.length > max || toFrame(text).bytes > max;
  }

  #clearConnectDeadline(): void {
    clearTimeout(this.#connectDeadline);
    this.#connectDeadline = undefined;
  }
}

/**
 * One connection's side of the protocol: reads its frames, keeps its limits (frame size, flood, time to
 * CONNECT), and hands the rest to the sequencer, PROTOCOL.md §2, §3.3 and §7.
 *
 * It does not judge what a frame may do: who is connected, under which name, is the room's.
 *
 * @module
 */
import { decodeClientFrame, encodeServerFrame, LIVE_SUBPROTOCOL } from "../../src/protocol/codec.ts";
import { type Fault, fault, isFault } from "../../src/protocol/faults.ts";
import type { Limits } from "../../src/protocol/limits.ts";
import type { Logger } from "../../src/logging/log.ts";
import { type Rate, TokenBucket } from "../../src/token_bucket.ts";
import type { Connection, Receiver } from "../delivery/connection.ts";
import { CLOSE, type CloseCause } from "../../src/protocol/close_codes.ts";
import type { Participant } from "../delivery/participant.ts";
import type { ChatMeters } from "../meters.ts";
import { Outbox, type OutboxOwner } from "../delivery/outbox.ts";
import { type Frame, toFrame } from "../room/frame.ts";
import type { SessionId } from "../room/room.ts";
import type { Input } from "../room/decision.ts";

/**
 * UTF-16 units of a frame that one token of the flood limit pays for, §7.4: a message at its limit in most scripts.
 * A frame sixteen times as large is as much work to read as sixteen.
 */
export const UNITS_OF_A_TOKEN = 4096;

/** Where a session puts what it received: the sequencer. */
export interface Inbox {
  submit(participant: Participant, input: Input): void;
  /**
   * There where what everyone is told comes from another thread, and may be on its way when somebody knows of it
   * already: to be answered behind it, what a session could answer by itself is submitted too, and ends come from there.
   */
  readonly elsewhere?: {
    /** Has the session ended behind all that it was told so far. */
    end(participant: Participant, cause: CloseCause): void;
  };
}

/** What is one session's own. */
export interface SessionParts {
  readonly id: SessionId;
  readonly connection: Connection;
}

/** What is the same for all sessions of a gateway, in one object: there are many of them. */
export interface SessionRules {
  readonly inbox: Inbox;
  /** As they are in force: they may change while a session lasts. */
  readonly limits: Limits;
  readonly floodRate: Rate;
  readonly serverId: number;
  /** A clock that never goes back, in milliseconds. */
  readonly steadyMs: () => number;
  /** Called once, when the connection is gone. */
  readonly onOver: (session: Session) => void;
  readonly meters: ChatMeters;
  readonly log: Logger;
}

/** The limit on floods, as it is when it is asked for. */
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
  readonly #allowed: TokenBucket;
  /** Frames that were refused for flooding may come as fast again before the session is ended. Made at the first. */
  #tolerated: TokenBucket | undefined;
  #connectDeadline: ReturnType<typeof setTimeout> | undefined;
  /** Frames that the sequencer has and that are not answered yet. */
  #unanswered = 0;
  #hasStoppedReading = false;

  constructor({ id, connection }: SessionParts, rules: SessionRules) {
    this.id = id;
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
    const { limits, log } = this.#rules;
    log.warn("consumer.slow", { session: this.id, limitBytes: limits.maxOutboxBytes });
    this.#submit({ type: "LOST" });
  }

  receiveText(text: string): void {
    this.#fenced(() => this.#readText(text));
  }

  receiveBinary(bytes: number): void {
    this.#fenced(() => {
      if (!this.#takesFrame(bytes)) return;
      this.#answerFault(fault("BINARY_FRAME"));
    });
  }

  /** A bug in the reading of one frame is answered to its sender. What it throws again is the connection's to end. */
  #fenced(read: () => void): void {
    try {
      read();
    } catch (error) {
      this.#rules.log.error("bug", { where: "session", session: this.id, error });
      this.#answerFault(fault("INTERNAL"));
    }
  }

  #readText(text: string): void {
    if (!this.#takesFrame(text.length)) return;
    if (this.#isTooLarge(text)) {
      this.#answerFault(fault("FRAME_TOO_LARGE", this.#rules.limits.maxFrameBytes));
      return;
    }
    const frame = decodeClientFrame(text, this.#rules.limits, this.isExtended);
    if (isFault(frame)) this.#answerFault(frame);
    else if (frame.type === "PING" && this.#answersItself) {
      // Needs nobody else, so it does not wait for a commit that is under way.
      const { timestamp } = frame;
      this.#answerNow(
        toFrame(encodeServerFrame({ type: "PING", timestamp, serverId: this.#rules.serverId })),
      );
    } else this.#submit(frame);
  }

  lost(): void {
    this.#clearConnectDeadline();
    if (!this.outbox.isClosed) this.#rules.meters.socketEnded(undefined);
    this.outbox.discard();
    this.#submit({ type: "LOST" });
    this.#rules.onOver(this);
  }

  /** Bytes that it was given and that have not left the process. */
  get pendingBytes(): number {
    return this.#connection.pendingBytes;
  }

  /** The sequencer has dealt with one frame of this session. */
  settled(): void {
    this.#unanswered--;
  }

  joined(): void {
    this.#clearConnectDeadline();
  }

  /** Reads nothing any more; what was read is answered. */
  stopReading(): void {
    this.#hasStoppedReading = true;
  }

  /** Ends the connection without a word: for a peer that does not answer the close. */
  terminate(): void {
    this.#clearConnectDeadline();
    this.outbox.discard();
    this.#connection.terminate();
  }

  /** Whether an answer that needs nobody else would be in its place now. */
  get #answersItself(): boolean {
    return this.#unanswered === 0 && this.#rules.inbox.elsewhere === undefined;
  }

  /** Whether a frame may come at all: the session is not over, does not flood, and its answers keep up. */
  #takesFrame(length: number): boolean {
    this.#rules.meters.framesReceived.add();
    if (this.outbox.isClosed || this.#hasStoppedReading || this.#isFlooded(length)) return false;
    const { maxUnansweredFrames } = this.#rules.limits;
    if (this.#unanswered < maxUnansweredFrames) return true;
    this.#rules.log.warn("session.unanswered", { session: this.id, limitFrames: maxUnansweredFrames });
    this.#putOut(CLOSE.unanswered);
    return false;
  }

  /** Ends the connection, and has the room know at once: a peer that does not answer the close would keep its name. */
  #putOut(cause: CloseCause): void {
    const { elsewhere } = this.#rules.inbox;
    if (elsewhere === undefined) this.outbox.close(cause);
    else {
      this.stopReading();
      elsewhere.end(this, cause);
    }
    // A client that floods would go on with it.
    this.#submit(cause === CLOSE.flood ? { type: "LOST", isFinal: true } : { type: "LOST" });
  }

  #submit(input: Input): void {
    this.#unanswered++;
    this.#rules.inbox.submit(this, input);
  }

  /** Answers a fault in its turn: at once where nothing is unanswered, else after what came before it. */
  #answerFault(refusal: Fault): void {
    if (!this.#answersItself) return this.#submit({ type: "FAULT", fault: refusal });
    this.#rules.meters.faulted(refusal.fault);
    this.#answerNow(toFrame(encodeServerFrame({ type: "ERROR", text: refusal.text })));
  }

  #answerNow(frame: Frame): void {
    this.#rules.meters.deliveries.add();
    this.outbox.push(frame);
    this.outbox.flush();
  }

  #isFlooded(length: number): boolean {
    const { floodRate } = this.#rules.limits;
    // 0 switches the limit off.
    if (floodRate === 0) return false;
    const nowMs = this.#rules.steadyMs();
    const tokens = 1 + Math.floor(length / UNITS_OF_A_TOKEN);
    if (this.#allowed.consume(nowMs, tokens)) return false;
    this.#tolerated ??= new TokenBucket(this.#rules.floodRate, nowMs);
    if (this.#tolerated.consume(nowMs, tokens)) {
      this.#answerFault(fault("FLOOD", floodRate));
    } else {
      this.#rules.log.warn("session.flood", { session: this.id });
      this.#putOut(CLOSE.flood);
    }
    return true;
  }

  #isTooLarge(text: string): boolean {
    const max = this.#rules.limits.maxFrameBytes;
    // A UTF-16 code unit is one to three bytes of UTF-8: counting is only needed in between.
    if (text.length * 3 <= max) return false;
    return text.length > max || toFrame(text).bytes > max;
  }

  #clearConnectDeadline(): void {
    clearTimeout(this.#connectDeadline);
    this.#connectDeadline = undefined;
  }
}

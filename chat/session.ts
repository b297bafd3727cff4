/**
 * One connection's side of the protocol: reads its frames, keeps its limits (frame size, flood, time to
 * CONNECT), and hands the rest to the hub, PROTOCOL.md §2, §3.3 and §7.
 *
 * It does not judge what a frame may do: who is connected, under which name, is the room's.
 *
 * @module
 */
import { decodeClientFrame, encodeServerFrame, LIVE_SUBPROTOCOL } from "../src/protocol/codec.ts";
import { type Fault, fault, isFault } from "../src/protocol/faults.ts";
import type { Limits } from "../src/protocol/limits.ts";
import type { Logger } from "../src/log.ts";
import { type Rate, TokenBucket } from "../src/token_bucket.ts";
import type { Broadcasts } from "./broadcasts.ts";
import { CLOSE, type CloseCause, type Connection, type Receiver } from "./connection.ts";
import type { Participant } from "./hub.ts";
import type { ChatMeters } from "./meters.ts";
import { Outbox, outgoing, type OutgoingFrame } from "./outbox.ts";
import type { Input, SessionId } from "./room.ts";

/**
 * UTF-16 units of a frame that one token of the flood limit pays for, §7.4: a message at its limit in most scripts.
 * A frame sixteen times as large is as much work to read as sixteen.
 */
export const UNITS_OF_A_TOKEN = 4096;

/** Where a session puts what it received: the hub. */
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

export interface SessionOptions {
  readonly id: SessionId;
  readonly connection: Connection;
  readonly inbox: Inbox;
  /** As they are in force: they may change while the session lasts. */
  readonly limits: Limits;
  readonly serverId: number;
  /** A clock that never goes back, in milliseconds. */
  readonly steadyMs: () => number;
  /** Called once, when the connection is gone. */
  readonly onOver: (session: Session) => void;
  readonly meters: ChatMeters;
  readonly log: Logger;
}

/** The limit on floods, as it is when it is asked for. */
class FloodRate implements Rate {
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

export class Session implements Receiver, Participant {
  id: SessionId;
  readonly isLive: boolean;
  readonly remoteAddress: string;
  readonly #options: SessionOptions;
  readonly #outbox: Outbox;
  readonly #allowed: TokenBucket;
  /** Frames that were refused for flooding may come as fast again before the session is ended. Made at the first. */
  #tolerated: TokenBucket | undefined;
  #connectDeadline: ReturnType<typeof setTimeout> | undefined;
  /** Frames that the hub has and that are not answered yet. */
  #unanswered = 0;
  #isHushed = false;

  constructor(options: SessionOptions) {
    this.id = options.id;
    this.remoteAddress = options.connection.remoteAddress;
    this.isLive = options.connection.subprotocol === LIVE_SUBPROTOCOL;
    this.#options = options;
    const { limits, connection, steadyMs } = options;
    this.#outbox = new Outbox(connection, limits, () => {
      options.meters.socketEnded(CLOSE.slowConsumer);
      options.log.warn("consumer.slow", { session: this.id, limitBytes: limits.maxOutboxBytes });
      this.#submit({ type: "LOST" });
    });
    this.#allowed = this.#floodBucket(steadyMs());
    this.#connectDeadline = setTimeout(() => this.end(CLOSE.connectTimeout), limits.connectTimeout * 1000);
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
      this.#options.log.error("bug", { where: "session", session: this.id, error });
      this.#answerFault(fault("INTERNAL"));
    }
  }

  #readText(text: string): void {
    if (!this.#takesFrame(text.length)) return;
    if (this.#isTooLarge(text)) {
      this.#answerFault(fault("FRAME_TOO_LARGE", this.#options.limits.maxFrameBytes));
      return;
    }
    const frame = decodeClientFrame(text, this.#options.limits, this.isLive);
    if (isFault(frame)) this.#answerFault(frame);
    else if (frame.type === "PING" && this.#answersItself) {
      // Needs nobody else, so it does not wait for a commit that is under way.
      const { timestamp } = frame;
      this.#answerNow(
        outgoing(encodeServerFrame({ type: "PING", timestamp, serverId: this.#options.serverId })),
      );
    } else this.#submit(frame);
  }

  lost(): void {
    this.#clearConnectDeadline();
    if (!this.#outbox.isClosed) this.#options.meters.socketEnded(undefined);
    this.#outbox.discard();
    this.#submit({ type: "LOST" });
    this.#options.onOver(this);
  }

  deliver(frame: OutgoingFrame): void {
    this.#outbox.push(frame);
  }

  hear(broadcasts: Broadcasts, from: number): void {
    this.#outbox.pushBroadcasts(broadcasts, from);
  }

  flush(): void {
    this.#outbox.flush();
  }

  /** Bytes that it was given and that have not left the process. */
  get pendingBytes(): number {
    return this.#options.connection.pendingBytes;
  }

  /** The hub has dealt with one frame of this session. */
  settled(): void {
    this.#unanswered--;
  }

  joined(): void {
    this.#clearConnectDeadline();
  }

  end(cause: CloseCause): void {
    this.#clearConnectDeadline();
    if (!this.#outbox.isClosed) this.#options.meters.socketEnded(cause);
    this.#outbox.close(cause);
  }

  /** Reads nothing any more; what was read is answered. */
  hush(): void {
    this.#isHushed = true;
  }

  /** Ends the connection without a word: for a peer that does not answer the close. */
  terminate(): void {
    this.#clearConnectDeadline();
    this.#outbox.discard();
    this.#options.connection.terminate();
  }

  /** Whether an answer that needs nobody else would be in its place now. */
  get #answersItself(): boolean {
    return this.#unanswered === 0 && this.#options.inbox.elsewhere === undefined;
  }

  /** Whether a frame may come at all: the session is not over, does not flood, and its answers keep up. */
  #takesFrame(length: number): boolean {
    this.#options.meters.framesReceived.add();
    if (this.#outbox.isClosed || this.#isHushed || this.#isFlooded(length)) return false;
    const { maxUnansweredFrames } = this.#options.limits;
    if (this.#unanswered < maxUnansweredFrames) return true;
    this.#options.log.warn("session.unanswered", { session: this.id, limitFrames: maxUnansweredFrames });
    this.#putOut(CLOSE.unanswered);
    return false;
  }

  /** Ends the connection, and has the room know at once: a peer that does not answer the close would keep its name. */
  #putOut(cause: CloseCause): void {
    const { elsewhere } = this.#options.inbox;
    if (elsewhere === undefined) this.end(cause);
    else {
      this.hush();
      elsewhere.end(this, cause);
    }
    // A client that floods would go on with it.
    this.#submit(cause === CLOSE.flood ? { type: "LOST", isFinal: true } : { type: "LOST" });
  }

  #submit(input: Input): void {
    this.#unanswered++;
    this.#options.inbox.submit(this, input);
  }

  /** Answers a fault in its turn: at once where nothing is unanswered, else after what came before it. */
  #answerFault(refusal: Fault): void {
    if (!this.#answersItself) return this.#submit({ type: "FAULT", fault: refusal });
    this.#options.meters.faulted(refusal.fault);
    this.#answerNow(outgoing(encodeServerFrame({ type: "ERROR", text: refusal.text })));
  }

  #answerNow(frame: OutgoingFrame): void {
    this.#options.meters.deliveries.add();
    this.#outbox.push(frame);
    this.#outbox.flush();
  }

  #isFlooded(length: number): boolean {
    const { floodRate } = this.#options.limits;
    // 0 switches the limit off.
    if (floodRate === 0) return false;
    const nowMs = this.#options.steadyMs();
    const tokens = 1 + Math.floor(length / UNITS_OF_A_TOKEN);
    if (this.#allowed.take(nowMs, tokens)) return false;
    this.#tolerated ??= this.#floodBucket(nowMs);
    if (this.#tolerated.take(nowMs, tokens)) {
      this.#answerFault(fault("FLOOD", floodRate));
    } else {
      this.#options.log.warn("session.flood", { session: this.id });
      this.#putOut(CLOSE.flood);
    }
    return true;
  }

  #floodBucket(nowMs: number): TokenBucket {
    return new TokenBucket(new FloodRate(this.#options.limits), nowMs);
  }

  #isTooLarge(text: string): boolean {
    const max = this.#options.limits.maxFrameBytes;
    // A UTF-16 code unit is one to three bytes of UTF-8: counting is only needed in between.
    if (text.length * 3 <= max) return false;
    return text.length > max || outgoing(text).bytes > max;
  }

  #clearConnectDeadline(): void {
    clearTimeout(this.#connectDeadline);
    this.#connectDeadline = undefined;
  }
}

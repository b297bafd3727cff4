/**
 * The room's state as of the newest broadcast: history window, replay buffer, nonces. It turns each decision into
 * frames, PROTOCOL.md §4.4, §5.4 and §12.2 to §12.4. Pure, and decides nothing: the same decisions make the same state.
 *
 * @module
 */
import type { CloseCause } from "../../src/protocol/close_codes.ts";
import { encodeServerFrame } from "../../src/protocol/codec.ts";
import type { Decision } from "./decision.ts";
import { type Effects, effectsOf, type ServerIdentity } from "./effects.ts";
import { type Frame, toFrame } from "./frame.ts";
import type { History } from "./history.ts";
import type { HistoryRange, StoredMessage } from "./message.ts";
import type { Missed, ReplayBuffer, ReplayRefusal } from "./replay_buffer.ts";
import type { SessionId } from "./roster.ts";

/** Nonces kept for each session: four times its unanswered frames, so every SEND that it may repeat is known. */
export const NONCES_MAX = 1024;

/** The effects of one decision, encoded as frames. */
export type EffectFrames =
  & { readonly [effect in Exclude<keyof Effects, "close">]: Frame | undefined }
  & {
    /** The SESSION frame, sent to the sender after the answer. */
    readonly session: Frame | undefined;
    /** Sent to the sender after that: the broadcasts that it missed. */
    readonly missed: Missed;
    readonly close: CloseCause | undefined;
  };

export class RoomState {
  readonly #history: History;
  readonly #replayBuffer: ReplayBuffer;
  readonly #identity: ServerIdentity;
  /** Message ids by session and nonce. */
  readonly #nonces = new Map<SessionId, Map<string, string>>();

  /** `identity` is read for each answer, because `--name` may change. */
  constructor(
    { history, replayBuffer, identity }: {
      readonly history: History;
      readonly replayBuffer: ReplayBuffer;
      readonly identity: ServerIdentity;
    },
  ) {
    this.#history = history;
    this.#replayBuffer = replayBuffer;
    this.#identity = identity;
  }

  /** The position of the newest broadcast: its number in the order of all broadcasts, §12.2. */
  get position(): number {
    return this.#replayBuffer.position;
  }

  /** How many broadcasts a session that resumes from `position` is sent at most. */
  missedAfter(position: number): number {
    return this.#replayBuffer.missedAfter(position);
  }

  /** Undefined if memory does not hold the message. */
  find(uuid: string): StoredMessage | undefined {
    return this.#history.get(uuid);
  }

  /** The newest messages of a range, the newest last; undefined if the journal must be read. */
  page(range: HistoryRange): StoredMessage[] | undefined {
    return this.#history.page(range);
  }

  /** Why a session with this first position cannot resume from `position`; undefined if it can. */
  replayRefusal(position: number, firstPosition: number): ReplayRefusal | undefined {
    return this.#replayBuffer.refusal(position, firstPosition);
  }

  /** Whether `position` is one that this run of the server has given. */
  isOfThisRun(position: number): boolean {
    return this.#replayBuffer.isOfThisRun(position);
  }

  /** Whether every broadcast after `position` is still held. */
  holdsAfter(position: number): boolean {
    return this.#replayBuffer.holdsAfter(position);
  }

  /** The id of the message that a session sent with `nonce`. */
  sentAs(session: SessionId, nonce: string): string | undefined {
    return this.#nonces.get(session)?.get(nonce);
  }

  remember({ author, nonce, uuid }: Pick<StoredMessage, "author" | "nonce" | "uuid">): void {
    if (nonce === undefined) return;
    let nonces = this.#nonces.get(author);
    if (nonces === undefined) this.#nonces.set(author, nonces = new Map());
    nonces.set(nonce, uuid);
    if (nonces.size <= NONCES_MAX) return;
    for (const oldest of nonces.keys()) {
      nonces.delete(oldest);
      break;
    }
  }

  /** Call when the batch is stored, before the next is decided: its nonces are recognized from here on. */
  settle(decisions: readonly Decision[]): void {
    for (const decision of decisions) if (decision.kind === "stored") this.remember(decision.entry.message);
  }

  /**
   * Applies the next decision and returns its frames. `page` answers a `history` query; `token` resumes the sender's
   * session. Without `isHere` the sender is on another machine, which sends it what it has missed. Throws if a resumed
   * session can no longer be replayed.
   */
  follow(
    decision: Decision,
    page: readonly StoredMessage[],
    token: string | undefined,
    isHere = true,
  ): EffectFrames {
    if (decision.kind === "stored") this.#history.apply(decision.entry);
    else if (decision.kind === "left") this.#nonces.delete(decision.session);
    else if (decision.kind === "unresumable") this.#nonces.delete(decision.left.session);
    else if (decision.kind === "joined" && decision.displaced) {
      this.#nonces.delete(decision.displaced.session);
    }
    const effects = effectsOf(decision, this.#identity, page);
    const departureNotice = this.#numbered(effects.departureNotice, decision);
    const missed = isHere && decision.kind === "resumed" ? this.#missed(decision.position) : NOTHING;
    // No token after a bug: the session is connected, and cannot be resumed again.
    const session = isHere && token !== undefined ? this.#session(token, missed) : undefined;
    return {
      departureNotice,
      answer: framed(effects.answer),
      session,
      missed,
      broadcast: this.#numbered(effects.broadcast, decision),
      plainBroadcast: framed(effects.plainBroadcast),
      extendedBroadcast: this.#numbered(effects.extendedBroadcast, decision),
      ephemeral: framed(effects.ephemeral),
      close: effects.close,
    };
  }

  #numbered(text: string | undefined, decision: Decision): Frame | undefined {
    if (text === undefined) return undefined;
    const frame = toFrame(text);
    const content = decision.kind === "stored" ? decision.entry.message : text;
    this.#replayBuffer.push({ bytes: frame.bytes, content });
    return frame;
  }

  #missed(position: number): Missed {
    const missed = this.#replayBuffer.after(position);
    if (missed === undefined) throw new Error("What was to be replayed is not held any more");
    return missed;
  }

  #session(token: string, { frames, from }: Missed): Frame {
    const position = this.#replayBuffer.position - (frames.length - from);
    return toFrame(encodeServerFrame({ type: "SESSION", token, position }));
  }
}

const NOTHING: Missed = { frames: [], from: 0 };

function framed(text: string | undefined): Frame | undefined {
  return text === undefined ? undefined : toFrame(text);
}

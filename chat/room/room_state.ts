/**
 * What follows from the order: the newest messages, the newest broadcasts with their positions, the nonces, and what
 * each decision means on the wire, PROTOCOL.md §4.4, §5.4 and §12.2 to §12.4.
 *
 * Pure. It decides nothing: decisions are given to it in their order, and the same decisions make the same state.
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
import type { ReplayBuffer } from "./replay_buffer.ts";
import type { SessionId } from "./roster.ts";

/**
 * Nonces of one session that are remembered, the newest: four times the frames that it may have unanswered, so that
 * whatever it sends again for want of an answer is known.
 */
export const NONCES_MAX = 1024;

/** The effects of a decision as frames. */
export type EffectFrames =
  & { readonly [effect in Exclude<keyof Effects, "close">]: Frame | undefined }
  & {
    /** To the sender behind the answer: its token, and what it has missed. */
    readonly followUps: readonly Frame[];
    readonly close: CloseCause | undefined;
  };

export class RoomState {
  readonly #history: History;
  readonly #replayBuffer: ReplayBuffer;
  readonly #identity: ServerIdentity;
  /** By session, the ids of its messages by the nonces that they were sent with. */
  readonly #nonces = new Map<SessionId, Map<string, string>>();

  /** `identity` is read at each answer: the name may change. */
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

  /** The position of the newest broadcast, §12.2. */
  get position(): number {
    return this.#replayBuffer.position;
  }

  /** A message that memory holds. */
  find(uuid: string): StoredMessage | undefined {
    return this.#history.get(uuid);
  }

  /** The newest messages of a range, the newest last; undefined where the journal has to be asked. */
  page(range: HistoryRange): StoredMessage[] | undefined {
    return this.#history.page(range);
  }

  /** Whether all broadcasts after `position` are held, and few enough for one session. */
  canReplay(position: number): boolean {
    return this.#replayBuffer.canReplay(position);
  }

  /** The id of the message that a session has sent with a nonce. */
  sentAs(session: SessionId, nonce: string): string | undefined {
    return this.#nonces.get(session)?.get(nonce);
  }

  /** Remembers the nonce of a stored message. */
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

  /** Call when the outcome of a batch is known, before the next is decided: repetitions of its nonces are known. */
  settle(decisions: readonly Decision[]): void {
    for (const decision of decisions) if (decision.kind === "stored") this.remember(decision.entry.message);
  }

  /**
   * Takes the next decision in the order; answers what is to be sent. `page` is what a `history` query asked for, and
   * `token` resumes the session that has joined or gone on, where there is one. Throws where what is to be replayed is
   * not held any more.
   */
  follow(decision: Decision, page: readonly StoredMessage[], token: string | undefined): EffectFrames {
    if (decision.kind === "stored") this.#history.apply(decision.entry);
    else if (decision.kind === "left") this.#nonces.delete(decision.session);
    else if (decision.kind === "unresumable") this.#nonces.delete(decision.left.session);
    else if (decision.kind === "joined" && decision.displaced) {
      this.#nonces.delete(decision.displaced.session);
    }
    const effects = effectsOf(decision, this.#identity, page);
    const departureNotice = this.#numbered(effects.departureNotice, decision);
    const followUps = this.#followUps(decision, token);
    return {
      departureNotice,
      answer: framed(effects.answer),
      followUps,
      broadcast: this.#numbered(effects.broadcast, decision),
      extendedBroadcast: this.#numbered(effects.extendedBroadcast, decision),
      ephemeral: framed(effects.ephemeral),
      close: effects.close,
    };
  }

  /** Gives a broadcast its position, and keeps it for those who miss it. */
  #numbered(text: string | undefined, decision: Decision): Frame | undefined {
    if (text === undefined) return undefined;
    const frame = toFrame(text);
    const told = decision.kind === "stored" ? decision.entry.message : text;
    this.#replayBuffer.push({ bytes: frame.bytes, told });
    return frame;
  }

  /** The token, and the position from which on the client counts; then what it has missed. */
  #followUps(decision: Decision, token: string | undefined): readonly Frame[] {
    if (decision.kind !== "resumed" && token === undefined) return NOTHING;
    const missed = decision.kind === "resumed" ? this.#replayBuffer.after(decision.position) : [];
    if (missed === undefined) throw new Error("What was to be replayed is not held any more");
    // After a bug in the middle of a turn there is no token: the session is connected, and cannot resume.
    if (token === undefined) return missed.map(toFrame);
    const position = this.#replayBuffer.position - missed.length;
    return [encodeServerFrame({ type: "SESSION", token, position }), ...missed].map(toFrame);
  }
}

const NOTHING: readonly Frame[] = [];

function framed(text: string | undefined): Frame | undefined {
  return text === undefined ? undefined : toFrame(text);
}

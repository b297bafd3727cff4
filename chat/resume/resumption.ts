/**
 * The extended mode's side of the sequencer: which connection a session is on, what it is given when it joins or resumes,
 * and what of it lasts when it is lost, PROTOCOL.md §12.2 and §12.3.
 *
 * It follows what the room decides and judges nothing. The numbers of broadcasts are the replay buffer's, tokens and nonces
 * the live sessions', the time of a hold the holds'.
 *
 * @module
 */
import { encodeServerFrame } from "../../src/protocol/codec.ts";
import type { ReplayBuffer } from "../room/replay_buffer.ts";
import type { Participant, Submission } from "../delivery/participant.ts";
import { CLOSE } from "../../src/protocol/close_codes.ts";
import { broadcastsOf } from "../room/effects.ts";
import type { HeldSessions } from "./held_sessions.ts";
import type { ResumableSessions } from "./resume_tokens.ts";
import type { OutgoingFrame } from "../delivery/frame.ts";
import { toFrame } from "../delivery/frame.ts";
import type { SessionId } from "../room/room.ts";
import type { Claim, Decision, Left } from "../room/decision.ts";

export interface ResumptionOptions {
  readonly replayBuffer: ReplayBuffer;
  readonly sessions: ResumableSessions;
  readonly holds: HeldSessions;
}

export class Resumption {
  readonly #options: ResumptionOptions;
  /** Who is on which live session that has a connection, as of what is decided. */
  readonly #connected = new Map<SessionId, Participant>();
  /** Whose place was taken by a decision that is not told yet. */
  readonly #superseded = new Map<Decision, Participant>();
  /** Of decisions that are not told yet. */
  readonly #tokens = new Map<Decision, string>();
  #detached = 0;

  constructor(options: ResumptionOptions) {
    this.#options = options;
  }

  /** What a token gives its bearer a claim to. */
  claim(token: string, position: number): Claim | undefined {
    const session = this.#options.sessions.find(token);
    if (session === undefined) return undefined;
    return { session, canReplay: this.#options.replayBuffer.canReplay(position) };
  }

  sentAs(session: SessionId, nonce: string): string | undefined {
    return this.#options.sessions.sentAs(session, nonce);
  }

  /**
   * Follows a decision at once, before the next is made: from here on `participant` is the session that it resumed,
   * and who was it before is nobody.
   */
  decided(participant: Participant, decision: Decision): void {
    switch (decision.kind) {
      case "joined":
        if (participant.isExtended) this.#connected.set(participant.id, participant);
        return;
      case "resumed": {
        const before = this.#connected.get(decision.session);
        if (before !== undefined) {
          before.id = `superseded ${++this.#detached}`;
          this.#superseded.set(decision, before);
        }
        participant.id = decision.session;
        this.#connected.set(decision.session, participant);
        return;
      }
      case "unresumable": {
        const before = this.#connected.get(decision.left.session);
        if (before !== undefined) this.#superseded.set(decision, before);
        this.#connected.delete(decision.left.session);
        return;
      }
      case "left":
      case "held":
        this.#connected.delete(decision.session);
    }
  }

  /**
   * Gives all that is to be stored its place among the broadcasts to come, after those that are `untold` yet, and
   * sessions that begin or go on their next tokens: what is told of either is stored by then, see `stored`.
   */
  prepare(submissions: readonly Submission[], decisions: readonly Decision[], untold: number): void {
    const { replayBuffer, sessions } = this.#options;
    let position = replayBuffer.position + untold;
    for (let i = 0; i < submissions.length; i++) {
      const decision = decisions[i]!;
      const { participant } = submissions[i]!;
      if (decision.kind === "joined" && participant.isExtended) {
        const { username, connectedAtMs } = decision;
        this.#tokens.set(decision, sessions.begin(participant.id, username, connectedAtMs));
      } else if (decision.kind === "resumed") {
        this.#tokens.set(decision, sessions.resume(decision.session, decision.token));
      } else if (decision.kind === "stored") {
        const { entry } = decision;
        if (entry.kind === "said") entry.message.position = position + 1;
        else {
          entry.position = position + 1;
          entry.message.position = entry.before.position;
        }
      }
      position += broadcastsOf(decision);
    }
  }

  /** Resolves when the sessions are stored, or cannot be; undefined where there is nothing to wait for. */
  stored(): Promise<void> | undefined {
    return this.#options.sessions.isWritten ? undefined : this.#options.sessions.idle();
  }

  /** Remembers what was sent with a nonce and is stored, before anything else is decided. */
  settled(decisions: readonly Decision[]): void {
    for (const decision of decisions) {
      if (decision.kind !== "stored") continue;
      const { author, nonce, uuid } = decision.entry.message;
      if (nonce !== undefined) this.#options.sessions.remember(author, nonce, uuid);
    }
  }

  /** Counts a broadcast, and keeps it for those who will have missed it. */
  broadcast({ text, bytes }: OutgoingFrame, decision: Decision): void {
    const told = decision.kind === "stored" ? decision.entry.message : text;
    this.#options.replayBuffer.push({ bytes, told });
  }

  /** Does what a decision means for the sessions, at the moment when its answer was given; answers what follows it. */
  told(participant: Participant, decision: Decision): readonly OutgoingFrame[] {
    const { sessions, holds } = this.#options;
    this.#superseded.get(decision)?.end(CLOSE.resumedElsewhere);
    this.#superseded.delete(decision);
    switch (decision.kind) {
      case "joined":
        if (decision.displaced !== undefined) this.#end(decision.displaced);
        return participant.isExtended ? this.#session(decision, []) : [];
      case "resumed": {
        holds.end(decision.session);
        const missed = this.#options.replayBuffer.after(decision.position);
        if (missed === undefined) throw new Error("What was to be replayed is not held any more");
        return this.#session(decision, missed);
      }
      case "held":
        holds.begin(decision.session, participant.remoteAddress, decision.hold);
        return [];
      case "unresumable":
        this.#end(decision.left);
        return [];
      case "left":
        this.#end(decision);
        return [];
      case "renamed":
        sessions.rename(participant.id, decision.to);
        return [];
      default:
        return [];
    }
  }

  #end({ session }: Left): void {
    this.#options.holds.end(session);
    this.#options.sessions.end(session);
  }

  /** The token, and the position from which on the client counts; then what it has missed. */
  #session(decision: Decision, missed: readonly string[]): OutgoingFrame[] {
    const token = this.#tokens.get(decision);
    this.#tokens.delete(decision);
    // After a bug in the middle of a turn: it is connected, and cannot resume.
    if (token === undefined) return missed.map(toFrame);
    const position = this.#options.replayBuffer.position - missed.length;
    return [encodeServerFrame({ type: "SESSION", token, position }), ...missed].map(toFrame);
  }
}

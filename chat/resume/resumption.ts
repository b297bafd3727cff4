/**
 * Resumption: which connection each session is on, and what happens to its tokens and hold, PROTOCOL.md §12.2 and
 * §12.3. It follows the room's decisions and makes none. A decision counts at once for what is decided next
 * (`decided`), and for frames when it is sent (`follow`).
 *
 * @module
 */
import type { Participant } from "../delivery/participant.ts";
import type { Decision, Left, SessionChange } from "../room/decision.ts";
import type { SessionId } from "../room/roster.ts";
import type { HeldSessions } from "./held_sessions.ts";
import type { ResumeTokens } from "./resume_tokens.ts";

export interface ResumptionOptions {
  readonly tokens: ResumeTokens;
  readonly held: HeldSessions;
}

export class Resumption {
  readonly #tokens: ResumeTokens;
  readonly #held: HeldSessions;
  /** Participants on a session other than their own, which each resumed. */
  readonly #resumed = new WeakMap<Participant, SessionId>();
  /** Participants whose connection ends: what they sent before that and what is decided after it counts no more. */
  readonly #ended = new WeakSet<Participant>();
  /** The connected participant of each session of the extended mode, as of the newest decision. */
  readonly #connected = new Map<SessionId, Participant>();
  /** Participants whose session another connection took over, until that decision is sent. */
  readonly #superseded = new Map<SessionChange, Participant>();
  /** Tokens of decisions that are not sent yet. */
  readonly #minted = new Map<SessionChange, string>();

  constructor({ tokens, held }: ResumptionOptions) {
    this.#tokens = tokens;
    this.#held = held;
  }

  /** Undefined once a decision has ended the participant's connection, or found it lost. */
  sessionOf(participant: Participant): SessionId | undefined {
    if (this.#ended.has(participant)) return undefined;
    return this.#resumed.get(participant) ?? participant.id;
  }

  /**
   * Call right after each decision. A participant that resumed is on the new session from here on, and its former
   * connection on none. Tokens are minted here, so that they are stored before they are sent.
   */
  decided(participant: Participant, decision: Decision): void {
    switch (decision.kind) {
      case "joined": {
        if (!participant.isExtended) return;
        const { username, connectedAtMs, position: firstPosition } = decision;
        this.#connected.set(participant.id, participant);
        this.#minted.set(
          decision,
          this.#tokens.begin({
            id: participant.id,
            username,
            connectedAtMs,
            firstPosition,
            address: participant.remoteAddress,
          }),
        );
        return;
      }
      case "resumed":
        this.#supersede(decision.session, decision);
        this.#resumed.set(participant, decision.session);
        this.#connected.set(decision.session, participant);
        this.#minted.set(
          decision,
          this.#tokens.resume(decision.session, decision.token, participant.remoteAddress),
        );
        return;
      case "unresumable":
        this.#supersede(decision.left.session, decision);
        this.#connected.delete(decision.left.session);
        return;
      case "held":
      case "left":
        if (decision.kind === "left" && decision.departure === "kick") this.#tokens.kicked(decision.session);
        this.#connected.delete(decision.session);
        this.#ended.add(participant);
        return;
      // Without a session.
      case "barred":
      case "expelled":
        this.#ended.add(participant);
    }
  }

  #supersede(session: SessionId, decision: SessionChange): void {
    const before = this.#connected.get(session);
    if (before === undefined) return;
    this.#ended.add(before);
    this.#superseded.set(decision, before);
  }

  /**
   * Call when a decision is sent; `position` is that of the newest broadcast. Updates holds and tokens; returns the
   * superseded participant and the new token.
   */
  follow(
    participant: Participant,
    decision: SessionChange,
    position: number,
  ): { readonly superseded: Participant | undefined; readonly token: string | undefined } {
    switch (decision.kind) {
      case "joined":
        if (decision.displaced !== undefined) this.#end(decision.displaced);
        this.#tokens.beganAt(participant.id, decision.displaced === undefined ? position : position + 1);
        break;
      case "resumed":
        this.#held.end(decision.session);
        break;
      case "held":
        this.#held.begin(decision.session, participant.remoteAddress, decision.hold, decision.windowMs);
        break;
      case "unresumable":
        this.#end(decision.left);
        break;
      case "left":
        this.#end(decision);
        break;
      case "renamed":
        this.#tokens.rename(this.#resumed.get(participant) ?? participant.id, decision.to);
    }
    const superseded = this.#superseded.get(decision);
    const token = this.#minted.get(decision);
    this.#superseded.delete(decision);
    this.#minted.delete(decision);
    return { superseded, token };
  }

  #end({ session }: Left): void {
    this.#held.end(session);
    this.#tokens.end(session);
  }
}

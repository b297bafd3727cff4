/**
 * Which connection a session is on, and what of it lasts when the connection is lost, PROTOCOL.md §12.2 and §12.3.
 *
 * It follows what the room decides and judges nothing. Tokens are the resume tokens' part, the time of a hold is the
 * held sessions'.
 *
 * @module
 */
import type { Participant } from "../delivery/participant.ts";
import type { Left, SessionChange } from "../room/decision.ts";
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
  /** The sessions of participants that are on another than their own: those that resumed one, and those that lost it. */
  readonly #sessions = new WeakMap<Participant, SessionId>();
  /** Who is on which session of the extended mode that has a connection, as of what is decided. */
  readonly #connected = new Map<SessionId, Participant>();
  /** Whose session was taken over by a decision that is not broadcast yet. */
  readonly #superseded = new Map<SessionChange, Participant>();
  /** The tokens of decisions that are not broadcast yet. */
  readonly #minted = new Map<SessionChange, string>();
  #supersededCount = 0;

  constructor({ tokens, held }: ResumptionOptions) {
    this.#tokens = tokens;
    this.#held = held;
  }

  /** The session that a participant is on. */
  sessionOf(participant: Participant): SessionId {
    return this.#sessions.get(participant) ?? participant.id;
  }

  /**
   * Follows a decision at once, before the next is made: from here on `participant` is the session that it resumed,
   * and who was it before is nobody. Tokens are minted here, so that they are stored before anybody is sent one.
   */
  decided(participant: Participant, decision: SessionChange): void {
    switch (decision.kind) {
      case "joined": {
        if (!participant.isExtended) return;
        const session = this.sessionOf(participant);
        this.#connected.set(session, participant);
        this.#minted.set(
          decision,
          this.#tokens.begin(session, decision.username, decision.connectedAtMs),
        );
        return;
      }
      case "resumed":
        this.#supersede(decision.session, decision);
        this.#sessions.set(participant, decision.session);
        this.#connected.set(decision.session, participant);
        this.#minted.set(decision, this.#tokens.resume(decision.session, decision.token));
        return;
      case "unresumable":
        this.#supersede(decision.left.session, decision);
        this.#connected.delete(decision.left.session);
        return;
      case "left":
      case "held":
        this.#connected.delete(decision.session);
    }
  }

  #supersede(session: SessionId, decision: SessionChange): void {
    const before = this.#connected.get(session);
    if (before === undefined) return;
    this.#sessions.set(before, `superseded ${++this.#supersededCount}`);
    this.#superseded.set(decision, before);
  }

  /** Does what a decision means for holds and tokens, at its place in the order; answers what the teller needs. */
  follow(
    participant: Participant,
    decision: SessionChange,
  ): { readonly superseded: Participant | undefined; readonly token: string | undefined } {
    switch (decision.kind) {
      case "joined":
        if (decision.displaced !== undefined) this.#end(decision.displaced);
        break;
      case "resumed":
        this.#held.end(decision.session);
        break;
      case "held":
        this.#held.begin(decision.session, participant.remoteAddress, decision.hold);
        break;
      case "unresumable":
        this.#end(decision.left);
        break;
      case "left":
        this.#end(decision);
        break;
      case "renamed":
        this.#tokens.rename(this.sessionOf(participant), decision.to);
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

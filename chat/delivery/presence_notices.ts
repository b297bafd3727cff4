/**
 * Presence notices: AWAY and BACK on their way to the clients of the extended mode, PROTOCOL.md §12.6. They are part of
 * no turn. They are gathered and broadcast together, the newest of each user, because each broadcast is a write for
 * every listener: after a restart 10,000 sessions that resume one by one would cause 50 million writes.
 *
 * @module
 */
import { encodeServerFrame } from "../../src/protocol/codec.ts";
import type { Decision } from "../room/decision.ts";
import { type Frame, toFrame } from "../room/frame.ts";
import type { FanoutPort } from "./fanout.ts";
import type { Participant } from "./participant.ts";

/**
 * Milliseconds between two broadcasts of notices, for each listener: ten times what a write takes, so that notices take
 * at most a tenth of the time. They wait for 10 ms in a room of 100, and for 1 s in one of 10,000.
 */
const MS_PER_LISTENER = 0.1;
/** The part of an outbox that AWAY takes after a resume: a replay may take half, and frames have headers. */
const AWAY_SHARE = 0.25;

export interface PresenceNoticesOptions {
  readonly fanout: FanoutPort;
  /** The names of all who are away, as of the newest decision. */
  readonly awayNames: () => readonly string[];
  /** Whether a session that resumes from this position has missed nothing that is not replayed, notices aside. */
  readonly isOfThisRun: (position: number) => boolean;
  /** The outbox's limit of bytes. */
  readonly outboxBytesMax: () => number;
  /** A clock that never goes backwards, in milliseconds. */
  readonly steadyMs: () => number;
  readonly msPerListener?: number;
}

interface Notice {
  readonly type: "AWAY" | "BACK";
  /** The user's own connection, which does not receive it. */
  readonly but: Participant | undefined;
}

export class PresenceNotices {
  readonly #options: PresenceNoticesOptions;
  /**
   * By username. A user who is lost and back has BACK, not none: a client that read the roster meanwhile has the user as
   * away.
   */
  readonly #waiting = new Map<string, Notice>();
  /** Those who resumed in this turn and keep their roster. */
  readonly #resumed = new Set<Participant>();
  #broadcastMs = -Infinity;
  #timer: ReturnType<typeof setTimeout> | undefined;

  constructor(options: PresenceNoticesOptions) {
    this.#options = options;
  }

  /** Call for each decision that is sent, in order. */
  follow(participant: Participant, decision: Decision): void {
    const waiting = this.#waiting;
    switch (decision.kind) {
      case "held":
        this.#resumed.delete(participant);
        waiting.set(decision.username, { type: "AWAY", but: undefined });
        return;
      case "resumed":
        if (participant.outbox !== undefined && this.#options.isOfThisRun(decision.position)) {
          this.#resumed.add(participant);
        }
        // A second connection may resume the session before others receive that it is back.
        if (decision.wasHeld || waiting.has(decision.username)) {
          waiting.set(decision.username, { type: "BACK", but: participant });
        }
        return;
      case "renamed": {
        const notice = waiting.get(decision.from);
        if (notice === undefined) return;
        waiting.delete(decision.from);
        waiting.set(decision.to, notice);
        return;
      }
      // After the departure a client has no such user, or another one.
      case "joined":
        if (decision.displaced !== undefined) waiting.delete(decision.displaced.username);
        return;
      case "unresumable":
        waiting.delete(decision.left.username);
        return;
      case "left":
        waiting.delete(decision.username);
    }
  }

  /**
   * Call at the end of a turn, before the fan-out is flushed: sends AWAY for all who are away to those who resumed.
   * Broadcasts the notices now if they are due or the turn itself `isBroadcast`, since then they are no writes of their
   * own. If not, a timer does.
   */
  turnEnds(isBroadcast: boolean): void {
    if (this.#resumed.size > 0) this.#sendAway();
    if (this.#waiting.size === 0) return;
    const { fanout, steadyMs, msPerListener = MS_PER_LISTENER } = this.#options;
    const waitMs = this.#broadcastMs + fanout.size * msPerListener - steadyMs();
    if (isBroadcast || waitMs <= 0) return this.#broadcast();
    this.#timer ??= setTimeout(() => {
      this.#broadcast();
      fanout.flush();
    }, waitMs);
  }

  /** Drops the notices. */
  stop(): void {
    clearTimeout(this.#timer);
    this.#waiting.clear();
    this.#resumed.clear();
  }

  #sendAway(): void {
    const { fanout, awayNames, outboxBytesMax } = this.#options;
    const frames: Frame[] = [];
    let bytesLeft = outboxBytesMax() * AWAY_SHARE;
    for (const username of awayNames()) {
      const frame = toFrame(encodeServerFrame({ type: "AWAY", username }));
      bytesLeft -= frame.bytes;
      if (bytesLeft < 0) break;
      frames.push(frame);
    }
    for (const participant of this.#resumed) fanout.replay(participant, { frames, from: 0 });
    this.#resumed.clear();
  }

  #broadcast(): void {
    const { fanout, steadyMs } = this.#options;
    clearTimeout(this.#timer);
    this.#timer = undefined;
    this.#broadcastMs = steadyMs();
    const notices = [...this.#waiting];
    this.#waiting.clear();
    for (const [username, { type, but }] of notices) {
      fanout.broadcastExtendedBut(but, toFrame(encodeServerFrame({ type, username })));
    }
  }
}

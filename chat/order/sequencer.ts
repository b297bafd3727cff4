/**
 * The sequencer: the one total order. Inputs that came in while the last batch was being stored are the next batch: the
 * room decides it in order, the turn log stores it in one commit, the teller sends it, PROTOCOL.md §4.3 and §4.4.
 *
 * So nothing is acknowledged that is not stored, and a commit is shared. There is no await between deciding and the
 * call of the turn log. It knows neither sockets nor how messages are kept.
 *
 * @module
 */
import { type Fault, fault } from "../../src/protocol/faults.ts";
import type { Logger } from "../../src/logging/log.ts";
import type { Limits } from "../../src/protocol/limits.ts";
import type { Participant, Submission } from "../delivery/participant.ts";
import type { ChatMeters } from "../meters.ts";
import type { Resumption } from "../resume/resumption.ts";
import { type Decision, type Input, isSessionChange, type Moment } from "../room/decision.ts";
import type { Room } from "../room/room.ts";
import type { RoomState } from "../room/room_state.ts";
import type { Journal } from "../store/journal.ts";
import { Batch, BatchSize, canOverlap } from "./batch.ts";
import { Lookups } from "./lookups.ts";
import type { Teller } from "./teller.ts";
import type { TurnLog } from "./turn_log.ts";
import type { TurnSpans } from "./turn_spans.ts";

/** A task that runs between two batches. No input is decided while it runs. */
interface ExclusiveTask {
  readonly run: () => Promise<void>;
}

export interface SequencerOptions {
  readonly room: Room;
  readonly state: RoomState;
  readonly resumption: Resumption;
  readonly turnLog: TurnLog;
  readonly teller: Teller;
  /** Where messages are read that memory does not hold. */
  readonly journal: Pick<Journal, "find" | "page">;
  readonly limits: Pick<Limits, "maxMessageLength">;
  /** Milliseconds since 1970. */
  readonly nowMs: () => number;
  /** A clock that never goes back, in milliseconds. */
  readonly steadyMs: () => number;
  /** The smallest id that is young enough to be shown. */
  readonly historyFrom: (nowMs: number) => string;
  /** Calls `turn` soon: inputs that come until then are part of the turn. */
  readonly soon: (turn: () => void) => void;
  readonly meters: ChatMeters;
  /** Given where traces are collected. */
  readonly spans?: TurnSpans | undefined;
  readonly log: Logger;
}

export class Sequencer {
  readonly #options: SequencerOptions;
  #queue: (Submission | ExclusiveTask)[] = [];
  #turn: Promise<void> | undefined;

  constructor(options: SequencerOptions) {
    this.#options = options;
  }

  /**
   * Takes an input into the order, behind all that was submitted before. `decided` is called with the decision when its
   * outcome is known.
   */
  submit(participant: Participant, input: Input, decided?: Submission["decided"]): void {
    const submission = { participant, input, decided };
    this.#queue.push(submission);
    this.#options.spans?.received(submission);
    this.#beginTurn();
  }

  /**
   * Runs `change` at one point of the order: after everything that was submitted before, with nothing decided
   * meanwhile. The inputs that it answers are decided at that same point, then its answer is given. They end
   * the sessions of their participants, who never submitted them. Rejects as `change` does.
   */
  runExclusive<Answer>(
    change: () => Promise<{ readonly inputs: readonly Submission[]; readonly answer: Answer }>,
  ): Promise<Answer> {
    return new Promise((resolve, reject) => {
      const run = async () => {
        try {
          const { inputs, answer } = await change();
          if (inputs.length > 0) await this.#process(new Batch(inputs), false);
          resolve(answer);
        } catch (error) {
          reject(error);
        }
      };
      this.#queue.push({ run });
      this.#beginTurn();
    });
  }

  /** Participants whose connection is lost, which is not decided yet: no gateway has them, and no hold. */
  *lost(): Iterable<Participant> {
    for (const next of this.#queue) {
      if (!("run" in next) && next.input.type === "LOST") yield next.participant;
    }
  }

  /** Resolves when everything that was submitted is decided and sent. */
  async idle(): Promise<void> {
    while (this.#turn !== undefined) await this.#turn;
  }

  #beginTurn(): void {
    if (this.#turn !== undefined) return;
    const { promise, resolve } = Promise.withResolvers<void>();
    this.#turn = promise;
    this.#options.soon(() => void this.#run().then(resolve));
  }

  async #run(): Promise<void> {
    try {
      while (this.#queue.length > 0) {
        const behind = this.#options.teller.caughtUp();
        if (behind !== undefined) await behind;
        const next = this.#queue[0]!;
        if ("run" in next) {
          this.#queue.shift();
          await next.run();
        } else await this.#process(new Batch(this.#takeBatch(() => true)), true);
      }
    } catch (error) {
      // The outer fence: inputs behind the broken batch are decided in a turn of their own.
      this.#options.log.error("bug", { where: "turn", error });
    } finally {
      this.#turn = undefined;
      if (this.#queue.length > 0) this.#beginTurn();
    }
  }

  /** As much of the queue as fits one batch, up to the next exclusive task or an input that `takes` refuses. */
  #takeBatch(takes: (input: Input) => boolean): Submission[] {
    const size = new BatchSize(this.#options.limits.maxMessageLength);
    let end = 0;
    for (; end < this.#queue.length; end++) {
      const next = this.#queue[end]!;
      if ("run" in next || !takes(next.input) || !size.takes(next.input)) break;
    }
    const taken = end === this.#queue.length ? this.#queue : this.#queue.splice(0, end);
    if (taken === this.#queue) this.#queue = [];
    return taken as Submission[];
  }

  /**
   * Takes a batch from its decision to its broadcast, and the batches that are decided while one before them is not
   * broadcast yet. Rethrows a bug once its senders are answered.
   */
  async #process(first: Batch, mayOverlap: boolean): Promise<void> {
    const { teller, spans } = this.#options;
    let batch: Batch | undefined = first;
    while (batch !== undefined) {
      let next: Batch | undefined;
      try {
        // Nothing is awaited where nothing waits: a turn that needs no store is over before the next event.
        if (batch === first) {
          const reads = this.#lookUp(batch);
          this.#decideAll(batch, reads instanceof Promise ? await reads : reads, 0);
        }
        const waits = batch.storing instanceof Promise;
        const storeFault = batch.storing instanceof Promise ? await batch.storing : batch.storing;
        this.#settle(batch, storeFault);
        if (waits && mayOverlap && teller.caughtUp() === undefined) next = this.#decideNext(batch);
        spans?.telling(batch);
        teller.tell(batch);
      } catch (error) {
        this.#giveUp(batch);
        if (next === undefined) throw error;
        this.#options.log.error("bug", { where: "turn", error });
      } finally {
        this.#trace(batch);
      }
      batch = next;
    }
  }

  #lookUp({ submissions }: Batch): Lookups | Promise<Lookups> {
    if (!submissions.some(({ input }) => input.type === "QUERY")) return Lookups.NONE;
    const { state, journal, nowMs, historyFrom, log } = this.#options;
    return Lookups.of(submissions, { state, journal, historyFrom: () => historyFrom(nowMs()), log });
  }

  /**
   * Decides what has gathered, and begins to store it while `pending`, whose outcome is known, is broadcast. Only
   * inputs whose decision reads nothing that a broadcast changes.
   */
  #decideNext(pending: Batch): Batch | undefined {
    const submissions = this.#takeBatch(canOverlap);
    if (submissions.length === 0) return undefined;
    const next = new Batch(submissions);
    try {
      this.#decideAll(next, Lookups.NONE, pending.broadcasts);
    } catch (error) {
      // Thrown when its turn comes: before that the pending batch is broadcast.
      next.storing = Promise.reject(error);
    }
    return next;
  }

  /** Decides a batch and begins to store it. `pending`: broadcasts that come before those of this batch. */
  #decideAll(batch: Batch, lookups: Lookups, pending: number): void {
    const { submissions } = batch;
    const { room, turnLog, historyFrom, steadyMs, meters, spans } = this.#options;
    meters.turnInputs.observe(submissions.length);
    spans?.deciding(batch);
    const nowMs = this.#options.nowMs();
    const now: Moment = {
      nowMs,
      steadyMs: steadyMs(),
      historyFrom: () => historyFrom(nowMs),
      found: lookups.messages,
    };
    batch.pages = lookups.pages;
    room.beginBatch(pending);
    batch.decisions = submissions.map((submission) => this.#decide(submission, now, lookups));
    spans?.decided(batch);
    batch.storing = turnLog.append(batch);
  }

  #decide(submission: Submission, now: Moment, { failed }: Lookups): Decision {
    const { room, resumption, log } = this.#options;
    const { participant, input } = submission;
    if (failed.has(submission)) return { kind: "refused", fault: fault("STORE_FAILED") };
    try {
      const decision = room.decide(resumption.sessionOf(participant), input, participant, now);
      if (isSessionChange(decision)) resumption.decided(participant, decision);
      return decision;
    } catch (error) {
      // The fence: a bug in the judgement of one frame is answered to its sender and hurts nobody else.
      log.error("bug", { where: "decide", input: input.type, error });
      return this.#undecided(submission);
    }
  }

  /** The outcome of a batch is known. */
  #settle(batch: Batch, storeFault: Fault | undefined): void {
    this.#options.spans?.stored(batch);
    if (storeFault !== undefined) batch.fail(storeFault);
    this.#options.room.settle(batch.decisions);
  }

  /**
   * Sends what a bug left unsent. Whoever joined, left or was renamed has done so in the room, and the others have to
   * know. A message, a history page, and all that was not decided, is answered as a bug.
   */
  #giveUp(batch: Batch): void {
    const { submissions, decisions, told } = batch;
    batch.decisions = submissions.map((submission, i) => {
      const decision = decisions[i];
      const isDone = decision !== undefined && (i < told ||
        decision.kind !== "stored" && decision.kind !== "repeated" && decision.kind !== "asked_history");
      return isDone ? decision : this.#undecided(submission);
    });
    this.#options.teller.tell(batch);
  }

  /** The decision of an input that a bug met: a session whose connection is gone would keep its name for ever. */
  #undecided({ participant, input }: Submission): Decision {
    const { room, resumption } = this.#options;
    if (input.type === "LOST") return room.forget(resumption.sessionOf(participant));
    return { kind: "refused", fault: fault("INTERNAL") };
  }

  /** The fence of what is traced. */
  #trace(batch: Batch): void {
    try {
      this.#options.spans?.told(batch);
    } catch (error) {
      this.#options.log.error("bug", { where: "trace", error });
    }
  }
}

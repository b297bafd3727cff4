/**
 * The sequencer: one total order of all inputs, PROTOCOL.md §4.3 and §4.4. Inputs that arrive while a batch is stored
 * form the next batch. In a turn the room decides the batch, the journal stores it in one commit, and the teller sends
 * it. Nothing is acknowledged before it is stored, and nothing is awaited between the decisions and the call of the
 * journal.
 *
 * @module
 */
import { type Fault, fault } from "../../src/protocol/faults.ts";
import type { Logger } from "../../src/logging/log.ts";
import type { Participant, Submission } from "../delivery/participant.ts";
import type { ChatMeters } from "../meters.ts";
import type { ResumeTokens } from "../resume/resume_tokens.ts";
import type { Resumption } from "../resume/resumption.ts";
import type { Decision, Input, Moment } from "../room/decision.ts";
import type { JournalEntry } from "../room/message.ts";
import type { Room } from "../room/room.ts";
import type { RoomState } from "../room/room_state.ts";
import type { Journal } from "../store/journal.ts";
import { asksForHistory, asksForNames, Batch, BatchSize, canOverlap } from "./batch.ts";
import { Lookups } from "./lookups.ts";
import type { Teller } from "./teller.ts";
import type { TurnSpans } from "./turn_spans.ts";

/** Milliseconds that a message waits at most because others come in: a fan-out to 10,000 takes as long. */
export const REST_MS_MAX = 100;

/** A task that runs between two batches. No input is decided while it runs. */
interface ExclusiveTask {
  readonly run: () => Promise<void>;
}

export interface SequencerOptions {
  readonly room: Room;
  readonly state: RoomState;
  readonly resumption: Resumption;
  readonly teller: Teller;
  readonly journal: Pick<Journal, "append" | "find" | "page">;
  readonly tokens: Pick<ResumeTokens, "stored">;
  readonly nowMs: () => number;
  readonly steadyMs: () => number;
  readonly historyFromMs: (nowMs: number) => number;
  /** Calls `turn` soon: inputs submitted until then join its batch. */
  readonly soon: (turn: () => void) => void;
  /** Broadcasts that one turn replays where sessions share their bytes; where they do not, it is TURN_REPLAYS_MAX. */
  readonly turnReplaysMax?: number | undefined;
  /** Resolves after `ms`, and not in this turn of the event loop: other sockets are read until then. */
  readonly othersRead: (ms: number) => Promise<void>;
  readonly meters: ChatMeters;
  /** Undefined unless traces are collected. */
  readonly spans?: TurnSpans | undefined;
  readonly log: Logger;
}

export class Sequencer {
  readonly #options: SequencerOptions;
  #queue: (Submission | ExclusiveTask)[] = [];
  #turn: Promise<void> | undefined;
  /** Whether the last append failed, so that a failure is logged once and the next success too. */
  #storeFails = false;

  constructor(options: SequencerOptions) {
    this.#options = options;
  }

  /** Queues an input. `decided` is called with the final decision, after its frames were sent. */
  submit(participant: Participant, input: Input, decided?: Submission["decided"]): void {
    const submission = { participant, input, decided };
    this.#queue.push(submission);
    this.#options.spans?.received(submission);
    this.#beginTurn();
  }

  /**
   * Runs `change` in its place of the order; no input is decided meanwhile. The inputs that it returns, which end
   * sessions, are decided in the same place. Then resolves with its answer; rejects if `change` does.
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

  /** Participants whose lost connection is queued and not decided: the gateway and the held sessions lack them. */
  *lost(): Iterable<Participant> {
    for (const next of this.#queue) {
      if (!("run" in next) && next.input.type === "LOST") yield next.participant;
    }
  }

  /** Resolves when every submitted input is decided and sent. */
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
        } else {
          const batch = new Batch(this.#takeBatch(() => true));
          await this.#process(batch, true);
          const restMs = restAfter(batch);
          if (restMs !== undefined) await this.#options.othersRead(restMs);
        }
      }
    } catch (error) {
      // Outer fence: inputs after the broken batch get a turn of their own.
      this.#options.log.error("bug", { where: "turn", error });
    } finally {
      this.#turn = undefined;
      if (this.#queue.length > 0) this.#beginTurn();
    }
  }

  /** Takes inputs that fit one batch, up to the next exclusive task or the first that `takes` refuses. */
  #takeBatch(takes: (input: Input) => boolean): Submission[] {
    const { room, state, turnReplaysMax } = this.#options;
    // AWAY follows the replay. Where sessions share the bytes of both, it is made once a turn.
    const away = turnReplaysMax === undefined ? room.heldCount : 0;
    const users = room.occupants().size;
    const size = new BatchSize((position) => state.missedAfter(position) + away, turnReplaysMax, users);
    let end = 0;
    for (; end < this.#queue.length; end++) {
      const next = this.#queue[end]!;
      if ("run" in next || !takes(next.input) || !size.accepts(next.input)) break;
    }
    const taken = end === this.#queue.length ? this.#queue : this.#queue.splice(0, end);
    if (taken === this.#queue) this.#queue = [];
    return taken as Submission[];
  }

  /**
   * Decides, stores and sends a batch. While it is sent, the next batch may be decided and stored already; the loop
   * continues with that one. Rethrows a bug after its senders were answered.
   */
  async #process(first: Batch, mayOverlap: boolean): Promise<void> {
    const { teller, spans, steadyMs } = this.#options;
    let batch: Batch | undefined = first;
    while (batch !== undefined) {
      let next: Batch | undefined;
      try {
        // Without a store there is no await: the turn ends before the next event.
        if (batch === first) {
          const reads = this.#lookUp(batch);
          this.#decideAll(batch, reads instanceof Promise ? await reads : reads, 0);
        }
        const waits = batch.storing instanceof Promise;
        const storeFault = batch.storing instanceof Promise ? await batch.storing : batch.storing;
        this.#settle(batch, storeFault);
        if (waits && mayOverlap && teller.caughtUp() === undefined) next = this.#decideNext(batch);
        spans?.sending(batch);
        const startMs = steadyMs();
        teller.send(batch);
        batch.sendingMs = steadyMs() - startMs;
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
    const { state, journal, nowMs, historyFromMs, log } = this.#options;
    return Lookups.of(submissions, { state, journal, historyFromMs: () => historyFromMs(nowMs()), log });
  }

  /** Decides and begins to store the queued inputs that need not wait for `pending`, which is about to be sent. */
  #decideNext(pending: Batch): Batch | undefined {
    const submissions = this.#takeBatch(canOverlap);
    if (submissions.length === 0) return undefined;
    const next = new Batch(submissions);
    try {
      this.#decideAll(next, Lookups.NONE, pending.broadcasts);
    } catch (error) {
      // Rethrown by `#process` after `pending` was sent.
      next.storing = Promise.reject(error);
    }
    return next;
  }

  /** Decides a batch and begins to store it. `pending` counts broadcasts that are sent before it. */
  #decideAll(batch: Batch, lookups: Lookups, pending: number): void {
    const { submissions } = batch;
    const { room, historyFromMs, steadyMs, meters, spans } = this.#options;
    meters.turnInputs.observe(submissions.length);
    spans?.deciding(batch);
    const nowMs = this.#options.nowMs();
    const now: Moment = {
      nowMs,
      steadyMs: steadyMs(),
      historyFromMs: () => historyFromMs(nowMs),
      found: lookups.messages,
    };
    batch.pages = lookups.pages;
    room.beginBatch(pending);
    batch.decisions = submissions.map((submission) => this.#decide(submission, now, lookups));
    spans?.decided(batch);
    batch.storing = this.#store(batch);
  }

  #decide(submission: Submission, now: Moment, { failed }: Lookups): Decision {
    const { room, resumption, log } = this.#options;
    const { participant, input } = submission;
    const session = resumption.sessionOf(participant);
    if (session === undefined) return { kind: "nothing" };
    if (failed.has(submission)) return { kind: "refused", fault: fault("STORE_FAILED") };
    try {
      const decision = room.decide(session, input, participant, now);
      resumption.decided(participant, decision);
      return decision;
    } catch (error) {
      // Fence: a bug in one decision is answered to its sender and affects no other input.
      log.error("bug", { where: "decide", input: input.type, error });
      return this.#undecided(submission);
    }
  }

  /**
   * Stores a batch, before any frame of it is sent, §4.3: its messages, all or nothing, and the sessions that it begins
   * or resumes. Returns the fault if it cannot, a promise only if there is something to wait for; never rejects.
   */
  #store({ decisions }: Batch): Fault | undefined | Promise<Fault | undefined> {
    const entries: JournalEntry[] = [];
    for (const decision of decisions) if (decision.kind === "stored") entries.push(decision.entry);
    const sessionsStored = this.#options.tokens.stored();
    const stored = this.#append(entries);
    return sessionsStored === undefined ? stored : sessionsStored.then(() => stored);
  }

  #append(entries: readonly JournalEntry[]): Fault | undefined | Promise<Fault | undefined> {
    if (entries.length === 0) return undefined;
    const { journal, steadyMs } = this.#options;
    const startMs = steadyMs();
    let appending: Promise<void> | undefined;
    try {
      appending = journal.append(entries);
    } catch (error) {
      return this.#notStored(entries.length, error);
    }
    return appending === undefined ? this.#stored(entries.length, startMs) : appending.then(
      () => this.#stored(entries.length, startMs),
      (error) => this.#notStored(entries.length, error),
    );
  }

  #stored(entries: number, startMs: number): undefined {
    const { meters, steadyMs, log } = this.#options;
    meters.commitSeconds.observe((steadyMs() - startMs) / 1000);
    meters.commitMessages.observe(entries);
    if (this.#storeFails) log.info("journal.append_works", {});
    this.#storeFails = false;
  }

  #notStored(entries: number, error: unknown): Fault {
    const { meters, log } = this.#options;
    meters.commitFailures.add();
    // Only the first failure is an error: a growing log would fill a full disk further.
    if (this.#storeFails) log.debug("journal.append_failed", { entries, error });
    else log.error("journal.append_failed", { entries, error });
    this.#storeFails = true;
    return fault("STORE_FAILED");
  }

  #settle(batch: Batch, storeFault: Fault | undefined): void {
    this.#options.spans?.stored(batch);
    if (storeFault !== undefined) batch.fail(storeFault);
    this.#options.state.settle(batch.decisions);
  }

  /**
   * After a bug: sends the decisions that were not sent. Joins, departures and renames have changed the roster, so they
   * are broadcast. A message, a history page or an undecided input is answered with INTERNAL.
   */
  #giveUp(batch: Batch): void {
    const { submissions, decisions, sentCount } = batch;
    batch.decisions = submissions.map((submission, i) => {
      const decision = decisions[i];
      const isDone = decision !== undefined && (i < sentCount ||
        decision.kind !== "stored" && decision.kind !== "repeated" && decision.kind !== "asked_history");
      return isDone ? decision : this.#undecided(submission);
    });
    this.#options.teller.send(batch);
  }

  /** The decision for an input that met a bug. A lost session leaves, so that its name is free. */
  #undecided({ participant, input }: Submission): Decision {
    const { room, resumption } = this.#options;
    const session = resumption.sessionOf(participant);
    if (input.type === "LOST" && session !== undefined) {
      const decision = room.forget(session);
      resumption.decided(participant, decision);
      return decision;
    }
    return { kind: "refused", fault: fault("INTERNAL") };
  }

  #trace(batch: Batch): void {
    try {
      this.#options.spans?.finished(batch);
    } catch (error) {
      this.#options.log.error("bug", { where: "trace", error });
    }
  }
}

/** For how long other sockets are read after a batch; undefined if it was short. */
function restAfter({ submissions, decisions, sendingMs }: Batch): number | undefined {
  // Others come in behind these. Without a rest each turn of the event loop would be a write for every listener, and in
  // a large room the handshakes would wait for many of them. A refused CONNECT makes no message wait.
  if (decisions.some(({ kind }) => kind === "joined" || kind === "resumed")) {
    return Math.min(sendingMs, REST_MS_MAX);
  }
  // Pages and rosters take long to write, and a flood of requests for them fills many turns.
  return submissions.some(({ input }) => asksForHistory(input) || asksForNames(input)) ? 0 : undefined;
}

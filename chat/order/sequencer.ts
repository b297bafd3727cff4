/**
 * Turns. What came in while the last batch was being stored is the next batch: the room decides all of it in
 * order, the journal stores it in one commit, then answers and broadcasts go out, PROTOCOL.md §4.3 and §4.4. The
 * next commit is under way while they do.
 *
 * So there is one total order, nothing is acknowledged that is not stored, and a commit is shared. It knows
 * neither sockets nor how messages are kept, and there is no await between deciding and the call of the journal.
 *
 * @module
 */
import { type Fault, fault } from "../../src/protocol/faults.ts";
import { encodeServerFrame } from "../../src/protocol/codec.ts";
import type { Logger } from "../../src/logging/log.ts";
import type { Limits } from "../../src/protocol/limits.ts";
import { Fanout, type FanoutPort } from "../delivery/fanout.ts";
import type { Bans } from "../room/bans.ts";
import { Batch, BatchSize, canOverlap } from "./batch.ts";
import type { Participant, Submission } from "../delivery/participant.ts";
import { Lookups, TurnView } from "./turn_view.ts";
import { Commits } from "./commits.ts";
import { type Effects, effectsOf, type ServerIdentity } from "../room/effects.ts";
import type { History } from "../room/history.ts";
import type { Journal } from "../store/journal.ts";
import type { StoredMessage } from "../room/message.ts";
import type { ChatMeters } from "../meters.ts";
import { type OutgoingFrame, toFrame } from "../delivery/frame.ts";
import type { Resumption } from "../resume/resumption.ts";
import type { Room } from "../room/room.ts";
import type { Decision, Input } from "../room/decision.ts";
import type { TurnSpans } from "./turn_spans.ts";

/** What has a place in the order and is no input: nothing is decided while it is under way. */
interface ExclusiveTask {
  readonly run: () => Promise<void>;
}

export interface SequencerOptions {
  readonly room: Room;
  readonly history: History;
  readonly journal: Journal;
  readonly bans: Pick<Bans, "bar">;
  readonly resumption: Resumption;
  readonly identity: ServerIdentity;
  readonly limits: Pick<Limits, "maxMessageLength">;
  /** Milliseconds since 1970. */
  readonly nowMs: () => number;
  /** A clock that never goes back, in milliseconds. */
  readonly steadyMs: () => number;
  /** The smallest id that is young enough to be shown. */
  readonly historyFrom: (nowMs: number) => string;
  /** Has a turn begin soon: what comes until then is part of it. */
  readonly soon: (turn: () => void) => void;
  /** Who hears what everyone is told; those of this thread where it is not given. */
  readonly fanout?: FanoutPort;
  /** Told after each batch that changed who is here. */
  readonly onRosterChange: (connectedUsers: number) => void;
  readonly meters: ChatMeters;
  /** There where traces are collected. */
  readonly spans?: TurnSpans | undefined;
  readonly log: Logger;
}

export class Sequencer {
  readonly #options: SequencerOptions;
  /** Those who receive broadcasts, at the point of the order that was told so far. */
  readonly #fanout: FanoutPort;
  readonly #commits: Commits;
  #queue: (Submission | ExclusiveTask)[] = [];
  #turn: Promise<void> | undefined;

  constructor(options: SequencerOptions) {
    this.#options = options;
    this.#fanout = options.fanout ?? new Fanout(options);
    this.#commits = new Commits(options);
  }

  /** Takes an input into the order. It is dealt with soon, after everything that was submitted before it. */
  submit(participant: Participant, input: Input): void {
    const submission = { participant, input };
    this.#queue.push(submission);
    this.#options.spans?.received(submission);
    this.#beginTurn();
  }

  /**
   * Runs `change` at one point of the order: after everything that was submitted before, with nothing decided
   * meanwhile. The inputs that it answers are dealt with at that same point, then its answer is given. They end
   * the sessions of their participants, who never submitted them. Rejects as `change` does.
   */
  runExclusive<Answer>(
    change: () => Promise<{ readonly inputs: readonly Submission[]; readonly answer: Answer }>,
  ): Promise<Answer> {
    return new Promise((resolve, reject) => {
      const run = async () => {
        try {
          const { inputs, answer } = await change();
          if (inputs.length > 0) await this.#dealWith(new Batch(inputs), false);
          resolve(answer);
        } catch (error) {
          reject(error);
        }
      };
      this.#queue.push({ run });
      this.#beginTurn();
    });
  }

  /** Those whose connection is lost, which is not dealt with yet: no front has them any more, and nothing stands in. */
  *lost(): Iterable<Participant> {
    for (const next of this.#queue) {
      if (!("run" in next) && next.input.type === "LOST") yield next.participant;
    }
  }

  /** Resolves when everything that was submitted has been dealt with. */
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
        const behind = this.#fanout.caughtUp();
        if (behind !== undefined) await behind;
        const next = this.#queue[0]!;
        if ("run" in next) {
          this.#queue.shift();
          await next.run();
        } else await this.#dealWith(new Batch(this.#takeBatch(() => true)), true);
      }
    } catch (error) {
      // The outer fence: what was behind the broken batch goes on in a turn of its own.
      this.#options.log.error("bug", { where: "turn", error });
    } finally {
      this.#turn = undefined;
      if (this.#queue.length > 0) this.#beginTurn();
    }
  }

  /** As much of the queue as fits one batch, up to the next interlude or what is not to be taken. */
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
   * Deals with a batch, and with those that are decided while one before them is not told yet. Throws a bug on, having
   * answered those whom it concerned: to the turn's fence, or to who asked for it.
   */
  async #dealWith(first: Batch, isFollowed: boolean): Promise<void> {
    let batch: Batch | undefined = first;
    while (batch !== undefined) {
      let next: Batch | undefined;
      try {
        // Nothing is awaited that there is nothing of: a turn that needs no store is over before the next event.
        if (batch === first) {
          const reads = Lookups.of(batch.submissions, this.#options);
          this.#decideAll(batch, reads instanceof Promise ? await reads : reads, 0);
        }
        const isWaited = batch.storing instanceof Promise;
        const storeFault = batch.storing instanceof Promise ? await batch.storing : batch.storing;
        if (batch.sessionsStored !== undefined) await batch.sessionsStored;
        this.#settle(batch, storeFault);
        if (isWaited && isFollowed && this.#fanout.caughtUp() === undefined) next = this.#decideNext(batch);
        this.#tellAll(batch);
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

  /**
   * Decides what has gathered, and has it stored while `untold` is told: whose fate is known, so that nothing is
   * decided on a guess. Only what needs nothing of what telling brings about.
   */
  #decideNext(untold: Batch): Batch | undefined {
    const submissions = this.#takeBatch(canOverlap);
    if (submissions.length === 0) return undefined;
    const next = new Batch(submissions);
    try {
      this.#decideAll(next, Lookups.NONE, untold.broadcasts);
    } catch (error) {
      // Thrown when its turn comes: before that the other is told.
      next.storing = Promise.reject(error);
    }
    return next;
  }

  /** The fence of what is traced. */
  #trace(batch: Batch): void {
    try {
      this.#options.spans?.told(batch);
    } catch (error) {
      this.#options.log.error("bug", { where: "trace", error });
    }
  }

  /** Decides a batch and begins to store it. `untold`: broadcasts that come before those of this batch. */
  #decideAll(batch: Batch, lookups: Lookups, untold: number): void {
    const { submissions } = batch;
    const { resumption, historyFrom, steadyMs, meters, spans } = this.#options;
    meters.turnInputs.observe(submissions.length);
    spans?.deciding(batch);
    const nowMs = this.#options.nowMs();
    const now = new TurnView({
      ...this.#options,
      messages: lookups.messages,
      nowMs,
      steadyMs: steadyMs(),
      historyFrom: historyFrom(nowMs),
    });
    batch.pages = lookups.pages;
    batch.decisions = submissions.map((submission) => this.#decide(submission, now, lookups));
    resumption.prepare(submissions, batch.decisions, untold);
    batch.sessionsStored = resumption.stored();
    spans?.decided(batch);
    batch.storing = this.#commits.store(batch.decisions);
  }

  /** The fate of what was decided is known. */
  #settle(batch: Batch, storeFault: Fault | undefined): void {
    this.#options.spans?.stored(batch);
    if (storeFault !== undefined) batch.fail(storeFault);
    this.#options.room.settle();
    this.#options.resumption.settled(batch.decisions);
  }

  #tellAll(batch: Batch): void {
    const { submissions, decisions, pages } = batch;
    this.#options.spans?.telling(batch);
    const usersBefore = this.#fanout.size;
    let rosterChanged = false;
    // Only what was read from the store has to know: to note a message costs as much as to tell it.
    const changed = pages.size === 0 ? undefined : new Map<string, StoredMessage>();
    for (let i = 0; i < submissions.length; i++) {
      const submission = submissions[i]!;
      const decision = decisions[i]!;
      rosterChanged ||= decision.kind === "joined" || decision.kind === "left";
      batch.told++;
      this.#tell(submission, decision, pages.get(submission), changed);
    }
    // At once: a session that has nothing unanswered any more may answer by itself.
    this.#fanout.flush();
    if (rosterChanged || this.#fanout.size !== usersBefore) {
      this.#options.onRosterChange(this.#fanout.size);
    }
  }

  /**
   * Tells what a bug left untold. Who came, went or has another name has done so in the room, and the others are to
   * know. What was to be stored or read is answered as a bug, as is all that was not decided.
   */
  #giveUp({ submissions, decisions, told }: Batch): void {
    for (let i = told; i < submissions.length; i++) {
      const decision = decisions[i];
      const isDone = decision !== undefined && decision.kind !== "stored" &&
        decision.kind !== "repeated" && decision.kind !== "asked_history";
      const submission = submissions[i]!;
      this.#tell(submission, isDone ? decision : this.#undecided(submission), undefined, undefined);
    }
    this.#fanout.flush();
  }

  #decide(submission: Submission, now: TurnView, { failed }: Lookups): Decision {
    const { room, resumption, log } = this.#options;
    const { participant, input } = submission;
    if (failed.has(submission)) return { kind: "refused", fault: fault("STORE_FAILED") };
    try {
      const decision = room.decide(participant.id, input, now.of(participant));
      resumption.decided(participant, decision);
      return decision;
    } catch (error) {
      // The fence: a bug in the judgement of one frame is answered to its sender and hurts nobody else.
      log.error("bug", { where: "decide", input: input.type, error });
      return this.#undecided(submission);
    }
  }

  /** What becomes of an input that a bug met: a session whose connection is gone would keep its name for ever. */
  #undecided({ participant, input }: Submission): Decision {
    if (input.type === "LOST") return this.#options.room.forget(participant.id);
    return { kind: "refused", fault: fault("INTERNAL") };
  }

  /** The answer, then the broadcast that it caused, then the end of the connection. */
  #tell(
    { participant }: Submission,
    decision: Decision,
    lookedUp: StoredMessage[] | undefined,
    changed: Map<string, StoredMessage> | undefined,
  ): void {
    const { history, identity, meters, log } = this.#options;
    try {
      if (isFaulted(decision)) meters.faulted(decision.fault.fault);
      else if (decision.kind === "stored") {
        meters.messageStored(decision.entry);
        history.apply(decision.entry);
        changed?.set(decision.entry.message.uuid, decision.entry.message);
      }
      // Memory is as of this point of the order. A page that was looked up is as of the beginning of the batch:
      // what the batch changed before this point is laid over it.
      const page = decision.kind === "asked_history"
        ? history.page(decision.range) ?? lookedUp?.map((message) => changed?.get(message.uuid) ?? message) ??
          []
        : [];
      this.#tellWhatCameOf(participant, decision, effectsOf(decision, identity, page));
    } catch (error) {
      log.error("bug", { where: "tell", decision: decision.kind, error });
      meters.faulted("INTERNAL");
      this.#fanout.deliver(participant, internalError());
      this.#fanout.endBroken(participant);
    }
    this.#fanout.fenced("settled", participant, () => participant.settled());
  }

  #tellWhatCameOf(participant: Participant, decision: Decision, came: Effects): void {
    const { resumption } = this.#options;
    const fanout = this.#fanout;
    if (came.departureNotice !== undefined) this.#broadcast(came.departureNotice, decision);
    if (came.answer !== undefined) fanout.deliver(participant, toFrame(came.answer));
    // Whoever was this session hears the last of it before its connection ends.
    if (decision.kind === "held" || decision.kind === "resumed") fanout.delete(decision.session);
    else if (decision.kind === "unresumable") fanout.delete(decision.left.session);
    for (const frame of resumption.told(participant, decision)) fanout.deliver(participant, frame);
    if (decision.kind === "joined" || decision.kind === "resumed") {
      fanout.add(participant);
      participant.joined();
    }
    if (came.broadcast !== undefined) this.#broadcast(came.broadcast, decision);
    if (came.extendedBroadcast !== undefined) {
      const frame = toFrame(came.extendedBroadcast);
      resumption.broadcast(frame, decision);
      fanout.broadcastExtended(frame);
    }
    if (came.ephemeral !== undefined) fanout.broadcastExtendedBut(participant, toFrame(came.ephemeral));
    if (decision.kind === "left") fanout.delete(decision.session);
    if (came.close !== undefined) fanout.end(participant, came.close);
  }

  #broadcast(text: string, decision: Decision): void {
    const frame = toFrame(text);
    this.#options.resumption.broadcast(frame, decision);
    this.#fanout.broadcast(frame);
  }
}

function isFaulted(decision: Decision): decision is Extract<Decision, { fault: Fault }> {
  return decision.kind === "refused" || decision.kind === "barred" || decision.kind === "unresumable";
}

function internalError(): OutgoingFrame {
  return toFrame(encodeServerFrame({ type: "ERROR", text: fault("INTERNAL").text }));
}

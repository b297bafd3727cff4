/**
 * Runs a member of the cluster: carries out its effects with the log, the wire and the store, and gives it the time. It
 * decides nothing; member.ts does.
 *
 * @module
 */
import type { Logger } from "../../src/logging/log.ts";
import type { StoredMessage } from "../room/message.ts";
import type { NumberedInput } from "./inputs.ts";
import type { ClusterLog } from "./log.ts";
import { type Beat, type Member, type MemberEffect, READ_MAX } from "./member.ts";
import type { ClusterWire, NodeBeat } from "./wire.ts";

/** Milliseconds between two looks at the time. */
const TICK_MS = 50;

/** Milliseconds after which a record that NATS has not taken is logged; its elections take longer. */
const APPEND_WAITS_MS = 3000;

/** Why a node cannot continue under this name. */
export type NodeEnd =
  /** The others have lost it: it may go on under another name. */
  | { readonly kind: "lost" }
  | { readonly kind: "forked"; readonly why: string }
  | { readonly kind: "stopped"; readonly why: string };

export interface DriverOptions {
  readonly incarnation: string;
  readonly member: Member;
  readonly log: ClusterLog;
  readonly wire: ClusterWire;
  readonly steadyMs: () => number;
  /** Reads a message from this node's store, which has all that is applied. */
  readonly find: (uuid: string) => Promise<StoredMessage | undefined>;
  readonly over: (end: NodeEnd) => void;
  /** What each beat says of this node beside its place in the log. */
  readonly about: () => Omit<NodeBeat, keyof Beat>;
  /** Another node's beat. */
  readonly heard: (beat: NodeBeat) => void;
  /** Seconds of a stored append, with its repetitions, and how many these were. */
  readonly stored: (seconds: number, repetitions: number) => void;
  /** The log refuses a record. */
  readonly refused: () => void;
  readonly logger: Logger;
}

export class ClusterDriver {
  readonly #options: DriverOptions;
  #timer: ReturnType<typeof setInterval> | undefined;
  #isOver = false;
  /** The append under way, and how often it was repeated. */
  #append: { readonly id: string; readonly sinceMs: number; repetitions: number } | undefined;
  #isRefused = false;
  #isWaiting = false;
  #quit: (() => void)[] = [];

  constructor(options: DriverOptions) {
    this.#options = options;
  }

  start(): void {
    const { incarnation, member, log, wire } = this.#options;
    this.#quit = [
      wire.listen(incarnation, {
        inputs: (message) => this.run((nowMs) => member.receivedInputs(nowMs, message)),
        beat: (beat) => {
          this.run((nowMs) => member.receivedBeat(nowMs, beat));
          if (beat.by !== incarnation) this.#options.heard(beat);
        },
      }),
      log.follow((entry) => this.run((nowMs) => member.receivedRecord(nowMs, entry))),
    ];
    this.#timer = setInterval(() => this.run((nowMs) => member.tick(nowMs)), TICK_MS);
    this.run(() => member.start());
  }

  submit(inputs: readonly NumberedInput[]): void {
    this.run((nowMs) => this.#options.member.submit(nowMs, inputs));
  }

  /** Stops without a word to the others, as a process that dies does. */
  stop(): void {
    this.#isOver = true;
    clearInterval(this.#timer);
    for (const quit of this.#quit.splice(0)) quit();
  }

  /** The fence of this entry point: after a bug the node's state is not known, so that it ends. */
  run(act: (nowMs: number) => readonly MemberEffect[]): void {
    if (this.#isOver) return;
    try {
      for (const effect of act(this.#options.steadyMs())) this.#do(effect);
    } catch (error) {
      this.#options.logger.error("bug", { where: "cluster", error });
      this.#end({ kind: "stopped", why: "A bug in the cluster's node, which the log above has" });
    }
  }

  #do(effect: MemberEffect): void {
    const { member, log, wire } = this.#options;
    switch (effect.do) {
      case "append": {
        const { at, id, bytes } = effect;
        this.#appending(id);
        return this.#await(log.append(at, id, bytes), (nowMs, outcome) => {
          if (outcome?.kind === "stored") this.#appended(nowMs);
          if (outcome?.kind === "refused") this.#refused(outcome.problem);
          return member.appended(nowMs, id, outcome ?? { kind: "unknown" });
        });
      }
      case "read":
        return this.#await(
          log.read(effect.from, READ_MAX),
          (nowMs, entries) => member.readDone(nowMs, entries),
        );
      case "probe":
        return this.#await(log.ends(), (nowMs, ends) => member.probed(nowMs, ends?.last));
      case "find":
        return this.#await(this.#find(effect.uuids), (nowMs, found) => member.found(nowMs, found));
      case "send":
        return wire.send(effect.to, effect.message);
      case "beat":
        return wire.beat({ ...effect.beat, ...this.#options.about() });
      case "restart":
        return this.#end({ kind: "lost" });
      case "fork":
        return this.#end({ kind: "forked", why: effect.why });
      case "stop":
        return this.#end({ kind: "stopped", why: effect.why });
    }
  }

  #appending(id: string): void {
    const { steadyMs, logger } = this.#options;
    if (this.#append?.id !== id) {
      this.#append = { id, sinceMs: steadyMs(), repetitions: 0 };
      return;
    }
    this.#append.repetitions++;
    const waitsMs = steadyMs() - this.#append.sinceMs;
    if (this.#isWaiting || waitsMs < APPEND_WAITS_MS) return;
    this.#isWaiting = true;
    logger.warn("cluster.append_waits", { seconds: Math.round(waitsMs / 1000) });
  }

  #appended(nowMs: number): void {
    this.#isRefused = false;
    if (this.#isWaiting) this.#options.logger.info("cluster.append_works", {});
    this.#isWaiting = false;
    const append = this.#append;
    this.#append = undefined;
    if (append !== undefined) this.#options.stored((nowMs - append.sinceMs) / 1000, append.repetitions);
  }

  /** Says once that the log refuses records, until it stores one. */
  #refused(problem: string): void {
    this.#options.refused();
    if (!this.#isRefused) this.#options.logger.error("cluster.append_refused", { problem });
    this.#isRefused = true;
  }

  /** Gives the member what was answered, or undefined. */
  #await<Answer>(
    asked: Promise<Answer>,
    answered: (nowMs: number, answer: Answer | undefined) => readonly MemberEffect[],
  ): void {
    asked.catch(() => undefined).then((answer) => this.run((nowMs) => answered(nowMs, answer)));
  }

  async #find(uuids: readonly string[]): Promise<ReadonlyMap<string, StoredMessage>> {
    const found = new Map<string, StoredMessage>();
    try {
      for (const message of await Promise.all(uuids.map(this.#options.find))) {
        if (message !== undefined) found.set(message.uuid, message);
      }
    } catch (error) {
      this.#options.logger.error("journal.read_failed", { error });
      throw error;
    }
    return found;
  }

  #end(end: NodeEnd): void {
    if (this.#isOver) return;
    this.stop();
    this.#options.over(end);
  }
}

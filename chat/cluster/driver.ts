/**
 * Runs a member of the cluster: carries out its effects with the log and the wire, and gives it the time. It decides
 * nothing; member.ts does.
 *
 * @module
 */
import type { Logger } from "../../src/logging/log.ts";
import type { NumberedInput } from "./inputs.ts";
import type { ClusterLog } from "./log.ts";
import { type Member, type MemberEffect, READ_MAX } from "./member.ts";
import type { Outcome } from "./replica.ts";
import type { ClusterWire } from "./wire.ts";

/** Milliseconds between two looks at the time. */
const TICK_MS = 50;

export interface DriverOptions {
  readonly incarnation: string;
  readonly member: Member;
  readonly log: ClusterLog;
  readonly wire: ClusterWire;
  readonly steadyMs: () => number;
  /** Sends the outcomes of a turn to this node's clients. `position` is that of the newest broadcast before. */
  readonly deliver: (outcomes: readonly Outcome[], position: number) => void;
  /** The node cannot continue under this name: the reason, or undefined if the others have lost it. */
  readonly over: (why: string | undefined) => void;
  readonly logger: Logger;
}

export class ClusterDriver {
  readonly #options: DriverOptions;
  #timer: ReturnType<typeof setInterval> | undefined;
  #isOver = false;

  constructor(options: DriverOptions) {
    this.#options = options;
  }

  start(): void {
    const { incarnation, member, log, wire, steadyMs } = this.#options;
    const run = (act: (nowMs: number) => readonly MemberEffect[]) => this.#run(() => act(steadyMs()));
    wire.listen(incarnation, {
      inputs: (message) => run((nowMs) => member.receivedInputs(nowMs, message)),
      beat: (beat) => run((nowMs) => member.receivedBeat(nowMs, beat)),
    });
    log.follow((entry) => run((nowMs) => member.receivedRecord(nowMs, entry)));
    this.#timer = setInterval(() => run((nowMs) => member.tick(nowMs)), TICK_MS);
    run(() => member.start());
  }

  submit(input: NumberedInput): void {
    const { member, steadyMs } = this.#options;
    this.#run(() => member.submit(steadyMs(), input));
  }

  /** Stops without a word to the others, as a process that dies does. */
  stop(): void {
    this.#isOver = true;
    clearInterval(this.#timer);
  }

  /** The fence of this entry point: after a bug the node's state is not known, so that it ends. */
  #run(act: () => readonly MemberEffect[]): void {
    if (this.#isOver) return;
    try {
      for (const effect of act()) this.#do(effect);
    } catch (error) {
      this.#options.logger.error("bug", { where: "cluster", error });
      this.#end("A bug in the cluster's node; the log of the server has it");
    }
  }

  #do(effect: MemberEffect): void {
    const { member, log, wire, steadyMs, deliver } = this.#options;
    switch (effect.do) {
      case "append": {
        const { at, id, bytes } = effect;
        log.append(at, id, bytes).then((outcome) =>
          this.#run(() => member.appended(steadyMs(), id, outcome))
        );
        return;
      }
      case "read":
        log.read(effect.from, READ_MAX).catch(() => undefined).then((entries) =>
          this.#run(() => member.readDone(steadyMs(), entries))
        );
        return;
      case "send":
        return wire.send(effect.to, effect.message);
      case "beat":
        return wire.beat(effect.beat);
      case "deliver":
        return deliver(effect.outcomes, effect.position);
      case "restart":
        return this.#end(undefined);
      case "stop":
        return this.#end(effect.why);
    }
  }

  #end(why: string | undefined): void {
    if (this.#isOver) return;
    this.stop();
    this.#options.over(why);
  }
}

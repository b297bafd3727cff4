/**
 * The sequencer's end of the link to one gateway thread: its sessions as the sequencer sees them, outgoing turns, and
 * how far the gateway lags. If the thread is lost, so are its connections. thread_pool.ts starts and ends threads.
 *
 * @module
 */
import { type Logger, writeForwarded } from "../../../src/logging/log.ts";
import { encodeServerFrame } from "../../../src/protocol/codec.ts";
import { type Fault, fault } from "../../../src/protocol/faults.ts";
import type { AnswerMetrics } from "../../../src/metrics/route.ts";
import type { AdminApp } from "../../admin/mount.ts";
import type { Admission } from "../admission.ts";
import { httpFence } from "../http_app.ts";
import type { ChatMeters } from "../../meters.ts";
import { toFrame } from "../../room/frame.ts";
import { type FanoutTarget, RemoteSession } from "./thread_fanout.ts";
import type { Input } from "../../room/decision.ts";
import { type Inbox, tokensOf } from "../session.ts";
import { answerHandedOn } from "./http_forwarding.ts";
import { type CallMessage, Calls } from "./rpc.ts";
import {
  causeAt,
  type GatewayCalls,
  type Packed,
  type SequencerCalls,
  type SessionNumber,
  type TicketedSocket,
  Uplink,
} from "./messages.ts";

/**
 * Turns without an acknowledgement at which the sequencer waits for a gateway. Inputs that arrive meanwhile form one
 * larger turn, which is cheaper to fan out. A turn may hold 4 MiB of history, so this bounds memory too.
 */
export const TURNS_BEHIND_MAX = 1;

export interface ThreadLinkOptions {
  readonly post: (message: Packed | CallMessage) => void;
  readonly inbox: Inbox;
  readonly admission: Admission;
  readonly serverId: number;
  readonly meters: ChatMeters;
  readonly steadyMs: () => number;
  readonly isReady: () => Promise<boolean>;
  readonly countUsers: () => number | Promise<number>;
  readonly admin: AdminApp;
  readonly metrics: AnswerMetrics;
  readonly log: Logger;
}

export class ThreadLink implements FanoutTarget {
  pending: Packed = [];
  listeners = 0;
  readonly calls: Calls<GatewayCalls, SequencerCalls>;
  readonly #options: ThreadLinkOptions;
  readonly #sessions = new Map<SessionNumber, RemoteSession>();
  /** Functions that release an admitted socket, by ticket. */
  readonly #tickets = new Map<number, () => void>();
  #ticket = 0;
  #sentTurns = 0;
  #ackedTurns = 0;
  #caughtUp: PromiseWithResolvers<void> | undefined;
  #isLost = false;

  constructor(options: ThreadLinkOptions) {
    this.#options = options;
    this.calls = new Calls(options.post, {
      isReady: options.isReady,
      countUsers: options.countUsers,
      answer: answerHandedOn({ ...options, onError: httpFence(options.log) }),
      admit: (remoteAddress) => this.#admit(remoteAddress),
      log: writeForwarded,
    });
  }

  get sessions(): Iterable<RemoteSession> {
    return this.#sessions.values();
  }

  /** Turns that the gateway has applied; it only grows. */
  get ackedTurns(): number {
    return this.#ackedTurns;
  }

  get turnsBehind(): number {
    return this.#sentTurns - this.#ackedTurns;
  }

  /** Sends the turn, even an empty one, which the gateway acknowledges too. */
  flush(): void {
    const { pending } = this;
    this.pending = [];
    if (this.#isLost) return;
    this.#sentTurns++;
    this.#options.post(pending);
  }

  caughtUp(): Promise<void> | undefined {
    if (this.turnsBehind < TURNS_BEHIND_MAX || this.#isLost) return undefined;
    this.#caughtUp ??= Promise.withResolvers();
    return this.#caughtUp.promise;
  }

  /** Receives a message of the gateway. The fence of this entry point. */
  receive(message: Packed | CallMessage): void {
    if (this.#isLost) return;
    try {
      if (Array.isArray(message)) this.#takeSubmitted(message);
      else this.calls.receive(message);
    } catch (error) {
      this.#options.log.error("bug", { where: "gateway", error });
    }
  }

  /** The thread is gone: submits the loss of its sessions and releases its sockets. */
  lost(problem: string): void {
    if (this.#isLost) return;
    this.#isLost = true;
    this.pending = [];
    for (const session of this.#sessions.values()) this.#options.inbox.submit(session, { type: "LOST" });
    this.#sessions.clear();
    for (const leave of this.#tickets.values()) leave();
    this.#tickets.clear();
    this.calls.end(problem);
    this.#caughtUp?.resolve();
  }

  #takeSubmitted(flat: Packed): void {
    this.#ackedTurns = flat[0] as number;
    if (this.turnsBehind < TURNS_BEHIND_MAX) {
      this.#caughtUp?.resolve();
      this.#caughtUp = undefined;
    }
    for (let i = 1; i < flat.length;) {
      const kind = flat[i++];
      const number = flat[i++] as number;
      switch (kind) {
        case Uplink.message:
          this.#submit(number, {
            type: "MSG",
            timestamp: flat[i++] as string,
            text: flat[i++] as string,
          });
          break;
        case Uplink.input:
          this.#submit(number, flat[i++] as Input);
          break;
        case Uplink.opened: {
          const [id, isExtended, remoteAddress] = flat.slice(i, i += 3) as [string, number, string];
          const session = { number, id, isExtended: isExtended === 1, remoteAddress };
          const share = this.#options.admission.shareOf(remoteAddress);
          this.#sessions.set(number, new RemoteSession(this, { ...session, share }));
          break;
        }
        case Uplink.end:
          this.#sessions.get(number)?.close(causeAt(flat[i++] as number));
          break;
        case Uplink.over:
          this.#sessions.delete(number);
          break;
        case Uplink.left:
          this.#tickets.get(number)?.();
          this.#tickets.delete(number);
          break;
        default:
          throw new Error(`a gateway submitted an unknown entry: ${kind}`);
      }
    }
    // Sends local answers. The sequencer flushes its own turns, and none is incomplete now.
    if (this.pending.length > 0) this.flush();
  }

  #submit(number: SessionNumber, input: Input): void {
    const session = this.#sessions.get(number);
    if (session === undefined) {
      // A bug in the gateway; its other inputs are still submitted.
      this.#options.log.error("bug", { where: "gateway", error: new Error("it submits for no session") });
      return;
    }
    session.unanswered++;
    try {
      const refusal = this.#refusal(session, input);
      const taken: Input = refusal === undefined ? input : { type: "FAULT", fault: refusal };
      if (session.unanswered === 1 && this.#answerNow(session, taken)) return;
      this.#options.inbox.submit(session, taken);
    } catch (error) {
      // The fence: later inputs are still submitted.
      this.#options.log.error("bug", { where: "gateway", error });
      this.#answer(session, fault("INTERNAL"));
    }
  }

  /** The fault of a frame past the rate of its address, whose sessions may be on several gateways. */
  #refusal({ share }: RemoteSession, input: Input): Fault | undefined {
    // A frame past the limit of its session takes nothing from the others of its address.
    if (share === undefined || input.type === "LOST") return undefined;
    if (input.type === "FAULT" && input.fault.fault === "FLOOD") return undefined;
    const units = input.type === "FAULT" ? input.units ?? 0 : "text" in input ? input.text.length : 0;
    return share.refuses(this.#options.steadyMs(), tokensOf(units));
  }

  /**
   * Answers PING without a challenge and faults at once if nothing else of that session is unanswered: after all turns
   * so far, without waiting for a commit. Returns whether it did.
   */
  #answerNow(session: RemoteSession, input: Input): boolean {
    if (input.type === "FAULT") this.#answer(session, input.fault);
    else if (input.type === "PING" && input.challenge === undefined) {
      const { timestamp } = input;
      const { serverId } = this.#options;
      session.push(toFrame(encodeServerFrame({ type: "PING", timestamp, serverId })));
      session.settled();
    } else return false;
    return true;
  }

  #answer(session: RemoteSession, refusal: Fault): void {
    this.#options.meters.faulted(refusal.fault);
    session.push(toFrame(encodeServerFrame({ type: "ERROR", text: refusal.text })));
    session.settled();
  }

  #admit(remoteAddress: string): ReturnType<SequencerCalls["admit"]> {
    const { admission, steadyMs } = this.#options;
    const admitted = admission.admit(remoteAddress, steadyMs());
    if (!admitted.isAdmitted) return admitted;
    const letIn: TicketedSocket = { isAdmitted: true, ticket: ++this.#ticket };
    this.#tickets.set(letIn.ticket, admitted.leave);
    return letIn;
  }
}

/**
 * The sessions of a node in a cluster: passes their inputs to the leader in order, answers from the replica what needs
 * no decision, and sends each record's outcomes to them. It decides nothing, and knows neither the log nor the network.
 *
 * @module
 */
import { encodeServerFrame } from "../../../src/protocol/codec.ts";
import { CLOSE, type CloseCause } from "../../../src/protocol/close_codes.ts";
import { fault } from "../../../src/protocol/faults.ts";
import { TYPING_INTERVAL_MS } from "../../../src/protocol/limits.ts";
import { parseUsername } from "../../../src/protocol/names.ts";
import type { Logger } from "../../../src/logging/log.ts";
import type { FanoutPort } from "../../delivery/fanout.ts";
import type { Participant } from "../../delivery/participant.ts";
import type { DecisionSender } from "../../order/teller.ts";
import { type Ban, matches } from "../../room/bans.ts";
import type { Decision, Input, Moment } from "../../room/decision.ts";
import { toFrame } from "../../room/frame.ts";
import type { HistoryRange, StoredMessage } from "../../room/message.ts";
import type { Room } from "../../room/room.ts";
import type { OperatorCommand, Ruled } from "../command.ts";
import type { NumberedInput } from "../inputs.ts";
import type { Decided, Opening, Origin } from "../membership.ts";
import type { HistoryReads } from "./history_reads.ts";
import type { MessageSpans } from "./message_spans.ts";
import type { ClusterRecord, ForeignRecord } from "../record.ts";
import type { Outcome, Replica, ReplicaListener } from "../replica.ts";
import type { TypingNotice } from "../wire.ts";

/** The session number of the node's operator. */
const OPERATOR = 0;

type Heard = (decision: Decision) => void;

/** An input of a session, until it is answered: one that the leader decides has a number. */
interface Waiting {
  readonly number: number | undefined;
  readonly input: Input;
  readonly decided: Heard | undefined;
}

/** A connection of this node. */
interface Connected {
  readonly number: number;
  readonly participant: Participant;
  /** What is not answered yet, in order. */
  readonly waiting: Waiting[];
  /** What was sent behind a page that is being read; undefined if none is. */
  behind: Waiting[] | undefined;
  /** The page that is being read. */
  reading: Waiting | undefined;
  /** The token that the session gets if it connects or resumes. */
  token: string | undefined;
  typedMs: number;
  /** True once its loss is on its way to the leader. */
  isOver: boolean;
}

export interface FrontOptions {
  readonly sender: DecisionSender;
  readonly fanout: FanoutPort;
  readonly reads: HistoryReads;
  /** All sockets of this node, in the room or not. */
  readonly sockets: () => Iterable<Participant>;
  readonly mintToken: () => string;
  readonly hashOf: (token: string) => string;
  readonly moment: () => Omit<Moment, "found">;
  /** Calls `send` soon: inputs until then go together. */
  readonly soon: (send: () => void) => void;
  /** Undefined while no traces are collected. */
  readonly spans?: MessageSpans | undefined;
  readonly log: Logger;
}

/** The node as it is now: another after the others have lost it. */
export interface FrontNode {
  readonly incarnation: string;
  /** Passes inputs on. It never calls back before it returns. */
  readonly submit: (inputs: readonly NumberedInput[]) => void;
  /** Notifies the other nodes; it may be lost. */
  readonly notify: (notice: TypingNotice) => void;
}

export class ClusterFront implements ReplicaListener {
  readonly #options: FrontOptions;
  #replica!: Replica;
  /** Answers what changes nothing. */
  #room!: Room;
  #node: FrontNode | undefined;
  readonly #connected = new Map<number, Connected>();
  #ofParticipant = new WeakMap<Participant, Connected>();
  #sessions = OPERATOR;
  #inputs = 0;
  #outgoing: NumberedInput[] = [];
  /** Every input on its way to the leader, in order. */
  #submitted: { readonly number: number; readonly from: Connected | undefined }[] = [];
  #rulings = new Map<number, (ruled: Ruled | Decision) => void>();
  #isApplying = false;

  constructor(options: FrontOptions) {
    this.#options = options;
  }

  /** Call once, before everything else. */
  attach(replica: Replica, room: Room): void {
    this.#replica = replica;
    this.#room = room;
  }

  /** Begins under a name of the node that no other run has had. Inputs until then are dropped. */
  begin(node: FrontNode): void {
    this.#node = node;
    this.#connected.clear();
    this.#ofParticipant = new WeakMap();
    this.#inputs = 0;
    this.#outgoing = [];
    this.#submitted = [];
    this.#rulings.clear();
  }

  /** Inputs without a decision. */
  get unanswered(): number {
    return this.#submitted.length;
  }

  /** As `Sequencer.submit`: `decided` is called with the decision, after its frames were sent. */
  submit(participant: Participant, input: Input, decided?: Heard): void {
    this.#options.spans?.received(input);
    const known = this.#ofParticipant.get(participant);
    // The leader has heard of no such connection: of one that sent nothing, or one from before `begin`.
    if (known === undefined && input.type === "LOST") return participant.settled();
    const from = known ?? this.#open(participant);
    if (from.isOver) return participant.settled();
    if (from.behind === undefined) return this.#take(from, { number: undefined, input, decided });
    if (input.type !== "LOST") return void from.behind.push({ number: undefined, input, decided });
    // What the session sent before its loss still counts; no client waits for its pages.
    const { behind } = from;
    from.behind = undefined;
    from.waiting.length = 0;
    for (const earlier of behind) if (!isLocal(earlier.input)) this.#take(from, earlier);
    this.#take(from, { number: undefined, input, decided });
  }

  /** An operator's command, or announcement; resolves when the log has its outcome. */
  order(input: OperatorCommand | Input & { type: "ANNOUNCE" }): Promise<Ruled | Decision> {
    return new Promise((resolve) => {
      this.#rulings.set(this.#send({ session: OPERATOR, input, opening: undefined }, undefined), resolve);
    });
  }

  /** Another node's user types. */
  typedElsewhere({ node, username }: TypingNotice): void {
    if (node === this.#node?.incarnation) return;
    const { fanout } = this.#options;
    const name = parseUsername(username);
    // The user may have left since.
    if ("fault" in name || this.#replica.membership.roster.otherHolder(name, "") === undefined) return;
    fanout.broadcastExtendedBut(undefined, toFrame(encodeServerFrame({ type: "TYPING", username })));
    fanout.flush();
  }

  /** Closes every connection: its session is held or leaves when the log has its loss, or that of the node. */
  closeAll(cause: CloseCause): void {
    for (const participant of this.#options.sockets()) {
      this.#options.fanout.delete(participant);
      this.#options.fanout.end(participant, cause);
    }
    this.#options.fanout.flush();
  }

  tokenOf({ node, session }: Decided): string | undefined {
    return node === this.#node?.incarnation ? this.#connected.get(session)?.token : undefined;
  }

  outcome({ decided, frames, connection, lacksMissed }: Outcome): void {
    this.#isApplying = true;
    const { decision, ruling, input: number } = decided;
    const from = decided.node === this.#node?.incarnation ? this.#connected.get(decided.session) : undefined;
    if (from !== undefined) this.#answerBefore(from, number);
    const here = this.#at(connection);
    const participant = from?.participant ?? here?.participant ?? ELSEWHERE;
    const isTakenOver = decision.kind === "resumed" || decision.kind === "unresumable";
    const superseded = isTakenOver && here !== from ? here?.participant : undefined;
    const of = lacksMissed ? ELSEWHERE : isTakenOver ? from?.participant ?? ELSEWHERE : participant;
    const first = from?.waiting[0]?.number === number ? from.waiting.shift() : undefined;
    if (first !== undefined) this.#options.spans?.applied(first.input, participant, decision);
    if (decision.kind !== "nothing") {
      const submission = { participant: of, decided: first?.decided };
      this.#options.sender.send(submission, decision, { follow: () => frames, superseded });
    } else if (from !== undefined && first !== undefined) this.#settle(from, first);
    if (lacksMissed) this.#sendElsewhere(from!);
    for (const ban of ruling?.added ?? []) this.#endNameless(ban);
    if (from !== undefined) {
      if (decided.isLast) this.#close(from);
      else this.#answerLocal(from);
    }
    if (decided.node === this.#node?.incarnation && decided.session === OPERATOR) {
      this.#rulings.get(number)?.(ruling?.answer ?? decision);
      this.#rulings.delete(number);
    }
  }

  applied(_number: number, record: ClusterRecord | ForeignRecord): void {
    this.#isApplying = true;
    try {
      if (record.kind !== "turn") return;
      for (const [node, through] of record.through) {
        if (node === this.#node?.incarnation) this.#settleThrough(through);
      }
    } finally {
      this.#isApplying = false;
      this.#options.sender.flush();
      this.#trace(record);
    }
  }

  #trace(record: ClusterRecord | ForeignRecord): void {
    try {
      this.#options.spans?.sent(record.kind === "turn" ? record.decided.length : 0);
    } catch (error) {
      // Fence: a bug in a trace does not end the node.
      this.#options.log.error("bug", { where: "trace", error });
    }
  }

  /** Its client resumes again, on a node that holds more: the leader, or one that has run for longer. */
  #sendElsewhere({ participant }: Connected): void {
    participant.settled();
    this.#options.fanout.end(participant, CLOSE.cutOff);
  }

  #open(participant: Participant): Connected {
    const from: Connected = {
      ...{ number: ++this.#sessions, participant, waiting: [], behind: undefined },
      ...{ reading: undefined, token: undefined, typedMs: -Infinity, isOver: false },
    };
    this.#connected.set(from.number, from);
    this.#ofParticipant.set(participant, from);
    return from;
  }

  #close(from: Connected): void {
    this.#connected.delete(from.number);
    // A later loss of the same connection is answered at once.
    from.isOver = true;
    from.waiting.length = 0;
  }

  #take(from: Connected, waiting: Waiting): void {
    const { input, decided } = waiting;
    if (isLocal(input)) {
      from.waiting.push(waiting);
      // A page may have to be read: what follows waits for it.
      if (isOlder(input)) from.behind = [];
      if (from.waiting.length === 1) this.#answerLocal(from);
      return;
    }
    if (input.type === "LOST") from.isOver = true;
    const number = this.#send({ session: from.number, ...this.#prepared(from, input) }, from);
    from.waiting.push({ number, input, decided });
  }

  /** The token of a session crosses the network as its hash only. */
  #prepared(from: Connected, input: Input): Pick<NumberedInput, "input" | "opening"> {
    const { hashOf, mintToken } = this.#options;
    if (input.type !== "CONNECT" && input.type !== "RESUME") return { input, opening: undefined };
    const { id, isExtended, remoteAddress } = from.participant;
    // One token: a session that is refused may try again on the same connection.
    if (isExtended) from.token ??= mintToken();
    const tokenHash = from.token === undefined ? undefined : hashOf(from.token);
    const opening: Opening = { id, isExtended, remoteAddress, tokenHash };
    if (input.type === "CONNECT") return { input, opening };
    return { input: { ...input, token: hashOf(input.token) }, opening };
  }

  #send(input: NumberedInput, from: Connected | undefined): number {
    const number = ++this.#inputs;
    this.#submitted.push({ number, from });
    this.#outgoing.push(input);
    if (this.#outgoing.length === 1) {
      this.#options.soon(() => {
        const inputs = this.#outgoing;
        this.#outgoing = [];
        if (inputs.length > 0) this.#node?.submit(inputs);
      });
    }
    return number;
  }

  /** Inputs before `number` that have no outcome: their connection was ended. */
  #answerBefore(from: Connected, number: number): void {
    for (let next = from.waiting[0]; next !== undefined; next = from.waiting[0]) {
      if (next.number === undefined) {
        if (!this.#answerLocal(from)) return;
      } else if (next.number < number) {
        from.waiting.shift();
        this.#settle(from, next);
      } else return;
    }
  }

  #settleThrough(through: number): void {
    let count = 0;
    for (; count < this.#submitted.length; count++) {
      const { number, from } = this.#submitted[count]!;
      if (number > through) break;
      if (from === undefined || !(from.waiting[0]?.number! <= number)) continue;
      this.#answerBefore(from, number + 1);
      this.#answerLocal(from);
    }
    this.#submitted = this.#submitted.slice(count);
  }

  #settle(from: Connected, { input, decided }: Waiting): void {
    // The session has resumed elsewhere meanwhile; if its client does not know that, it tries again.
    if (input.type === "RESUME") return this.#sendElsewhere(from);
    from.participant.settled();
    decided?.(NOTHING);
  }

  /** Answers what needs no decision, up to the next input that does. False if that waits for a page. */
  #answerLocal(from: Connected): boolean {
    while (from.waiting.length > 0 && from.waiting[0]!.number === undefined) {
      const waiting = from.waiting[0]!;
      // The answer before it has begun this read.
      if (from.reading === waiting) return false;
      const decision = this.#decide(from, waiting.input);
      if (decision.kind === "asked_history") {
        const page = this.#replica.state.page(decision.range);
        if (page === undefined) {
          this.#readPage(from, waiting, decision.range);
          return false;
        }
        this.#answer(from, waiting, decision, page);
      } else this.#answer(from, waiting, decision, NO_PAGE);
    }
    return true;
  }

  #answer(
    from: Connected,
    waiting: Waiting,
    decision: Decision,
    page: readonly StoredMessage[],
  ): void {
    const { participant } = from;
    from.waiting.shift();
    this.#options.sender.send({ participant, decided: waiting.decided }, decision, {
      follow: () => this.#replica.state.follow(decision, page, undefined),
      superseded: undefined,
    });
    if (!this.#isApplying) this.#options.sender.flush();
    if (isOlder(waiting.input)) this.#takeBehind(from);
  }

  #takeBehind(from: Connected): void {
    const { behind = [] } = from;
    from.behind = undefined;
    // One of these may be a page too, behind which the others wait.
    for (const { input, decided } of behind) this.submit(from.participant, input, decided);
  }

  /** Read off the order: changes that are broadcast meanwhile are in the page. */
  #readPage(from: Connected, waiting: Waiting, range: HistoryRange): void {
    from.reading = waiting;
    const isAwaited = () => from.waiting[0] === waiting;
    this.#options.reads.read(range, isAwaited, (page) => {
      if (!isAwaited()) return;
      if (page !== undefined) return this.#answer(from, waiting, { kind: "asked_history", range }, page);
      this.#answer(from, waiting, { kind: "refused", fault: fault("STORE_FAILED") }, NO_PAGE);
    }).catch((error) => this.#options.log.error("bug", { where: "history", error }));
  }

  #decide(from: Connected, input: Input): Decision {
    const origin = { node: this.#node?.incarnation ?? "", session: from.number };
    const { membership } = this.#replica;
    if (membership.isEnded(origin)) return NOTHING;
    const moment = { ...this.#options.moment(), found: NOTHING_FOUND };
    // No session has this id.
    const session = membership.at(origin)?.id ?? "";
    if (input.type !== "TYPING") {
      try {
        return this.#room.decide(session, input, from.participant, moment);
      } catch (error) {
        // Fence: a bug in one answer affects no other.
        this.#options.log.error("bug", { where: "answer", input: input.type, error });
        return { kind: "refused", fault: fault("INTERNAL") };
      }
    }
    const username = membership.roster.get(session)?.username.shown;
    if (username === undefined) return { kind: "refused", fault: fault("NOT_CONNECTED") };
    const isBroadcast = moment.steadyMs - from.typedMs >= TYPING_INTERVAL_MS;
    if (isBroadcast) {
      from.typedMs = moment.steadyMs;
      this.#node?.notify({ node: origin.node, username });
    }
    return { kind: "typing", username, isBroadcast };
  }

  #at(connection: Origin | undefined): Connected | undefined {
    return connection !== undefined && connection.node === this.#node?.incarnation
      ? this.#connected.get(connection.session)
      : undefined;
  }

  /** A ban ends the sockets of its address that are in no session. */
  #endNameless(ban: Ban): void {
    const { membership } = this.#replica;
    const node = this.#node?.incarnation ?? "";
    for (const participant of this.#options.sockets()) {
      if (!matches(ban, undefined, participant.remoteAddress)) continue;
      const session = this.#ofParticipant.get(participant)?.number;
      if (session !== undefined && membership.at({ node, session }) !== undefined) continue;
      this.#options.fanout.end(participant, CLOSE.banned);
    }
  }
}

/** What the node answers itself. */
function isLocal(input: Input): boolean {
  switch (input.type) {
    case "PING":
    case "FAULT":
    case "TYPING":
      return true;
    case "QUERY":
      return input.query !== "update_message" && input.query !== "delete_message";
    default:
      return false;
  }
}

/** Whether it asks for a page that memory may not hold. */
function isOlder(input: Input): boolean {
  return input.type === "QUERY" && input.query === "history" && input.before !== undefined;
}

const NO_PAGE: readonly StoredMessage[] = [];
const NOTHING: Decision = { kind: "nothing" };
const NOTHING_FOUND = new Map<string, StoredMessage>();

/** A participant of another node, or of none. */
const ELSEWHERE: Participant = {
  ...{ id: "", remoteAddress: "", isExtended: false, outbox: undefined },
  settled() {},
  joined() {},
};

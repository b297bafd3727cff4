/**
 * A node of the cluster as a state machine: it follows the log, leads if the log says so, and passes its own inputs to
 * the leader. Each method returns what is to be done; it waits for nothing and knows no network. Pure.
 *
 * @module
 */
import { SET_BACK_MS } from "../../src/clock.ts";
import { Election } from "./election.ts";
import { type InputMessage, type NumberedInput, UnconfirmedInputs } from "./inputs.ts";
import { Leader, type LeaderOptions, type LeaderRoom } from "./leader.ts";
import { type Appended, type LogEntry, READ_BYTES_MAX } from "./log.ts";
import type { Decided } from "./membership.ts";
import { ReadFormats } from "./formats.ts";
import { type ClusterRecord, UnreadableRecord } from "./record.ts";
import { LogForked, type Replica } from "./replica.ts";
import type { StoredMessage } from "../room/message.ts";

/** Milliseconds between two beats of the leader. */
export const BEAT_MS = 300;
/** Milliseconds between two questions for the log's end, which show that the log works and what was missed. */
export const PROBE_MS = 1000;
/**
 * Milliseconds for which the log may end before what a node has applied: its servers elect, and catch up. After a
 * partition a server of NATS answered for longer than 5 s with the end that it had before.
 */
export const BEHIND_MS = 60_000;
/** Milliseconds without progress after which inputs are sent to the leader again. */
export const RESEND_MS = 1000;
/** The same for the first time with a new leader, which may have received them before the record that makes it lead. */
export const FIRST_RESEND_MS = 150;
/** Milliseconds until an append whose outcome is unknown is repeated. */
export const RETRY_MS = 150;
/** Records of one read. */
export const READ_MAX = 200;
/**
 * Nodes heard that the log has no inputs of, each some 200 bytes: more than one room has. A program that may publish can
 * make up names, and a record says which of them are lost.
 */
export const NODES_MAX = 100;
/** Bytes of records that wait for one before them; later ones are read again. */
export const AHEAD_BYTES_MAX = 16 * 2 ** 20;

/** A node says that it is there, and how far it is. */
export interface Beat {
  readonly by: string;
  readonly epoch: number;
  readonly applied: number;
  readonly isLeader: boolean;
  /** Its last beat: it stops, and what it had to say is in the log. */
  readonly isLeaving?: boolean;
  /** The newest format of records that it reads; undefined for 1. */
  readonly reads?: number | undefined;
}

export type MemberEffect =
  | { readonly do: "append"; readonly at: number; readonly id: string; readonly bytes: Uint8Array }
  | { readonly do: "read"; readonly from: number }
  | { readonly do: "send"; readonly to: string; readonly message: InputMessage }
  | { readonly do: "beat"; readonly beat: Beat }
  /** Asks the log for its end. */
  | { readonly do: "probe" }
  /** Reads messages that memory does not hold. */
  | { readonly do: "find"; readonly uuids: readonly string[] }
  /** The others have lost this node: it closes its connections and continues under another name. */
  | { readonly do: "restart" }
  /** The log and this node disagree: it closes its connections and appends nothing more. */
  | { readonly do: "fork"; readonly why: string }
  /** It cannot follow the log any more, and another start may. */
  | { readonly do: "stop"; readonly why: string };

export interface MemberOptions {
  /** This run of the node: another run has another name. */
  readonly incarnation: string;
  readonly replica: Replica;
  readonly room: LeaderRoom;
  readonly random32: () => number;
  readonly onBug: LeaderOptions["onBug"];
  readonly limits: {
    /** Milliseconds of silence after which another node leads: `--cluster-takeover`. */
    readonly takeoverMs: number;
    /** Milliseconds of silence after which a node's sessions are lost: `--cluster-lost`. */
    readonly lostMs: number;
    readonly resumeWindowMs: number;
  };
  /** Messages received before this time are past `--history-days`. */
  readonly historyFromMs: (nowMs: number) => number;
  readonly wallMs: () => number;
  readonly random: () => number;
}

interface Append {
  readonly at: number;
  readonly id: string;
  readonly bytes: Uint8Array;
  readonly sinceMs: number;
  /** When to repeat it; undefined while its outcome is awaited. */
  retryMs: number | undefined;
}

export class Member {
  readonly #options: MemberOptions;
  readonly #replica: Replica;
  readonly #election: Election;
  readonly #inputs: UnconfirmedInputs;
  readonly #formats: ReadFormats;
  readonly #ahead = new Map<number, Uint8Array>();
  #aheadBytes = 0;
  #leader: Leader | undefined;
  /** The node that leads after this one, which decides no more turns. */
  #next: string | undefined;
  #append: Append | undefined;
  #turn = 0;
  #isReading = false;
  /** True while it reads the log to its end in order to lead. */
  #isStanding = false;
  #isStopped = false;
  /** True once it has applied all that the log had. */
  #isCaughtUp = false;
  /** The leader that waits for messages, and what was found. */
  #finding: Leader | undefined;
  #probeMs = -Infinity;
  /** What was applied when the log was asked for its end. */
  #probedAt = 0;
  /** When the log last answered, and since when it ends before what is applied. */
  #logMs: number;
  #behindSinceMs: number | undefined;
  /** Where the log ends, if that is before what is applied. */
  #shortEnd: number | undefined;
  #beatMs = -Infinity;
  #progressMs = 0;
  /** Since when the oldest of its inputs waits, or since the last that was decided. */
  #waitingSinceMs = 0;
  /** When each other node was last heard, and how far it was; the longest silent first. */
  readonly #nodes = new Map<string, { readonly heardMs: number; readonly applied: number }>();
  /** When each hold ends by this node's clock. */
  readonly #heldUntilMs = new Map<string, number>();

  constructor(options: MemberOptions, nowMs: number) {
    this.#options = options;
    this.#replica = options.replica;
    this.#election = new Election(nowMs, () => options.limits.takeoverMs, options.random);
    this.#inputs = new UnconfirmedInputs(options.incarnation);
    this.#formats = new ReadFormats(options.replica.codec.newest, nowMs);
    this.#progressMs = nowMs;
    this.#logMs = nowMs;
  }

  get isLeader(): boolean {
    return this.#leader !== undefined;
  }

  /** Inputs that no record has decided. */
  get unconfirmed(): number {
    return this.#inputs.size;
  }

  /** Whether it has applied all that the log had at the start, and is not stopped. */
  get isCaughtUp(): boolean {
    return this.#isCaughtUp && !this.#isStopped;
  }

  /** The log's newest record, if it ends before what this node has applied. */
  get shortEnd(): number | undefined {
    return this.#shortEnd;
  }

  /**
   * Milliseconds since the log answered last; or since it took an input of this node, or a record that this node appends,
   * if others wait for it.
   */
  logSilentMs(nowMs: number): number {
    const waitingMs = this.#inputs.size === 0 ? 0 : nowMs - this.#waitingSinceMs;
    const appendingMs = nowMs - (this.#append?.sinceMs ?? nowMs);
    return Math.max(nowMs - this.#logMs, waitingMs, appendingMs);
  }

  /** Nodes that were heard within `ms`, this one aside. */
  heardWithin(nowMs: number, ms: number): string[] {
    const { incarnation } = this.#options;
    return [...this.#nodes].filter(([node, { heardMs }]) => node !== incarnation && nowMs - heardMs < ms)
      .map(([node]) => node);
  }

  /** Call once, before everything else. */
  start(): MemberEffect[] {
    return this.#read();
  }

  /** Numbers the inputs in their order, from 1. */
  submit(nowMs: number, inputs: readonly NumberedInput[]): MemberEffect[] {
    if (this.#inputs.size === 0) this.#progressMs = this.#waitingSinceMs = nowMs;
    for (const input of inputs) this.#inputs.add(this.#asOfNow(input));
    return [...this.#sendInputs(), ...this.#lead(nowMs)];
  }

  #asOfNow(numbered: NumberedInput): NumberedInput {
    const { input } = numbered;
    if (input.type !== "RESUME") return numbered;
    const session = this.#replica.membership.ofToken(input.token);
    return { ...numbered, newestToken: session?.tokens[0] ?? input.token };
  }

  receivedInputs(nowMs: number, message: InputMessage): MemberEffect[] {
    if (this.#isStopped) return [];
    this.#heard(nowMs, message.node);
    this.#leader?.take(message);
    return this.#lead(nowMs);
  }

  receivedBeat(nowMs: number, beat: Beat): MemberEffect[] {
    if (beat.by === this.#options.incarnation) return [];
    this.#formats.heard(nowMs, beat.by, beat.reads ?? 1);
    if (beat.isLeaving === true) {
      // Of a node that was not heard there is nothing to lose.
      if (this.#nodes.delete(beat.by)) this.#leader?.lose(beat.by);
      return this.#lead(nowMs);
    }
    this.#heard(nowMs, beat.by, beat.applied);
    if (beat.isLeader && beat.epoch >= this.#replica.epoch) this.#election.heard(nowMs);
    return beat.applied > this.#replica.applied ? this.#read() : [];
  }

  /** A record from the log's own notice, in any order and any number of times. */
  receivedRecord(nowMs: number, { number, bytes }: LogEntry): MemberEffect[] {
    if (number <= this.#replica.applied) return [];
    if (this.#aheadBytes < AHEAD_BYTES_MAX) this.#keepAhead(number, bytes);
    const effects = this.#applyAhead(nowMs);
    return this.#ahead.size > 0 ? [...effects, ...this.#read()] : effects;
  }

  /** `entries` is undefined if the log could not be read. */
  readDone(nowMs: number, entries: readonly LogEntry[] | undefined): MemberEffect[] {
    this.#isReading = false;
    if (entries === undefined) {
      this.#isStanding = false;
      return [];
    }
    this.#logMs = nowMs;
    const [first] = entries;
    if (first !== undefined && first.number > this.#replica.applied + 1) {
      this.#isStopped = true;
      return [{ do: "stop", why: `The log no longer has record ${this.#replica.applied + 1}` }];
    }
    for (const { number, bytes } of entries) {
      if (number > this.#replica.applied) this.#keepAhead(number, bytes);
    }
    const effects = this.#applyAhead(nowMs);
    const readBytes = entries.reduce((sum, { bytes }) => sum + bytes.length, 0);
    const isAtEnd = entries.length < READ_MAX && readBytes < READ_BYTES_MAX / 2;
    if (!isAtEnd) return [...effects, ...this.#read()];
    this.#isCaughtUp = true;
    return this.#isStanding ? [...effects, ...this.#stand(nowMs)] : effects;
  }

  appended(nowMs: number, id: string, outcome: Appended): MemberEffect[] {
    const append = this.#append;
    if (append === undefined || append.id !== id) return [];
    switch (outcome.kind) {
      case "stored":
        this.#keepAhead(append.at, append.bytes);
        return this.#applyAhead(nowMs);
      case "passed":
        // Its own earlier try may be the record there: the log says which it is. That read may fail.
        append.retryMs = nowMs + RETRY_MS;
        return this.#read();
      case "unknown":
        append.retryMs = nowMs + RETRY_MS;
        return [];
      case "refused":
        return this.#refused(nowMs, append);
    }
  }

  /** The turn is appended without its messages. If an earlier try was stored all the same, the log has that one. */
  #refused(nowMs: number, append: Append): MemberEffect[] {
    const record = this.#leader?.withoutMessages();
    if (record !== undefined) {
      return this.#begin(nowMs, append.at, `${append.id}.refused`, this.#encode(nowMs, record));
    }
    append.retryMs = nowMs + RETRY_MS;
    return [];
  }

  /** The log's newest record, as asked for by `probe`; undefined if the log did not answer. */
  probed(nowMs: number, last: number | undefined): MemberEffect[] {
    if (last === undefined || this.#isStopped) return [];
    this.#logMs = nowMs;
    this.#shortEnd = last < this.#probedAt ? last : undefined;
    if (this.#shortEnd === undefined) this.#behindSinceMs = undefined;
    else if (nowMs - (this.#behindSinceMs ??= nowMs) >= BEHIND_MS) {
      return this.#forked(`The log ends at record ${last}, and this node has applied ${this.#probedAt}`);
    }
    return last > this.#replica.applied ? this.#read() : [];
  }

  /** The messages of `find`, by id; undefined if they could not be read. */
  found(nowMs: number, found: ReadonlyMap<string, StoredMessage> | undefined): MemberEffect[] {
    const finding = this.#finding;
    this.#finding = undefined;
    // Another leader may have begun meanwhile: it asks for its own.
    return finding === this.#leader ? this.#decide(nowMs, found) : this.#lead(nowMs);
  }

  /** Lets the furthest node lead of those heard of late, as the last act of this one: after the turn that is under way. */
  handOver(nowMs: number): MemberEffect[] {
    const far = (node: string) => this.#nodes.get(node)?.applied ?? 0;
    const [next] = this.heardWithin(nowMs, 4 * BEAT_MS).sort((a, b) => far(b) - far(a));
    if (this.#leader === undefined || next === undefined) return [];
    this.#next = next;
    return this.#lead(nowMs);
  }

  /** Says to the others that this node stops. */
  leave(): MemberEffect[] {
    return [{ do: "beat", beat: { ...this.#beat(), isLeaving: true } }];
  }

  /** Call some ten times a second. */
  tick(nowMs: number): MemberEffect[] {
    if (this.#isStopped) return [];
    const effects: MemberEffect[] = [];
    if (nowMs - this.#beatMs >= BEAT_MS) {
      this.#beatMs = nowMs;
      effects.push({ do: "beat", beat: this.#beat() });
    }
    if (nowMs - this.#probeMs >= PROBE_MS) {
      this.#probeMs = nowMs;
      this.#probedAt = this.#replica.applied;
      effects.push({ do: "probe" });
    }
    if (this.#append?.retryMs !== undefined && nowMs >= this.#append.retryMs) {
      this.#append.retryMs = undefined;
      effects.push(this.#toAppend(this.#append), ...this.#read());
    }
    if (this.#inputs.size > 0 && nowMs - this.#progressMs >= RESEND_MS) {
      this.#progressMs = nowMs;
      this.#inputs.rewind();
      effects.push(...this.#sendInputs());
    }
    if (this.#leader !== undefined) {
      this.#loseSilent(nowMs);
      return [...effects, ...this.#lead(nowMs)];
    }
    // Before the first leader there is none to wait for.
    const isSilent = this.#election.isSilent(nowMs) || this.#isCaughtUp && this.#replica.leader === undefined;
    if (isSilent && this.#append === undefined && !this.#isStanding) {
      this.#election.heard(nowMs);
      this.#isStanding = true;
      effects.push(...this.#read());
    }
    return effects;
  }

  #beat(): Beat {
    const { epoch, applied } = this.#replica;
    return {
      ...{ by: this.#options.incarnation, epoch, applied, isLeader: this.isLeader },
      reads: this.#replica.codec.newest,
    };
  }

  #encode(nowMs: number, record: ClusterRecord): Uint8Array {
    return this.#replica.codec.encode(record, this.#formats.writable(nowMs));
  }

  #heard(nowMs: number, node: string, applied = this.#nodes.get(node)?.applied ?? 0): void {
    // What a lost node has sent may come late.
    if (this.#replica.membership.isGone(node)) return;
    this.#nodes.delete(node);
    this.#nodes.set(node, { heardMs: nowMs, applied });
    if (this.#nodes.size <= NODES_MAX) return;
    const silent = this.#nodes.keys().find((other) => !this.#replica.through.has(other));
    if (silent !== undefined) this.#nodes.delete(silent);
  }

  #read(): MemberEffect[] {
    if (this.#isReading || this.#isStopped) return [];
    this.#isReading = true;
    return [{ do: "read", from: this.#replica.applied + 1 }];
  }

  /** It has read the log to its end, and no other node leads there: it asks the log to lead. */
  #stand(nowMs: number): MemberEffect[] {
    this.#isStanding = false;
    if (this.#append !== undefined || this.#ahead.size > 0) return [];
    return this.#beginLead(nowMs, this.#options.incarnation);
  }

  #beginLead(nowMs: number, by: string): MemberEffect[] {
    const { epoch, hash, applied } = this.#replica;
    const { incarnation } = this.#options;
    const record: ClusterRecord = {
      ...{ kind: "lead", epoch: epoch + 1, previous: hash, atMs: this.#wallMs(), by },
    };
    const id = `${incarnation}.${epoch + 1}.lead.${applied}`;
    return this.#begin(nowMs, applied + 1, id, this.#encode(nowMs, record));
  }

  /** Decides a turn and appends it, if this node leads and nothing is under way. */
  #lead(nowMs: number): MemberEffect[] {
    const leader = this.#leader;
    if (leader === undefined || this.#append !== undefined || this.#isStopped) return [];
    if (this.#next !== undefined) return this.#beginLead(nowMs, this.#next);
    if (leader.isIdle) return [];
    if (this.#finding !== undefined) return [];
    const uuids = leader.gather();
    if (uuids.length === 0) return this.#decide(nowMs, NOTHING);
    this.#finding = leader;
    return [{ do: "find", uuids }];
  }

  #decide(steadyMs: number, found: ReadonlyMap<string, StoredMessage> | undefined): MemberEffect[] {
    const leader = this.#leader;
    if (leader === undefined || this.#append !== undefined || this.#isStopped) return [];
    const nowMs = this.#wallMs();
    const historyFromMs = () => this.#options.historyFromMs(nowMs);
    const bytes = this.#encode(steadyMs, leader.decide({ nowMs, steadyMs, historyFromMs, found }));
    const id = `${this.#options.incarnation}.${leader.epoch}.${++this.#turn}`;
    return this.#begin(steadyMs, this.#replica.applied + 1, id, bytes);
  }

  /** The clocks of two leaders differ: a small difference does not make the time go back. */
  #wallMs(): number {
    const { atMs } = this.#replica;
    const nowMs = this.#options.wallMs();
    return nowMs < atMs && atMs - nowMs < SET_BACK_MS ? atMs : nowMs;
  }

  #forked(why: string): MemberEffect[] {
    this.#isStopped = true;
    this.#leader = undefined;
    return [{ do: "fork", why }];
  }

  #begin(sinceMs: number, at: number, id: string, bytes: Uint8Array): MemberEffect[] {
    this.#append = { at, id, bytes, sinceMs, retryMs: undefined };
    return [this.#toAppend(this.#append)];
  }

  #toAppend({ at, id, bytes }: Append): MemberEffect {
    return { do: "append", at, id, bytes };
  }

  #keepAhead(number: number, bytes: Uint8Array): void {
    this.#aheadBytes += bytes.length - (this.#ahead.get(number)?.length ?? 0);
    this.#ahead.set(number, bytes);
  }

  #applyAhead(nowMs: number): MemberEffect[] {
    const effects: MemberEffect[] = [];
    while (!this.#isStopped) {
      const next = this.#replica.applied + 1;
      const bytes = this.#ahead.get(next);
      if (bytes === undefined) break;
      this.#ahead.delete(next);
      this.#aheadBytes -= bytes.length;
      try {
        effects.push(...this.#apply(nowMs, next, bytes));
      } catch (error) {
        if (error instanceof LogForked) effects.push(...this.#forked(error.message));
        else if (error instanceof UnreadableRecord) {
          this.#isStopped = true;
          effects.push({ do: "stop", why: `Record ${next}: ${error.message}` });
        } else throw error;
      }
    }
    return [...effects, ...this.#sendInputs(), ...this.#lead(nowMs)];
  }

  #apply(nowMs: number, number: number, bytes: Uint8Array): MemberEffect[] {
    const record = this.#replica.apply(number, bytes);
    this.#logMs = nowMs;
    if (record.kind === "foreign") return this.#passedBy(number);
    this.#election.heard(nowMs);
    if (this.#append !== undefined && this.#append.at <= number) this.#append = undefined;
    if (record.kind === "lead") this.#newLeader(nowMs, record.by);
    else if (record.kind === "turn") {
      this.#confirm(nowMs, record.through);
      this.#keepHolds(nowMs, record.decided);
      // A leader applies no turns but its own: those of another follow a record that makes the other lead.
      this.#leader?.settle(record);
      this.#leader = this.#leader?.sound();
    }
    if (record.kind === "turn" && record.lost.includes(this.#options.incarnation)) {
      this.#isStopped = true;
      return [{ do: "restart" }];
    }
    return [];
  }

  /** Another program's record has taken this number. What this node has decided for it is void: it leads again. */
  #passedBy(number: number): MemberEffect[] {
    if (this.#append === undefined || this.#append.at > number) return [];
    this.#append = this.#leader = undefined;
    this.#isStanding = true;
    return this.#read();
  }

  #newLeader(nowMs: number, by: string): void {
    this.#leader = undefined;
    this.#isStanding = false;
    this.#next = undefined;
    this.#inputs.rewind();
    this.#progressMs = nowMs - RESEND_MS + FIRST_RESEND_MS;
    if (by !== this.#options.incarnation) return;
    const { room, random32, onBug } = this.#options;
    this.#leader = new Leader({ replica: this.#replica, room, random32, onBug });
    // Each hold and each node has its whole time from here on.
    this.#heldUntilMs.clear();
    for (const node of [...this.#nodes.keys()]) {
      if (this.#replica.membership.isGone(node)) this.#nodes.delete(node);
      else this.#heard(nowMs, node);
    }
    for (const node of this.#replica.through.keys()) this.#heard(nowMs, node);
    for (const { id, origin } of this.#replica.membership.sessions.values()) {
      if (origin === undefined) this.#heldUntilMs.set(id, nowMs + this.#options.limits.resumeWindowMs);
      else this.#heard(nowMs, origin.node);
    }
  }

  #confirm(nowMs: number, through: readonly (readonly [string, number])[]): void {
    for (const [node, number] of through) {
      if (node !== this.#options.incarnation) continue;
      this.#inputs.confirm(number);
      this.#progressMs = this.#waitingSinceMs = nowMs;
    }
  }

  /** Sends what was not sent to the present leader, which may be this node. */
  #sendInputs(): MemberEffect[] {
    const { leader } = this.#replica;
    const effects: MemberEffect[] = [];
    if (leader === undefined) return effects;
    const { incarnation } = this.#options;
    if (leader === incarnation && this.#leader === undefined) return effects;
    for (let message = this.#inputs.next(); message !== undefined; message = this.#inputs.next()) {
      if (leader === incarnation) this.#leader?.take(message);
      else effects.push({ do: "send", to: leader, message });
    }
    return effects;
  }

  /** Notes which sessions are held from here on, and which are not any more. */
  #keepHolds(nowMs: number, decided: readonly Decided[]): void {
    for (const { decision } of decided) {
      if (decision.kind === "held") this.#heldUntilMs.set(decision.session, nowMs + decision.windowMs);
      else if (decision.kind === "resumed" || decision.kind === "left") {
        this.#heldUntilMs.delete(decision.session);
      }
    }
  }

  /** Ends holds whose time is over, and loses the sessions of nodes that were silent for too long. */
  #loseSilent(nowMs: number): void {
    const { lostMs } = this.#options.limits;
    for (const [id, untilMs] of this.#heldUntilMs) {
      if (nowMs < untilMs) continue;
      this.#heldUntilMs.delete(id);
      this.#leader?.expire(id);
    }
    for (const [node, { heardMs }] of this.#nodes) {
      if (node === this.#options.incarnation || nowMs - heardMs < lostMs) continue;
      this.#nodes.delete(node);
      this.#leader?.lose(node);
    }
  }
}

const NOTHING = new Map<string, StoredMessage>();

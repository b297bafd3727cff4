/**
 * The leader's decider: a room on a copy of the replica's members, and the queue of all nodes' inputs. It makes one
 * record a turn. A leader that is deposed is thrown away, with whatever it decided and the log does not have. Pure.
 *
 * @module
 */
import type { Decision, Moment } from "../room/decision.ts";
import { Room, type RoomOptions } from "../room/room.ts";
import type { SessionId } from "../room/roster.ts";
import { type InputMessage, InputQueue, type PlacedInput } from "./inputs.ts";
import type { ClusterSession, Decided, Membership, Opening } from "./membership.ts";
import type { ClusterRecord } from "./record.ts";
import type { Replica } from "./replica.ts";

/** The node of inputs that the leader makes itself: ends of holds, and sessions of a lost node. */
export const NO_NODE = "";

/** Inputs of one record. Their texts are bounded by `BatchSize` of the sequencer in the same way. */
export const TURN_INPUTS_MAX = 1000;

export type LeaderRoom = Omit<RoomOptions, "state" | "sessionOfToken">;

export interface LeaderOptions {
  readonly replica: Replica;
  readonly room: LeaderRoom;
}

/** An input that the leader makes for a session. */
interface OwnInput {
  readonly session: SessionId;
  readonly input: PlacedInput["input"];
}

export class Leader {
  readonly epoch: number;
  readonly #replica: Replica;
  readonly #members: Membership;
  readonly #room: Room;
  readonly #queue: InputQueue;
  #own: OwnInput[] = [];
  #lost: string[] = [];
  #decisions: readonly Decision[] = [];

  /** Call when the replica has applied the record that makes this node the leader. */
  constructor({ replica, room }: LeaderOptions) {
    this.epoch = replica.epoch;
    this.#replica = replica;
    this.#members = replica.membership.copy();
    this.#queue = new InputQueue(replica.through);
    const sessionOfToken = (hash: string) => this.#members.ofToken(hash);
    this.#room = new Room({ ...room, state: replica.state, sessionOfToken }, this.#members.roster);
  }

  get isIdle(): boolean {
    return this.#queue.size === 0 && this.#own.length === 0 && this.#lost.length === 0;
  }

  take(message: InputMessage): void {
    if (!this.#members.isGone(message.node)) this.#queue.take(message);
  }

  /** Ends the hold of a session whose time is over. */
  expire(session: SessionId): void {
    const hold = this.#members.roster.get(session)?.hold;
    if (hold !== undefined) this.#own.push({ session, input: { type: "HOLD_EXPIRED", hold } });
  }

  /** Loses a node that is gone, with its sessions. */
  lose(node: string): void {
    this.#lost.push(node);
    for (const { id, origin } of this.#members.sessions.values()) {
      if (origin?.node === node) this.#own.push({ session: id, input: { type: "LOST" } });
    }
  }

  /** Decides the waiting inputs. Call `settle` when the log has the record, before the next turn. */
  decide(now: Moment): ClusterRecord {
    this.#room.beginBatch(0);
    const decided: Decided[] = [];
    for (const { session, input } of this.#own.splice(0)) {
      const known = this.#members.sessions.get(session);
      if (known !== undefined) decided.push(this.#decideOwn(known, input, now));
    }
    const lost = this.#lost.splice(0);
    for (const node of lost) this.#members.lose(node);
    const through = new Map<string, number>();
    let room = TURN_INPUTS_MAX - decided.length;
    for (const placed of this.#queue.batch(() => room-- > 0)) {
      // What a lost node has sent is not decided any more.
      if (this.#members.isGone(placed.node)) continue;
      through.set(placed.node, placed.number);
      decided.push(this.#decide(placed, now));
    }
    this.#decisions = decided.map(({ decision }) => decision);
    return {
      kind: "turn",
      epoch: this.epoch,
      previous: this.#replica.hash,
      atMs: now.nowMs,
      position: this.#replica.state.position,
      through: [...through],
      lost,
      // An input without effect and without an answer only counts.
      decided: decided.filter(({ decision, isLast }) => decision.kind !== "nothing" || isLast),
    };
  }

  /** The log has the record of the last turn, and the replica has applied it. */
  settle(): void {
    this.#room.settle(this.#decisions);
    this.#decisions = [];
  }

  #decide({ node, session, number, input, opening }: PlacedInput, now: Moment): Decided {
    const origin = { node, session };
    const isLast = input.type === "LOST";
    if (this.#members.isEnded(origin)) {
      return this.#followed({ ...origin, input: number, isLast, opening: undefined, decision: NOTHING });
    }
    const known = this.#members.at(origin);
    const sender = opening ?? known ?? NO_SENDER;
    // A connection without a session cannot do anything but connect: no session has its id yet.
    const decision = this.#room.decide(known?.id ?? opening?.id ?? `${node} ${session}`, input, sender, now);
    return this.#followed({ ...origin, input: number, isLast, opening: usedBy(decision, opening), decision });
  }

  #decideOwn({ id, isExtended, remoteAddress }: ClusterSession, input: PlacedInput["input"], now: Moment) {
    const decision = this.#room.decide(id, input, { isExtended, remoteAddress }, now);
    return this.#followed({
      ...{ node: NO_NODE, session: 0, input: 0, isLast: false, opening: undefined, decision },
    });
  }

  #followed(decided: Decided): Decided {
    this.#members.decided(decided);
    return decided;
  }
}

const NOTHING: Decision = { kind: "nothing" };
const NO_SENDER = { isExtended: false, remoteAddress: "" };

/** What the log needs of an opening: nothing, if it was refused. */
function usedBy({ kind }: Decision, opening: Opening | undefined): Opening | undefined {
  return kind === "joined" || kind === "resumed" ? opening : undefined;
}

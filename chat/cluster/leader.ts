/**
 * The leader's decider: a room on a copy of the replica's members, and the queue of all nodes' inputs. It makes one
 * record a turn. A leader that is deposed is thrown away, with whatever it decided and the log does not have. Pure.
 *
 * @module
 */
import { fault } from "../../src/protocol/faults.ts";
import { type Decision, ifNotStored, type Moment } from "../room/decision.ts";
import { broadcastsOf } from "../room/effects.ts";
import { Room, type RoomOptions } from "../room/room.ts";
import type { SessionId } from "../room/roster.ts";
import { type InputMessage, InputQueue, type PlacedInput } from "./inputs.ts";
import type { ClusterSession, Decided, Membership, Opening } from "./membership.ts";
import type { TurnRecord } from "./record.ts";
import type { Replica } from "./replica.ts";

/** The node of inputs that the leader makes itself: ends of holds, and sessions of a lost node. */
export const NO_NODE = "";

/** Inputs of one record, some 250 bytes each beside their text. */
export const TURN_INPUTS_MAX = 1000;
/** UTF-16 units of the texts of one record: at most six bytes each in JSON, of the 1 MiB that NATS takes. */
export const TURN_UNITS_MAX = 130_000;

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
  #turn: TurnRecord | undefined;

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
  decide(now: Moment): TurnRecord {
    this.#room.beginBatch(0);
    const decided: Decided[] = [];
    for (const { session, input } of this.#own.splice(0, TURN_INPUTS_MAX)) {
      const known = this.#members.sessions.get(session);
      if (known !== undefined) decided.push(this.#decideOwn(known, input, now));
    }
    // A node is lost once all of its sessions are.
    const lost = this.#own.length === 0 ? this.#lost.splice(0) : [];
    for (const node of lost) this.#members.lose(node);
    const through = new Map<string, number>();
    for (const placed of this.#queue.batch(fittingInputs(TURN_INPUTS_MAX - decided.length))) {
      // What a lost node has sent is not decided any more.
      if (this.#members.isGone(placed.node)) continue;
      through.set(placed.node, placed.number);
      decided.push(this.#decide(placed, now));
    }
    return this.#turn = {
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

  /** The replica has applied this record of the leader: the outcome of its last turn, with or without messages. */
  settle({ decided }: TurnRecord): void {
    this.#room.settle(decided.map(({ decision }) => decision));
    for (const { decision, opening } of decided) {
      if (decision.kind === "joined") this.#members.beganAt(opening!.id, decision.position);
    }
    this.#turn = undefined;
  }

  /** The last turn for a log that refuses to store its messages; undefined if it has none. */
  withoutMessages(): TurnRecord | undefined {
    const turn = this.#turn;
    if (turn === undefined || !turn.decided.some(({ decision }) => decision.kind === "stored")) {
      return undefined;
    }
    let { position } = turn;
    const decided = turn.decided.map((entry) => {
      let decision = ifNotStored(entry.decision, fault("STORE_FAILED"));
      if (decision.kind === "joined") {
        decision = { ...decision, position: position + (decision.displaced === undefined ? 0 : 1) };
      }
      position += broadcastsOf(decision);
      return { ...entry, decision };
    });
    return this.#turn = { ...turn, decided };
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

/** Accepts inputs while they fit one record. The first always fits. */
function fittingInputs(inputsMax: number): (input: PlacedInput) => boolean {
  let inputs = 0;
  let units = 0;
  return ({ input }) => {
    units += "text" in input ? input.text.length : 0;
    return ++inputs <= inputsMax && (inputs === 1 || units <= TURN_UNITS_MAX);
  };
}

const NOTHING: Decision = { kind: "nothing" };
const NO_SENDER = { isExtended: false, remoteAddress: "" };

/** What the log needs of an opening: nothing, if it was refused. */
function usedBy({ kind }: Decision, opening: Opening | undefined): Opening | undefined {
  return kind === "joined" || kind === "resumed" ? opening : undefined;
}

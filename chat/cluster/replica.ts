/**
 * The room as a node knows it from the log: it applies records in their order, checks that each continues the one
 * before, and returns the frames that the node's own clients get. It decides nothing. Pure.
 *
 * @module
 */
import type { EffectFrames, RoomState } from "../room/room_state.ts";
import { type Decided, Membership } from "./membership.ts";
import {
  type ClusterRecord,
  decodeRecord,
  FIRST_HASH,
  hashOf,
  type LeadRecord,
  type TurnRecord,
} from "./record.ts";

/** The log and this node disagree about its past: the log has lost records, or is another one. */
export class LogForked extends Error {}

export interface Outcome {
  readonly decided: Decided;
  readonly frames: EffectFrames;
}

export interface AppliedRecord {
  readonly record: ClusterRecord;
  readonly outcomes: readonly Outcome[];
}

export interface ReplicaOptions {
  readonly state: RoomState;
  /** The token of a connection of this node, which the log has as a hash. */
  readonly tokenOf: (decided: Decided) => string | undefined;
}

export class Replica {
  readonly membership = new Membership();
  readonly state: RoomState;
  readonly #tokenOf: ReplicaOptions["tokenOf"];
  readonly #through = new Map<string, number>();
  #applied = 0;
  #hash = FIRST_HASH;
  #epoch = 0;
  #leader: string | undefined;
  #newestUuid: string | undefined;

  constructor({ state, tokenOf }: ReplicaOptions) {
    this.state = state;
    this.#tokenOf = tokenOf;
  }

  /** The number of the newest applied record; 0 before the first. */
  get applied(): number {
    return this.#applied;
  }

  get hash(): string {
    return this.#hash;
  }

  get epoch(): number {
    return this.#epoch;
  }

  /** The node that leads as of the newest applied record. */
  get leader(): string | undefined {
    return this.#leader;
  }

  /** The last decided input of each node. */
  get through(): ReadonlyMap<string, number> {
    return this.#through;
  }

  /** The greatest id of a message; ids of later messages are greater. */
  get newestUuid(): string | undefined {
    return this.#newestUuid;
  }

  /** Applies record `number`, which must be the next. Throws LogForked if it does not continue the log. */
  apply(number: number, bytes: Uint8Array): AppliedRecord {
    const record = decodeRecord(bytes);
    if (number !== this.#applied + 1) throw new Error(`Record ${number} does not follow ${this.#applied}`);
    if (record.previous !== this.#hash) {
      throw new LogForked(`Record ${number} does not continue the log that this node has applied`);
    }
    const outcomes = record.kind === "lead" ? this.#lead(record) : this.#turn(record);
    this.#applied = number;
    this.#hash = hashOf(bytes);
    return { record, outcomes };
  }

  #lead({ epoch, by }: LeadRecord): readonly Outcome[] {
    if (epoch !== this.#epoch + 1) throw new LogForked(`Epoch ${epoch} follows ${this.#epoch}`);
    this.#epoch = epoch;
    this.#leader = by;
    return [];
  }

  #turn({ epoch, position, through, decided, lost }: TurnRecord): readonly Outcome[] {
    if (epoch !== this.#epoch) throw new LogForked(`A turn of epoch ${epoch} in epoch ${this.#epoch}`);
    if (position !== this.state.position) {
      throw new LogForked(
        `A turn begins at position ${position}, and this node is at ${this.state.position}`,
      );
    }
    for (const [node, number] of through) this.#through.set(node, number);
    this.state.settle(decided.map(({ decision }) => decision));
    const outcomes = decided.map((entry) => this.#follow(entry));
    for (const node of lost) {
      this.membership.lose(node);
      this.#through.delete(node);
    }
    return outcomes;
  }

  #follow(decided: Decided): Outcome {
    const { decision } = decided;
    if (decision.kind === "stored" && decision.entry.kind === "said") {
      this.#newestUuid = decision.entry.message.uuid;
    }
    const begins = decision.kind === "joined" || decision.kind === "resumed";
    const frames = this.state.follow(decision, [], begins ? this.#tokenOf(decided) : undefined);
    this.membership.follow(decided);
    return { decided, frames };
  }
}

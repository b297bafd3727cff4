/**
 * The room as a node knows it from the log: it applies records in their order, checks that each continues the one
 * before, and passes on what follows for the node's own clients. It decides nothing. Pure.
 *
 * @module
 */
import type { EffectFrames, RoomState } from "../room/room_state.ts";
import { Bans } from "../room/bans.ts";
import { followRuling } from "./command.ts";
import { type Decided, Membership, type Origin, type SavedMembership } from "./membership.ts";
import {
  type ClusterRecord,
  FIRST_HASH,
  type ForeignRecord,
  type Founded,
  hashOf,
  isRecord,
  type LeadRecord,
  type RecordCodec,
  RECORDS,
  type TurnRecord,
} from "./record.ts";

/** The log and this node disagree about its past: the log has lost records, or is another one. */
export class LogForked extends Error {}

/** A decision of the log, and what follows from it. */
export interface Outcome {
  readonly decided: Decided;
  readonly frames: EffectFrames;
  /** The connection of the session that the decision is about, as of before it. */
  readonly connection: Origin | undefined;
  /** A session has resumed on this node, which does not hold what the session has missed: the leader does. */
  readonly lacksMissed: boolean;
}

/** The clients of this node, and its store. It is called as records are applied, in the order of the log. */
export interface ReplicaListener {
  /** The token of a connection of this node, which the log has as a hash. */
  tokenOf(decided: Decided): string | undefined;
  /** The replica is as of this outcome, and of none after it. */
  outcome(outcome: Outcome): void;
  /** The end of a record. */
  applied(number: number, record: ClusterRecord | ForeignRecord): void;
}

export interface ReplicaOptions {
  readonly state: RoomState;
  readonly listener: ReplicaListener;
  /** Bans as they are stored: at the checkpoint, or later. */
  readonly bans?: Bans;
  /** Undefined for a replica that begins with the log. */
  readonly checkpoint?: Checkpoint | undefined;
  /** The greatest id of a stored message, for a replica that begins with the log. */
  readonly newestUuid?: string | undefined;
  /** By default that of this program. */
  readonly codec?: RecordCodec | undefined;
}

/** The format of checkpoints that this program writes, and the only one that it reads. */
const CHECKPOINT_FORMAT = 1;

/** A checkpoint from its JSON. Throws if it is of a format that this program does not read. */
export function checkpointFrom(json: string): Checkpoint {
  const checkpoint: Checkpoint = JSON.parse(json);
  if (checkpoint.format === CHECKPOINT_FORMAT) return checkpoint;
  throw new Error(
    `The room as a node saved it has format ${checkpoint.format}, and this program reads ${CHECKPOINT_FORMAT}`,
  );
}

/** All that a replica has beside messages, bans and broadcasts, as plain values. */
export interface Checkpoint {
  readonly format: typeof CHECKPOINT_FORMAT;
  readonly applied: number;
  readonly hash: string;
  readonly atMs: number;
  readonly epoch: number;
  readonly leader: string | undefined;
  readonly position: number;
  readonly newestUuid: string | undefined;
  readonly founded: Founded | undefined;
  readonly through: readonly (readonly [node: string, number])[];
  readonly kept: readonly (readonly [key: string, value: string])[];
  readonly members: SavedMembership;
}

export class Replica {
  readonly membership: Membership;
  readonly state: RoomState;
  readonly bans: Bans;
  /** Values of the whole room, such as listings' keys. */
  readonly kept: Map<string, string>;
  readonly codec: RecordCodec;
  readonly #listener: ReplicaListener;
  readonly #through: Map<string, number>;
  #applied: number;
  #hash: string;
  #atMs: number;
  #epoch: number;
  #leader: string | undefined;
  #newestUuid: string | undefined;
  #founded: Founded | undefined;
  #foreign = 0;

  constructor(
    { state, listener, bans = new Bans([]), checkpoint, newestUuid, codec = RECORDS }: ReplicaOptions,
  ) {
    this.codec = codec;
    this.state = state;
    this.bans = bans;
    this.#listener = listener;
    this.membership = checkpoint === undefined ? new Membership() : Membership.from(checkpoint.members);
    this.kept = new Map(checkpoint?.kept);
    this.#through = new Map(checkpoint?.through);
    this.#applied = checkpoint?.applied ?? 0;
    this.#hash = checkpoint?.hash ?? FIRST_HASH;
    this.#atMs = checkpoint?.atMs ?? 0;
    this.#epoch = checkpoint?.epoch ?? 0;
    this.#leader = checkpoint?.leader;
    this.#newestUuid = checkpoint === undefined ? newestUuid : checkpoint.newestUuid;
    this.#founded = checkpoint?.founded;
  }

  checkpoint(): Checkpoint {
    return {
      format: CHECKPOINT_FORMAT,
      applied: this.#applied,
      hash: this.#hash,
      atMs: this.#atMs,
      epoch: this.#epoch,
      leader: this.#leader,
      position: this.state.position,
      newestUuid: this.#newestUuid,
      founded: this.#founded,
      through: [...this.#through],
      kept: [...this.kept],
      members: this.membership.save(),
    };
  }

  /** The number of the newest applied record; 0 before the first. */
  get applied(): number {
    return this.#applied;
  }

  get hash(): string {
    return this.#hash;
  }

  /** The time of the newest record by the clock of its leader. */
  get atMs(): number {
    return this.#atMs;
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

  get founded(): Founded | undefined {
    return this.#founded;
  }

  /** Records of other programs that it has skipped since it began. */
  get foreign(): number {
    return this.#foreign;
  }

  /** Connected sessions; held sessions are not counted. */
  get connectedUsers(): number {
    const { size, held } = this.membership.roster;
    return size - held.size;
  }

  /** Applies record `number`, which must be the next. Throws LogForked if it does not continue the log. */
  apply(number: number, bytes: Uint8Array): ClusterRecord | ForeignRecord {
    if (number !== this.#applied + 1) throw new Error(`Record ${number} does not follow ${this.#applied}`);
    if (!isRecord(bytes)) return this.#skip(number, bytes);
    const record = this.codec.decode(bytes);
    if (record.previous !== this.#hash) {
      throw new LogForked(`Record ${number} does not continue the log that this node has applied`);
    }
    if (record.kind === "lead") this.#lead(record);
    else if (record.kind === "turn") this.#turn(record);
    else this.#founded = record.founded;
    this.#applied = number;
    this.#hash = hashOf(bytes);
    this.#atMs = record.atMs;
    this.#listener.applied(number, record);
    return record;
  }

  #skip(number: number, bytes: Uint8Array): ForeignRecord {
    const record = { kind: "foreign", bytes: bytes.length } as const;
    this.#foreign++;
    this.#applied = number;
    this.#listener.applied(number, record);
    return record;
  }

  #lead({ epoch, by }: LeadRecord): void {
    if (epoch !== this.#epoch + 1) throw new LogForked(`Epoch ${epoch} follows ${this.#epoch}`);
    this.#epoch = epoch;
    this.#leader = by;
  }

  #turn({ epoch, position, through, decided, lost }: TurnRecord): void {
    if (epoch !== this.#epoch) throw new LogForked(`A turn of epoch ${epoch} in epoch ${this.#epoch}`);
    if (position !== this.state.position) {
      throw new LogForked(
        `A turn begins at position ${position}, and this node is at ${this.state.position}`,
      );
    }
    for (const [node, number] of through) this.#through.set(node, number);
    this.state.settle(decided.map(({ decision }) => decision));
    for (const entry of decided) this.#follow(entry);
    for (const node of lost) {
      this.membership.lose(node);
      this.#through.delete(node);
    }
  }

  #follow(decided: Decided): void {
    const { decision, ruling } = decided;
    if (decision.kind === "stored" && decision.entry.kind === "said") {
      this.#newestUuid = decision.entry.message.uuid;
    }
    if (ruling !== undefined) {
      followRuling(this.bans, ruling);
      for (const [key, value] of ruling.kept) this.kept.set(key, value);
    }
    const begins = decision.kind === "joined" || decision.kind === "resumed";
    const token = begins ? this.#listener.tokenOf(decided) : undefined;
    const lacksMissed = decision.kind === "resumed" && token !== undefined &&
      !this.state.holdsAfter(decision.position);
    const frames = this.state.follow(decision, [], token, token !== undefined && !lacksMissed);
    const connection = this.membership.connectionOf(decision);
    this.membership.follow(decided);
    this.#listener.outcome({ decided, frames, connection, lacksMissed });
  }
}

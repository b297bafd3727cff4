/**
 * The leader's decider: a room on a copy of the replica's members, and the queue of all nodes' inputs. It makes one
 * record a turn. A leader that is deposed is thrown away, with whatever it decided and the log does not have. Pure.
 *
 * @module
 */
import { fault } from "../../src/protocol/faults.ts";
import { TURN_SHARED_REPLAYS_MAX } from "../order/batch.ts";
import { type Decision, ifNotStored, type Input, type Moment } from "../room/decision.ts";
import { broadcastsOf } from "../room/effects.ts";
import { Room, type RoomOptions } from "../room/room.ts";
import type { SessionId } from "../room/roster.ts";
import { messageIds } from "../room/message_id.ts";
import { Bans } from "../room/bans.ts";
import type { StoredMessage } from "../room/message.ts";
import { followRuling, isCommand, type OperatorCommand } from "./command.ts";
import { type InputMessage, InputQueue, type PlacedInput } from "./inputs.ts";
import { ruleOn } from "./rulings.ts";
import type { Decided, Membership, Opening } from "./membership.ts";
import { bytesOfDecided, type TurnRecord } from "./record.ts";
import type { Replica } from "./replica.ts";

/** The node of inputs that the leader makes itself: ends of holds, and sessions of a lost node. */
export const NO_NODE = "";

/** Inputs of one record, some 250 bytes each beside their text. */
const TURN_INPUTS_MAX = 1000;
/** UTF-16 units of the texts of one record: at most six bytes each in JSON, of the 1 MiB that NATS takes. */
export const TURN_UNITS_MAX = 130_000;
/** Bytes of a record after which it takes no further entry, of 100 kB at most: texts of refusals and names count too. */
const TURN_BYTES_MAX = 900_000;
/** Bytes of a record that takes a command: its outcome may name every session, and every ban that is over. */
const COMMAND_BYTES_MAX = 200_000;

/** Sessions that a command ends in its own record; the others end in the records after it. */
const TURN_ENDINGS_MAX = 200;
/** What a command counts of TURN_UNITS_MAX: a ban's message for each of these sessions. */
const COMMAND_UNITS = 60_000;

/** What a leader gives its room. */
export type LeaderParts = Pick<
  RoomOptions,
  "state" | "bans" | "mintId" | "sessionOfToken" | "isOfKicked"
>;

/** The options of a leader's room: its limits and names may change while it leads. */
export type LeaderRoom = (parts: LeaderParts) => RoomOptions;

/** The context of a turn. `found` has messages that `gather` asked for; undefined if they could not be read. */
export type TurnMoment = Omit<Moment, "found"> & {
  readonly found: ReadonlyMap<string, StoredMessage> | undefined;
};

export interface LeaderOptions {
  readonly replica: Replica;
  readonly room: LeaderRoom;
  readonly random32: () => number;
  /** A decision met a bug: its sender gets INTERNAL. */
  readonly onBug: (error: unknown, input: string) => void;
}

/** An input that the leader makes for a session. */
interface OwnInput {
  readonly session: SessionId;
  readonly input: Input;
}

export class Leader {
  readonly epoch: number;
  readonly #options: LeaderOptions;
  readonly #replica: Replica;
  readonly #members: Membership;
  readonly #room: Room;
  readonly #queue: InputQueue;
  readonly #bans: Bans;
  /** The time that the room decides at: ids are made of it. */
  #nowMs = 0;
  /** The inputs of the next turn, while messages that they change are read. */
  #gathered: readonly PlacedInput[] = [];
  #own: OwnInput[] = [];
  #lost: string[] = [];
  #turn: TurnRecord | undefined;
  #hasMetBug = false;
  /** Bytes of the entries of the turn that is being decided. */
  #bytes = 0;

  /** Call when the replica has applied the record that makes this node the leader. */
  constructor(options: LeaderOptions) {
    const { replica, room, random32 } = this.#options = options;
    this.epoch = replica.epoch;
    this.#replica = replica;
    this.#members = replica.membership.copy();
    this.#queue = new InputQueue(replica.through);
    this.#bans = replica.bans.copy();
    const parts: LeaderParts = {
      state: replica.state,
      bans: this.#bans,
      // Each leader continues above the ids that the log has.
      mintId: messageIds({ nowMs: () => this.#nowMs, random32 }, replica.newestUuid),
      sessionOfToken: (hash) => this.#members.ofToken(hash),
      isOfKicked: (hash) => this.#members.isOfKicked(hash),
    };
    this.#room = new Room(room(parts), this.#members.roster);
  }

  /** Itself, or after a bug one whose room is as the log says. Inputs that wait are sent again. */
  sound(): Leader {
    if (!this.#hasMetBug) return this;
    const next = new Leader(this.#options);
    next.#own = this.#own;
    next.#lost = this.#lost;
    return next;
  }

  get isIdle(): boolean {
    return this.#queue.size === 0 && this.#own.length === 0 && this.#lost.length === 0 &&
      this.#gathered.length === 0;
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

  /** Takes the inputs of the next turn. Returns ids of messages that they change and memory does not hold. */
  gather(): readonly string[] {
    if (this.#gathered.length === 0) {
      const inputsMax = TURN_INPUTS_MAX - Math.min(this.#own.length, TURN_INPUTS_MAX);
      this.#gathered = this.#queue.batch(this.#fitting(inputsMax));
    }
    return this.#gathered.flatMap(({ input }) => {
      const uuid = changedBy(input);
      return uuid === undefined || this.#replica.state.find(uuid) !== undefined ? [] : [uuid];
    });
  }

  /** Accepts inputs while they fit one record, and a node can send what follows from it at once. The first always fits. */
  #fitting(inputsMax: number): (input: PlacedInput) => boolean {
    const { state } = this.#replica;
    const away = this.#members.roster.held.size;
    let inputs = 0;
    let units = 0;
    let replays = 0;
    return ({ input }) => {
      units += isCommand(input) ? COMMAND_UNITS : "text" in input ? input.text.length : 0;
      if (input.type === "RESUME" && this.#members.ofToken(input.token) !== undefined) {
        replays += state.missedAfter(input.position) + away;
      }
      return ++inputs <= inputsMax &&
        (inputs === 1 || units <= TURN_UNITS_MAX && replays <= TURN_SHARED_REPLAYS_MAX);
    };
  }

  /** Decides the gathered inputs. Call `settle` when the log has the record, before the next turn. */
  decide({ found, ...now }: TurnMoment): TurnRecord {
    const moment: Moment = { ...now, found: found ?? NOTHING_FOUND };
    this.#nowMs = now.nowMs;
    this.#room.beginBatch(0);
    this.#bytes = 0;
    const decided: Decided[] = [];
    const own = this.#takeOwn();
    // After a bug the room may be wrong: what follows is decided by another, in another turn.
    while (own.length > 0 && this.#takesMore) this.#decideOwn(own.shift()!, moment, decided);
    this.#own.unshift(...own);
    // A node is lost once all of its sessions are.
    const lost = this.#own.length === 0 ? this.#lost.splice(0) : [];
    for (const node of lost) this.#members.lose(node);
    const through = new Map<string, number>();
    let count = 0;
    for (; count < this.#gathered.length && this.#takesMore; count++) {
      const placed = this.#gathered[count]!;
      const { node, number, input } = placed;
      // What a lost node has sent is not decided any more.
      if (this.#members.isGone(node) || this.#lost.includes(node)) continue;
      if (isCommand(input)) {
        if (this.#bytes > COMMAND_BYTES_MAX) break;
        this.#rule(placed, input, moment, decided);
      } else if (found === undefined && changedBy(input) !== undefined) decided.push(this.#unread(placed));
      else decided.push(this.#decide(placed, input, moment));
      through.set(node, number);
    }
    this.#gathered = this.#hasMetBug ? [] : this.#gathered.slice(count);
    return this.#turn = {
      kind: "turn",
      epoch: this.epoch,
      previous: this.#replica.hash,
      atMs: now.nowMs,
      position: this.#replica.state.position,
      through: [...through],
      lost,
      // An input without effect and without an answer only counts.
      decided: decided.filter(({ decision, isLast, ruling }) =>
        decision.kind !== "nothing" || isLast || ruling !== undefined
      ),
    };
  }

  /** The replica has applied this record of the leader: the outcome of its last turn, with or without messages. */
  settle({ decided }: TurnRecord): void {
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

  #decide(placed: PlacedInput, input: Input, now: Moment): Decided {
    const { node, session, number, opening } = placed;
    const origin = { node, session };
    const place = { ...origin, input: number, isLast: input.type === "LOST", ruling: undefined };
    if (this.#members.isEnded(origin) || this.#isOvertaken(placed)) {
      return this.#followed({ ...place, opening: undefined, decision: NOTHING });
    }
    const known = this.#members.at(origin);
    const sender = opening ?? known ?? NO_SENDER;
    // A connection without a session cannot do anything but connect: no session has its id yet.
    const id = known?.id ?? opening?.id ?? `${node} ${session}`;
    const decision = this.#fenced(id, input, () => this.#room.decide(id, input, sender, now));
    return this.#followed({ ...place, opening: usedBy(decision, opening), decision });
  }

  /**
   * Whether the session has resumed elsewhere since this RESUME came to its node, which may have been cut off: its client
   * has left that connection, or tries again.
   */
  #isOvertaken({ input, newestToken }: PlacedInput): boolean {
    if (input.type !== "RESUME" || newestToken === undefined) return false;
    const newest = this.#members.ofToken(input.token)?.tokens[0];
    return newest !== undefined && newest !== input.token && newest !== newestToken;
  }

  /** An input whose message could not be read. */
  #unread({ node, session, number: input }: PlacedInput): Decided {
    const place = { node, session, input, isLast: false, opening: undefined, ruling: undefined };
    return { ...place, decision: { kind: "refused", fault: fault("STORE_FAILED") } };
  }

  #decideOwn({ session, input }: OwnInput, now: Moment, decided: Decided[]): void {
    const known = this.#members.sessions.get(session);
    if (known === undefined) return;
    const decision = this.#fenced(session, input, () => this.#room.decide(session, input, known, now));
    decided.push(this.#followed({
      ...{ node: NO_NODE, session: 0, input: 0, isLast: false, opening: undefined, ruling: undefined },
      decision,
    }));
  }

  /** The sessions that a command ends do so in its place. */
  #rule(
    { node, session, number }: PlacedInput,
    command: OperatorCommand,
    now: Moment,
    decided: Decided[],
  ): void {
    const place = { node, session, input: number, isLast: false, opening: undefined };
    const { ruling, endings } = this.#ruled(command, now);
    if (ruling === undefined) {
      decided.push({ ...place, ruling, decision: { kind: "refused", fault: fault("INTERNAL") } });
      return;
    }
    decided.push(this.#sized({ ...place, ruling, decision: NOTHING }));
    let count = 0;
    for (; count < Math.min(endings.length, TURN_ENDINGS_MAX) && this.#takesMore; count++) {
      this.#decideOwn(endings[count]!, now, decided);
    }
    for (const ending of endings.slice(count)) this.#own.push(ending);
  }

  /** The fence of a command: without a ruling it is answered INTERNAL. */
  #ruled(
    command: OperatorCommand,
    { nowMs }: Moment,
  ): Partial<ReturnType<typeof ruleOn>> & { endings: OwnInput[] } {
    try {
      const { ruling, endings } = ruleOn(command, { members: this.#members, bans: this.#bans, nowMs });
      followRuling(this.#bans, ruling);
      return { ruling, endings: [...endings] };
    } catch (error) {
      this.#hasMetBug = true;
      this.#options.onBug(error, command.type);
      return { endings: [] };
    }
  }

  /** Whether the turn may decide another input. */
  get #takesMore(): boolean {
    return !this.#hasMetBug && this.#bytes <= TURN_BYTES_MAX;
  }

  #takeOwn(): OwnInput[] {
    let units = 0;
    const end = this.#own.findIndex(({ input }) =>
      (units += "message" in input ? input.message.length : 0) > TURN_UNITS_MAX / 2
    );
    return this.#own.splice(0, Math.min(end < 0 ? TURN_INPUTS_MAX : end, TURN_INPUTS_MAX));
  }

  /** The fence of a decision: its sender gets INTERNAL, and a session that was lost leaves. */
  #fenced(session: SessionId, input: Input, decide: () => Decision): Decision {
    try {
      return decide();
    } catch (error) {
      this.#hasMetBug = true;
      this.#options.onBug(error, input.type);
      const username = this.#replica.membership.roster.get(session)?.username.shown;
      if (input.type !== "LOST") return { kind: "refused", fault: fault("INTERNAL") };
      if (username === undefined) return NOTHING;
      return { kind: "left", session, departure: "lost_connection", username, message: undefined };
    }
  }

  #followed(decided: Decided): Decided {
    this.#members.decided(decided);
    return this.#sized(decided);
  }

  #sized(decided: Decided): Decided {
    this.#bytes += bytesOfDecided(decided);
    return decided;
  }
}

/** The message that an input changes. */
function changedBy(input: PlacedInput["input"]): string | undefined {
  return input.type === "QUERY" && (input.query === "update_message" || input.query === "delete_message")
    ? input.uuid
    : undefined;
}

const NOTHING_FOUND = new Map<string, StoredMessage>();
const NOTHING: Decision = { kind: "nothing" };
const NO_SENDER = { isExtended: false, remoteAddress: "" };

/** What the log needs of an opening: nothing, if it was refused. */
function usedBy({ kind }: Decision, opening: Opening | undefined): Opening | undefined {
  return kind === "joined" || kind === "resumed" ? opening : undefined;
}

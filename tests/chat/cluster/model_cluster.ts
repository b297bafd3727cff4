/**
 * A cluster in virtual time: nodes, a log and a wire with faults drawn from a seed, and clients that connect, write,
 * rename, leave, lose their node and resume at another. It checks the promises of cluster.md as it runs, and throws at
 * the first that is broken.
 *
 * @module
 */
import { assert, assertEquals, fail } from "@std/assert";
import { History } from "../../../chat/room/history.ts";
import type { JournalEntry, StoredMessage } from "../../../chat/room/message.ts";
import type { RoomSettings } from "../../../chat/room/room.ts";
import type { RoomState } from "../../../chat/room/room_state.ts";
import type { Input } from "../../../chat/room/decision.ts";
import { DEFAULT_LIMITS } from "../../../src/protocol/limits.ts";
import { parseUsername, type Username } from "../../../src/protocol/names.ts";
import type { Appended, LogEntry } from "../../../chat/cluster/log.ts";
import type { NumberedInput } from "../../../chat/cluster/inputs.ts";
import type { LeaderRoom } from "../../../chat/cluster/leader.ts";
import type { Member, MemberEffect } from "../../../chat/cluster/member.ts";
import { restoredState } from "../../../chat/cluster/node/recovery.ts";
import type { ClusterRecord, ForeignRecord } from "../../../chat/cluster/record.ts";
import type { Checkpoint, Outcome, Replica, ReplicaListener } from "../../../chat/cluster/replica.ts";
import { MemoryLog } from "./memory_log.ts";

/** The code under test; a mutated copy of it for the tests of the model itself. */
export interface ClusterCode {
  readonly Member: typeof Member;
  readonly Replica: typeof Replica;
  readonly READ_MAX: number;
}

const NAMES = ["ann", "bob", "cy", "dee", "eve"].map(usernameOf);
export const LIMITS = { takeoverMs: 2000, lostMs: 5000, resumeWindowMs: 20_000 };
/** Records before a checkpoint that a start reads: fewer than the real ones, so that the buffer is sometimes too short. */
const EARLIER_MAX = 40;
/** Milliseconds after the last fault in which everything submitted is answered. */
const HEALED_MS = 30_000;

/** Counts of what happened in a run, all 0. */
export function nothingSeen() {
  return {
    leaders: 0,
    acknowledged: 0,
    resumed: 0,
    crashes: 0,
    restored: 0,
    ordered: 0,
    handed: 0,
    strays: 0,
    overtaken: 0,
  };
}

export class ModelCluster {
  nowMs = 0;
  readonly log: MemoryLog;
  readonly nodes: ModelNode[] = [];
  readonly clients: ModelClient[] = [];
  readonly code: ClusterCode;
  /** False once the faults are over. */
  isFaulty = true;
  /** Counts of what happened, so that a test shows that the run had something in it. */
  readonly seen = nothingSeen();
  readonly #random: () => number;
  readonly #events: { atMs: number; run: () => void }[] = [];

  constructor(seed: number, code: ClusterCode, log = new MemoryLog()) {
    this.code = code;
    this.log = log;
    this.#random = mulberry32(seed);
  }

  /** Runs `ms` of faults and traffic on `size` nodes, then heals everything and checks the whole log. */
  run(size: number, ms: number): void {
    for (let n = 0; n < size; n++) this.nodes.push(new ModelNode(this, n));
    for (const node of this.nodes) node.start();
    for (let n = 0; n < 6; n++) this.clients.push(new ModelClient(this, n, n % 2 === 0));
    this.#advance(ms);
    this.isFaulty = false;
    for (const node of this.nodes) node.heal();
    this.#advance(HEALED_MS);
    this.#checkEnd();
  }

  /** Without another fault: milliseconds from the freeze of the node that leads until another leads. */
  pauseAfterFreeze(size: number): number {
    this.isFaulty = false;
    for (let n = 0; n < size; n++) this.nodes.push(new ModelNode(this, n));
    for (const node of this.nodes) node.start();
    this.#advance(2000 + this.random(1000));
    const leading = this.nodes.find(({ member }) => member.isLeader)!;
    const { length } = this.log.records;
    const frozenMs = this.nowMs;
    leading.freeze(HEALED_MS);
    while (this.log.records.length === length) this.#advance(10);
    return this.nowMs - frozenMs;
  }

  random(below: number): number {
    return Math.floor(this.#random() * below);
  }

  chance(share: number): boolean {
    return this.#random() < share;
  }

  fraction(): number {
    return this.#random();
  }

  at(delayMs: number, run: () => void): void {
    this.#events.push({ atMs: this.nowMs + delayMs, run });
  }

  /** A message of the wire: late, lost, doubled. */
  send(run: () => void): void {
    const copies = !this.isFaulty ? 1 : this.chance(0.1) ? 0 : this.chance(0.1) ? 2 : 1;
    for (let n = 0; n < copies; n++) this.at(1 + this.random(this.isFaulty ? 40 : 5), run);
  }

  #advance(ms: number): void {
    const end = this.nowMs + ms;
    while (this.nowMs < end) {
      this.nowMs += 10;
      const due = this.#events.filter(({ atMs }) => atMs <= this.nowMs).sort((a, b) => a.atMs - b.atMs);
      for (const event of due) this.#events.splice(this.#events.indexOf(event), 1);
      for (const { run } of due) run();
      if (this.isFaulty && this.chance(0.003)) this.#stray();
      for (const node of this.nodes) node.tick();
      for (const client of this.clients) client.act();
    }
  }

  /**
   * Another program publishes to the log: something else, or a record that is cut. Its head is cut too: at a record with
   * a whole head a node stops, because a newer one may have written it.
   */
  #stray(): void {
    this.seen.strays++;
    const record = this.log.records.at(-1) ?? new Uint8Array();
    const bytes = [
      new Uint8Array(),
      new TextEncoder().encode("hello"),
      record.subarray(0, 20),
      record.subarray(1),
    ];
    this.nodes[0]!.notify(this.log.stray(bytes[this.random(bytes.length)]!));
  }

  #checkEnd(): void {
    const { length } = this.log.records;
    for (const node of this.nodes) {
      assertEquals(node.replica.applied, length, `node ${node.number} has the whole log`);
      assertEquals(node.member.unconfirmed, 0, `node ${node.number} has no input without a decision`);
    }
    assertEquals(this.nodes.filter(({ member }) => member.isLeader).length, 1, "one node leads");
    const [first, ...others] = this.nodes;
    for (const node of this.nodes) node.write();
    for (const other of others) {
      assertEquals(plain(other.replica.checkpoint()), plain(first!.replica.checkpoint()), "one state");
      assertEquals(plain(other.stored), plain(first!.stored), "the same messages are stored");
    }
    for (const node of this.nodes) node.checkOrders();
    this.#checkLog();
    for (const { id, origin } of this.nodes[0]!.replica.membership.sessions.values()) {
      if (origin === undefined) continue;
      const node = this.nodes.find(({ incarnation }) => incarnation === origin.node);
      assert(node?.serves(origin.session, id), `session ${id} has its connection`);
    }
    for (const client of this.clients) client.checkEnd();
  }

  /** One leader an epoch; each input and each nonce once; no name twice; nothing acknowledged is missing. */
  #checkLog(): void {
    const replica = new this.code.Replica({ state: makeState(), listener: NO_LISTENER });
    const epochs = new Set<number>();
    const inputs = new Set<string>();
    const nonces = new Set<string>();
    const uuids: string[] = [];
    for (const [n, bytes] of this.log.records.entries()) {
      const record = replica.apply(n + 1, bytes);
      if (record.kind === "lead") {
        assert(!epochs.has(record.epoch), "an epoch has one leader");
        epochs.add(record.epoch);
      }
      if (record.kind !== "turn") continue;
      for (const { node, input, decision } of record.decided) {
        if (input > 0) once(inputs, `${node} ${input}`);
        if (decision.kind !== "stored" || decision.entry.kind !== "said") continue;
        const { uuid, author, nonce } = decision.entry.message;
        if (nonce !== undefined) once(nonces, `${author} ${nonce}`);
        assert(uuid > (uuids.at(-1) ?? ""), "ids increase");
        uuids.push(uuid);
      }
      const { roster } = replica.membership;
      const names = Array.from(roster.occupants.values(), ({ username }) => username.folded);
      assertEquals(new Set(names).size, names.length, "a name is given once");
    }
    this.seen.leaders = epochs.size;
    const there = new Set(uuids);
    for (const { acknowledged } of this.clients) {
      for (const uuid of acknowledged) assert(there.has(uuid), "what is acknowledged is in the log");
      this.seen.acknowledged += acknowledged.length;
    }
  }
}

export class ModelNode {
  readonly number: number;
  readonly #cluster: ModelCluster;
  readonly #connections = new Map<number, ModelConnection>();
  #run = 0;
  #isUp = true;
  #frozenUntilMs = 0;
  #frozen: (() => void)[] = [];
  #sessions = 0;
  /** What survives a crash: a checkpoint, and messages as of then or later. */
  #saved: { checkpoint: Checkpoint; applied: number } | undefined;
  stored: readonly StoredMessage[] = [];
  #unwritten: { number: number; entries: readonly JournalEntry[] }[] = [];
  #written = 0;
  /** Outcomes of this node's commands, by their numbers. */
  readonly #orders = new Map<string, number>();
  #inputs = 0;
  /** Connections whose RESUME has no outcome, by its number. */
  readonly #resumes = new Map<number, number>();
  replica!: Replica;
  member!: Member;

  constructor(cluster: ModelCluster, number: number) {
    this.#cluster = cluster;
    this.number = number;
  }

  get isUp(): boolean {
    return this.#isUp;
  }

  get incarnation(): string {
    return `${this.number}.${this.#run}`;
  }

  start(): void {
    const cluster = this.#cluster;
    this.#run++;
    this.#isUp = true;
    this.#sessions = 0;
    const checkpoint = this.#saved?.checkpoint;
    if (checkpoint !== undefined) cluster.seen.restored++;
    const from = Math.max(1, (checkpoint?.applied ?? 0) - EARLIER_MAX + 1);
    const earlier = cluster.log.read(from, (checkpoint?.applied ?? 0) - from + 1);
    this.#unwritten = [];
    this.replica = new cluster.code.Replica({
      state: makeState({ checkpoint, earlier, newest: this.stored }),
      listener: {
        tokenOf: ({ node, session }) =>
          node === this.incarnation ? this.#connections.get(session)?.token : undefined,
        outcome: (outcome) => this.#deliver(outcome),
        applied: (number, record) => this.#applied(number, record),
      },
      checkpoint,
    });
    this.#begin();
  }

  /** Goes on under another name: the replica stays. */
  #restart(): void {
    this.#run++;
    this.#sessions = 0;
    for (const connection of this.#connections.values()) connection.lost();
    this.#connections.clear();
    this.#begin();
  }

  #begin(): void {
    const cluster = this.#cluster;
    this.#inputs = 0;
    this.#resumes.clear();
    this.member = new cluster.code.Member({
      incarnation: this.incarnation,
      replica: this.replica,
      room: roomOf(),
      random32: () => cluster.random(2 ** 32),
      limits: LIMITS,
      historyFromMs: () => 0,
      onBug: () => fail("a bug"),
      wallMs: () => 1_800_000_000_000 + cluster.nowMs,
      random: () => cluster.fraction(),
    }, cluster.nowMs);
    this.do(this.member.start());
  }

  #applied(number: number, record: ClusterRecord | ForeignRecord): void {
    if (record.kind !== "turn") return;
    const entries = record.decided.flatMap(({ decision }) =>
      decision.kind === "stored" ? [decision.entry] : []
    );
    this.#unwritten.push({ number, entries });
    for (const [node, through] of record.through) if (node === this.incarnation) this.#endOvertaken(through);
  }

  /** A RESUME without an outcome: the session has resumed elsewhere meanwhile, and the connection is closed. */
  #endOvertaken(through: number): void {
    for (const [number, session] of this.#resumes) {
      if (number > through) continue;
      this.#resumes.delete(number);
      const connection = this.#connections.get(session);
      if (connection === undefined) continue;
      this.#cluster.seen.overtaken++;
      this.#end(session, connection, "overtaken");
    }
  }

  /** Writes messages behind the log, and sometimes a checkpoint. */
  write(count = this.#unwritten.length): void {
    const stored = [...this.stored];
    for (const { number, entries } of this.#unwritten.splice(0, count)) {
      if (number <= this.#written) continue;
      this.#written = number;
      for (const { kind, message } of entries) {
        if (kind === "said") stored.push(message);
        else stored.splice(stored.findIndex(({ uuid }) => uuid === message.uuid), 1, message);
      }
    }
    this.stored = stored;
  }

  #save(): void {
    this.write();
    const json = JSON.stringify(this.replica.checkpoint());
    this.#saved = { checkpoint: JSON.parse(json), applied: this.replica.applied };
  }

  /** A command of the node's operator. */
  order(name: Username): void {
    this.#cluster.seen.ordered++;
    const key = `${this.incarnation} ${++this.#inputs}`;
    this.#orders.set(key, 0);
    const type = this.#cluster.chance(0.5) ? "ORDER_KICK" : "ORDER_BAN";
    const input: NumberedInput["input"] = type === "ORDER_KICK" ? { type, name } : {
      ...{ type, id: `${key} ban`, name, address: undefined, withAddress: false, message: "no" },
      seconds: 3,
    };
    this.do(this.member.submit(this.#cluster.nowMs, [{ session: 0, input, opening: undefined }]));
  }

  checkOrders(): void {
    for (const [key, outcomes] of this.#orders) {
      const isOfThisRun = key.startsWith(`${this.incarnation} `);
      assert(isOfThisRun ? outcomes === 1 : outcomes <= 1, `command ${key} has one outcome`);
    }
  }

  /** Runs what the node does now, or when it is no longer frozen. Nothing runs on a node that has crashed since. */
  wake(run: () => void): void {
    const incarnation = this.incarnation;
    const later = () => {
      if (this.#isUp && this.incarnation === incarnation) run();
    };
    if (this.#cluster.nowMs < this.#frozenUntilMs) this.#frozen.push(later);
    else later();
  }

  tick(): void {
    const { nowMs } = this.#cluster;
    if (!this.#isUp || nowMs < this.#frozenUntilMs) return;
    for (const run of this.#frozen.splice(0)) run();
    if (nowMs % 100 === 0) this.do(this.member.tick(nowMs));
    if (this.#cluster.chance(0.05)) this.write(this.#cluster.random(5));
    if (this.#cluster.chance(0.002)) this.#save();
    if (!this.#cluster.isFaulty) return;
    if (this.#cluster.chance(0.0005)) this.order(NAMES[this.#cluster.random(NAMES.length)]!);
    if (this.#cluster.chance(0.004)) this.#handOver();
    const fate = this.#cluster.random(5000);
    if (fate < 2) this.crash();
    else if (fate < 4) this.freeze(500 + this.#cluster.random(7000));
  }

  freeze(ms: number): void {
    this.#frozenUntilMs = this.#cluster.nowMs + ms;
  }

  #handOver(): void {
    const effects = this.member.handOver(this.#cluster.nowMs);
    if (effects.length > 0) this.#cluster.seen.handed++;
    this.do(effects);
  }

  crash(forMs = 1000 + this.#cluster.random(6000)): void {
    this.#cluster.seen.crashes++;
    if (this.#cluster.chance(0.3)) this.do(this.member.leave());
    this.#isUp = false;
    this.#frozen = [];
    for (const connection of this.#connections.values()) connection.lost();
    this.#connections.clear();
    this.#cluster.at(forMs, () => {
      if (!this.#isUp) this.start();
    });
  }

  heal(): void {
    this.#frozenUntilMs = 0;
    if (!this.#isUp) this.start();
  }

  open(connection: ModelConnection): number {
    const number = ++this.#sessions;
    this.#connections.set(number, connection);
    return number;
  }

  serves(number: number, session: string): boolean {
    const connection = this.#connections.get(number);
    return connection !== undefined && connection.isIn && connection.session === session;
  }

  submit(session: number, input: Input, connection: ModelConnection): void {
    this.wake(() => {
      const opening = input.type === "CONNECT" || input.type === "RESUME" ? connection.opening() : undefined;
      this.#inputs++;
      if (input.type === "RESUME") this.#resumes.set(this.#inputs, session);
      this.do(this.member.submit(this.#cluster.nowMs, [{ session, input, opening }]));
    });
  }

  do(effects: readonly MemberEffect[]): void {
    for (const effect of effects) {
      switch (effect.do) {
        case "append":
          this.#append(effect.at, effect.id, effect.bytes);
          break;
        case "read":
          this.#read(effect.from);
          break;
        case "send":
          this.#cluster.send(() => {
            const target = this.#cluster.nodes.find(({ incarnation }) => incarnation === effect.to);
            target?.wake(() => target.do(target.member.receivedInputs(this.#cluster.nowMs, effect.message)));
          });
          break;
        case "beat":
          for (const other of this.#cluster.nodes) {
            if (other === this) continue;
            this.#cluster.send(() =>
              other.wake(() => other.do(other.member.receivedBeat(this.#cluster.nowMs, effect.beat)))
            );
          }
          break;
        case "probe":
          this.#probe();
          break;
        case "find":
          this.#find(effect.uuids);
          break;
        case "restart":
          return this.#restart();
        case "fork":
        case "stop":
          throw new Error(`node ${this.incarnation} stopped: ${effect.why}`);
      }
    }
  }

  #probe(): void {
    const cluster = this.#cluster;
    const fails = cluster.isFaulty && cluster.chance(0.1);
    const last = fails ? undefined : cluster.log.records.length;
    cluster.at(
      1 + cluster.random(20),
      () => this.wake(() => this.do(this.member.probed(cluster.nowMs, last))),
    );
  }

  /** The store has what is applied: a reader has it written. */
  #find(uuids: readonly string[]): void {
    const cluster = this.#cluster;
    const found = new Map(
      this.stored.filter(({ uuid }) => uuids.includes(uuid)).map((one) => [one.uuid, one]),
    );
    const answer = cluster.isFaulty && cluster.chance(0.1) ? undefined : found;
    cluster.at(
      1 + cluster.random(20),
      () => this.wake(() => this.do(this.member.found(cluster.nowMs, answer))),
    );
  }

  /** The log may store late, lose the answer, or answer twice. */
  #append(at: number, id: string, bytes: Uint8Array): void {
    const cluster = this.#cluster;
    const answer = (outcome: Appended) =>
      cluster.at(
        1 + cluster.random(10),
        () => this.wake(() => this.do(this.member.appended(cluster.nowMs, id, outcome))),
      );
    const isLost = cluster.isFaulty && cluster.chance(0.05);
    // Also of a record that it has stored without saying so.
    if (cluster.isFaulty && cluster.chance(0.03)) return answer({ kind: "refused", problem: "full" });
    cluster.at(1 + cluster.random(cluster.isFaulty && cluster.chance(0.05) ? 3000 : 5), () => {
      const outcome = cluster.log.append(at, id, bytes, cluster.chance(0.5));
      if (outcome.kind === "stored") this.notify({ number: at, bytes });
      answer(isLost && cluster.chance(0.5) ? { kind: "unknown" } : outcome);
      if (cluster.isFaulty && cluster.chance(0.05)) answer(outcome);
    });
    if (isLost) answer({ kind: "unknown" });
  }

  /** All nodes, this one too. */
  notify(entry: LogEntry): void {
    for (const node of this.#cluster.nodes) {
      this.#cluster.send(() =>
        node.wake(() => node.do(node.member.receivedRecord(this.#cluster.nowMs, entry)))
      );
    }
  }

  #read(from: number): void {
    const cluster = this.#cluster;
    const fails = cluster.isFaulty && cluster.chance(0.05);
    cluster.at(1 + cluster.random(20), () => {
      const entries = fails ? undefined : cluster.log.read(from, cluster.code.READ_MAX);
      this.wake(() => this.do(this.member.readDone(cluster.nowMs, entries)));
    });
  }

  /** Sends the frames of an outcome to the connections of this node, as the front and the fan-out do. */
  #deliver({ decided, frames }: Outcome): void {
    const { node, session, decision, ruling } = decided;
    if (ruling !== undefined && node === this.incarnation) {
      const key = `${node} ${decided.input}`;
      this.#orders.set(key, this.#orders.get(key)! + 1);
    }
    const numbered = [frames.departureNotice, frames.broadcast, frames.extendedBroadcast];
    let position = this.replica.state.position - numbered.filter((frame) => frame !== undefined).length;
    const own = node === this.incarnation ? this.#connections.get(session) : undefined;
    if (own !== undefined) this.#resumes.delete(decided.input);
    const broadcast = (frame: { readonly text: string } | undefined, toPlain: boolean) => {
      if (frame === undefined) return;
      position++;
      for (const connection of this.#connections.values()) {
        if (connection.isIn && (toPlain || connection.isExtended)) connection.receive(position, frame.text);
      }
    };
    broadcast(frames.departureNotice, true);
    own?.answered(frames.answer?.text);
    if (decision.kind === "held" || decision.kind === "resumed") {
      this.#close(decision.session, own, decision.kind);
    }
    for (const frame of [frames.session, ...frames.missed.frames.slice(frames.missed.from)]) {
      if (frame !== undefined) own?.followUp(frame.text);
    }
    if (own !== undefined && (decision.kind === "joined" || decision.kind === "resumed")) {
      own.entered(decision.kind === "joined" ? decided.opening!.id : decision.session, decision.kind);
    }
    broadcast(frames.broadcast, true);
    broadcast(frames.extendedBroadcast, false);
    if (decision.kind === "left") this.#close(decision.session, undefined, "left");
    if (decided.isLast && node === this.incarnation) this.#connections.delete(session);
  }

  #close(session: string, except: ModelConnection | undefined, why: ClosedBy): void {
    for (const [number, connection] of this.#connections) {
      if (connection.session !== session || connection === except || !connection.isIn) continue;
      this.#end(number, connection, why);
    }
  }

  #end(number: number, connection: ModelConnection, why: ClosedBy): void {
    connection.closed(why);
    // A record is being applied: what follows from it is submitted after it.
    this.#cluster.at(0, () => {
      if (this.#connections.get(number) === connection) this.submit(number, { type: "LOST" }, connection);
    });
  }
}

/** Why a node closes a connection. */
type ClosedBy = "held" | "resumed" | "left" | "overtaken";

/** A connection of a client to a node, and what it waits for. */
interface ModelConnection {
  readonly isExtended: boolean;
  readonly isIn: boolean;
  readonly token: string | undefined;
  readonly session: string | undefined;
  opening(): { id: string; isExtended: boolean; remoteAddress: string; tokenHash: string | undefined };
  receive(position: number, text: string): void;
  answered(text: string | undefined): void;
  followUp(text: string): void;
  entered(session: string, how: "joined" | "resumed"): void;
  lost(): void;
  /** The server closes it. */
  closed(why: ClosedBy): void;
}

export class ModelClient {
  readonly acknowledged: string[] = [];
  readonly #cluster: ModelCluster;
  readonly #number: number;
  readonly #isExtended: boolean;
  #connection: Connection | undefined;
  #tries = 0;
  #sent = 0;
  /** Nonces that are not acknowledged, in order, each with the length of the log when it was sent first. */
  readonly #unacknowledged = new Map<string, number>();
  #resumable: Resumable | undefined;

  constructor(cluster: ModelCluster, number: number, isExtended: boolean) {
    this.#cluster = cluster;
    this.#number = number;
    this.#isExtended = isExtended;
  }

  act(): void {
    if (!this.#cluster.chance(0.1)) return;
    const connection = this.#connection;
    if (connection === undefined) return this.#connect();
    if (!this.#cluster.isFaulty || connection.isWaiting) return;
    if (connection.isResuming) {
      if (this.#cluster.chance(0.1)) connection.drop();
      return;
    }
    if (!connection.isIn) {
      connection.send({ type: "CONNECT", username: this.#someName() });
      return;
    }
    const choice = this.#cluster.random(22);
    if (choice === 0) connection.send({ type: "UPDATE", username: this.#someName() });
    else if (choice === 1) {
      connection.send({ type: "DISCONNECT" });
      // Too late: the connection ends.
      connection.send({ type: "CONNECT", username: this.#someName() });
    } else if (choice === 2) connection.drop();
    else if (choice === 3 && this.acknowledged.length > 0) this.#edit(connection);
    else if (!this.#isExtended) connection.send({ type: "MSG", timestamp: "1", text: this.#text() });
    else this.#send(`${this.#number}-${++this.#sent}`);
  }

  #edit(connection: Connection): void {
    const uuid = this.acknowledged[this.#cluster.random(this.acknowledged.length)]!;
    connection.send({ type: "QUERY", query: "update_message", uuid, text: `edited ${this.#text()}` });
  }

  #send(nonce: string): void {
    if (!this.#unacknowledged.has(nonce)) this.#unacknowledged.set(nonce, this.#cluster.log.records.length);
    this.#connection!.send({ type: "SEND", nonce, timestamp: "1", text: this.#text() });
  }

  #text(): string {
    return `text ${this.#number}.${this.#sent}`;
  }

  #someName(): Username {
    return NAMES[this.#cluster.random(NAMES.length)]!;
  }

  #connect(): void {
    const up = this.#cluster.nodes.filter(({ isUp }) => isUp);
    const node = up[this.#cluster.random(up.length)];
    if (node === undefined) return;
    const connection = new Connection(node, this.#isExtended, `${this.#number}/${++this.#tries}`, {
      acknowledged: (nonce, uuid) => {
        this.acknowledged.push(uuid);
        if (nonce !== undefined) this.#unacknowledged.delete(nonce);
      },
      ended: (resumable) => {
        if (this.#connection !== connection) return;
        this.#connection = undefined;
        this.#resumable = resumable;
      },
      entered: (how) => {
        if (how === "resumed") this.#cluster.seen.resumed++;
        else this.#unacknowledged.clear();
        // A node that starts learns the nonces of so many records: an older one may be new to it.
        const known = this.#cluster.log.records.length - EARLIER_MAX;
        for (const [nonce, sentAt] of this.#unacknowledged) {
          if (sentAt < known) this.#unacknowledged.delete(nonce);
          else this.#send(nonce);
        }
      },
    });
    this.#connection = connection;
    const resumable = this.#resumable;
    this.#resumable = undefined;
    if (resumable !== undefined) connection.resume(resumable);
    else connection.send({ type: "CONNECT", username: this.#someName() });
  }

  checkEnd(): void {
    assertEquals(this.#connection?.waiting ?? [], [], "every input is answered");
  }
}

/** What a client needs to resume. */
interface Resumable {
  readonly session: string;
  readonly token: string;
  readonly position: number;
}

interface ConnectionEvents {
  readonly acknowledged: (nonce: string | undefined, uuid: string) => void;
  readonly entered: (how: "joined" | "resumed") => void;
  readonly ended: (resumable: Resumable | undefined) => void;
}

class Connection implements ModelConnection {
  readonly isExtended: boolean;
  readonly token: string | undefined;
  isIn = false;
  session: string | undefined;
  readonly waiting: Input[] = [];
  readonly #node: ModelNode;
  readonly #number: number;
  readonly #id: string;
  readonly #events: ConnectionEvents;
  #position: number | undefined;
  #resuming: Resumable | undefined;
  #isOver = false;
  #isClosed = false;

  constructor(node: ModelNode, isExtended: boolean, id: string, events: ConnectionEvents) {
    this.#node = node;
    this.isExtended = isExtended;
    this.#id = id;
    this.token = isExtended ? `token ${id}` : undefined;
    this.#events = events;
    this.#number = node.open(this);
  }

  get isResuming(): boolean {
    return !this.isIn && this.#resuming !== undefined;
  }

  get isWaiting(): boolean {
    return this.waiting.length > 3;
  }

  opening() {
    const { isExtended, token } = this;
    return { id: this.#id, isExtended, remoteAddress: "192.0.2.1", tokenHash: token && `hash of ${token}` };
  }

  send(input: Input): void {
    this.waiting.push(input);
    this.#node.submit(this.#number, input, this);
  }

  resume(resumable: Resumable): void {
    this.#resuming = resumable;
    this.send({ type: "RESUME", token: `hash of ${resumable.token}`, position: resumable.position });
  }

  /** Its network is gone: the node notices. */
  drop(): void {
    this.#node.submit(this.#number, { type: "LOST" }, this);
    this.lost();
  }

  answered(text: string | undefined): void {
    if (text === undefined || this.#isOver) return;
    const input = this.waiting.shift();
    assert(input !== undefined, `an answer without an input: ${text}`);
    if (input.type === "RESUME" && text.startsWith("c2/ERROR")) this.#resuming = undefined;
    if (input.type === "SEND" && text.startsWith("c2/ACKNOWLEDGE ")) {
      const [nonce, uuid] = text.slice("c2/ACKNOWLEDGE ".length).split("; ");
      assertEquals(nonce, input.nonce, "answers come in the order of the inputs");
      this.#events.acknowledged(nonce, uuid!);
    } else if (input.type !== "CONNECT" && input.type !== "RESUME") {
      assert(!text.includes(";") || text.startsWith("c2/ERROR"), `the answer to ${input.type}: ${text}`);
    }
  }

  /** The broadcasts that it missed, each once: as many as it lacks. */
  followUp(text: string): void {
    if (this.#isOver) return;
    if (text.startsWith("c2/SESSION ")) {
      this.#position = Number(text.split("; ")[1]);
      if (this.#resuming !== undefined) {
        assertEquals(this.#position, this.#resuming.position, "a resumed session continues at its position");
      }
    } else this.#position!++;
  }

  entered(session: string, how: "joined" | "resumed"): void {
    assert(!this.#isClosed, "a connection that the server has ended stays ended");
    if (this.#isOver) return;
    this.session = session;
    this.isIn = true;
    this.#events.entered(how);
  }

  receive(position: number, _text: string): void {
    if (this.#isOver) return;
    if (this.isExtended) {
      assertEquals(position, this.#position! + 1, "a session receives every broadcast once");
      this.#position = position;
    }
  }

  closed(why: ClosedBy): void {
    assert(this.#isOver || why !== "resumed", "no connection that a client has left takes its session over");
    this.#isClosed = true;
    this.lost();
  }

  lost(): void {
    if (this.#isOver) return;
    this.#isOver = true;
    this.waiting.length = 0;
    const { session, token, isIn } = this;
    this.isIn = false;
    const isResumable = isIn && session !== undefined && token !== undefined;
    // Without an answer it tries again with the same token.
    this.#events.ended(isResumable ? { session, token, position: this.#position! } : this.#resuming);
  }
}

export const SETTINGS: RoomSettings = {
  name: "Room",
  ownName: usernameOf("Server"),
  limits: DEFAULT_LIMITS,
  limitLoopback: false,
};

/** The room of a leader. */
export function roomOf(settings = SETTINGS): LeaderRoom {
  return (parts) => ({
    ...{ serverId: 1, settings, version: "0", startedSteadyMs: 0, prove: () => undefined },
    ...parts,
  });
}

/** The messages that memory holds: few, so that edits need the store. */
const HISTORY_KEPT = 1000;

interface MadeFrom {
  readonly checkpoint?: Checkpoint | undefined;
  readonly earlier?: readonly LogEntry[];
  readonly newest?: readonly StoredMessage[];
}

/** The state of a room as of a checkpoint, or of the beginning of a log. */
export function makeState({ checkpoint, earlier = [], newest = [] }: MadeFrom = {}): RoomState {
  return restoredState({
    ...{ checkpoint, earlier, identity: { serverId: 1, settings: { name: "Room" } } },
    history: new History({ kept: HISTORY_KEPT, newest: newest.slice(-512), isWhole: newest.length < 512 }),
    replayBytesMax: () => 1_000_000,
  });
}

const NO_LISTENER: ReplicaListener = { tokenOf: () => undefined, outcome() {}, applied() {} };

export function usernameOf(text: string): Username {
  const username = parseUsername(text);
  assert(!("fault" in username));
  return username;
}

function plain(value: unknown): unknown {
  return JSON.parse(JSON.stringify(value));
}

function once(seen: Set<string>, key: string): void {
  assert(!seen.has(key), `${key} takes effect once`);
  seen.add(key);
}

/** A small generator of random numbers from 0 to 1, the same for the same seed. */
function mulberry32(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state + 0x6D2B79F5) | 0;
    let t = Math.imul(state ^ (state >>> 15), 1 | state);
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
    return ((t ^ (t >>> 14)) >>> 0) / 4294967296;
  };
}

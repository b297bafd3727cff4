/**
 * A node of a cluster: the sessions of this machine, the room as the log says, and this machine's part of deciding it.
 * It does what node.ts does on one machine, and is loaded with `--cluster` only. cluster/ has its parts.
 *
 * @module
 */
import { createHash } from "node:crypto";
import { Buffer } from "node:buffer";
import { preciseClock, steadyClock } from "../src/clock.ts";
import { LogThrottle } from "../src/logging/throttle.ts";
import { settlesWithin } from "../src/deadline.ts";
import { CannotStart } from "../src/serving/start_failure.ts";
import { CLOSE } from "../src/protocol/close_codes.ts";
import { VERSION } from "../src/version.ts";
import { ClusterModeration } from "./admin/cluster_moderation.ts";
import type { ClusterStatus } from "./admin/cluster_status.ts";
import { LeaderRegistrations } from "./announce/leader_registrations.ts";
import { Proofs } from "./announce/proofs.ts";
import type { KeyStore } from "./announce/registration.ts";
import type { Reachability } from "./announce/registrations.ts";
import { ClusterMeters } from "./cluster/cluster_meters.ts";
import type { ClusterSettings } from "./cluster/cluster_settings.ts";
import type { NodeEnd } from "./cluster/driver.ts";
import type { LeaderRoom } from "./cluster/leader.ts";
import { ClusterFront } from "./cluster/node/front.ts";
import { HistoryReads } from "./cluster/node/history_reads.ts";
import { MessageSpans } from "./cluster/node/message_spans.ts";
import { Incarnation } from "./cluster/node/incarnation.ts";
import { saidLimits } from "./cluster/nodes_compared.ts";
import { type Around, nodeStore, openAround } from "./cluster/node/mod.ts";
import { answeringRoom } from "./cluster/node/answering_room.ts";
import { restoredState } from "./cluster/node/recovery.ts";
import { roomKeys, RoomName } from "./cluster/node/room_values.ts";
import { SeenNodes } from "./cluster/node/seen_nodes.ts";
import { restore, type Restored, SHORT_LOG_HELP } from "./cluster/node/start.ts";
import { WriteBehind, writtenReads } from "./cluster/node/write_behind.ts";
import { type ForeignRecord, UnreadableRecord } from "./cluster/record.ts";
import { LogForked, Replica } from "./cluster/replica.ts";
import { Fanout } from "./delivery/fanout.ts";
import { PresenceNotices } from "./delivery/presence_notices.ts";
import { DecisionSender } from "./order/teller.ts";
import { Searches } from "./order/searches.ts";
import { mintToken, type NodeOptions, random32, type ServerNode, type Stores } from "./node.ts";
import { replayBytesMax } from "./resume/recovery.ts";
import { Bans } from "./room/bans.ts";
import { History, WINDOW_MESSAGES_MAX } from "./room/history.ts";
import type { RoomState } from "./room/room_state.ts";
import { ConfirmedClock } from "./store/confirmed_clock.ts";
import type { Journal } from "./store/journal.ts";
import type { KvJournal } from "./store/journal_kv.ts";
import { oldestKeptMs, Retention } from "./store/retention.ts";

/** Milliseconds without the log after which the node is not ready. */
const READY_MS = 3000;
/** Milliseconds between two looks at the log's silence and at who leads. */
const WATCH_MS = 250;
/** Milliseconds for each pending task at a stop. */
const DRAIN_MS = 1000;
/** Milliseconds in which a node that runs is heard. */
const HEARD_MS = 2000;

export interface ClusterNodeOptions extends Omit<NodeOptions, "proofs" | "fanout" | "stores" | "id"> {
  readonly cluster: ClusterSettings;
  /** `--id`; undefined for the cluster's. */
  readonly id: number | undefined;
  /** The id and the secret in this node's store, which found a new cluster. */
  readonly identity: { readonly serverId: number; readonly secret: Uint8Array };
  readonly stores: Omit<Stores, "retained" | "keys"> & {
    readonly retained: KvJournal;
    readonly keys: KeyStore & { all(): Promise<readonly (readonly [string, string])[]> };
    /** Keeps what the cluster is, for a program that opens the store alone. */
    readonly keepIdentity: (serverId: number, secret: Uint8Array) => Promise<void>;
  };
  readonly listings: readonly string[];
  /** Called when the room has another name than before. */
  readonly onRenamed: () => void;
  /** Ends a start that waits: its reason is thrown. */
  readonly stopping: AbortSignal;
}

/** What a node is made of before it has a name. */
interface Parts {
  readonly options: ClusterNodeOptions;
  readonly around: Around;
  readonly restored: Restored;
  readonly state: RoomState;
  readonly history: History;
  readonly store: ReturnType<typeof nodeStore>;
}

export class ClusterNode implements ServerNode {
  readonly inbox: Searches;
  readonly moderation: ClusterModeration;
  readonly id: number;
  readonly ending: Promise<string>;
  /** The stores that the admin API reads: with all that is applied, and with the room's keys. */
  readonly stores: {
    readonly retained: Pick<Journal, "after">;
    readonly keys: ClusterNodeOptions["stores"]["keys"];
  };
  readonly #parts: Parts;
  readonly #proofs: Proofs;
  readonly #end: (why: string) => void;
  readonly #replica: Replica;
  readonly #leaderRoom: LeaderRoom;
  readonly #presence: PresenceNotices;
  readonly #front: ClusterFront;
  readonly #writer: WriteBehind;
  readonly #reads: Pick<Journal, "page" | "find" | "after">;
  readonly #clock: ConfirmedClock;
  readonly #registrations: LeaderRegistrations;
  readonly #name: RoomName;
  readonly #nodes: SeenNodes;
  readonly #clusterMeters: ClusterMeters;
  readonly #foreignLog = new LogThrottle(steadyClock);
  #retention: Retention | undefined;
  #run!: Incarnation;
  #watch: ReturnType<typeof setInterval> | undefined;
  #isCutOff = false;
  #isLogShort = false;
  #isOver = false;
  #isForked = false;

  private constructor(parts: Parts) {
    this.#parts = parts;
    const { options, restored, state } = parts;
    const { settings, stores, log } = options;
    ({ promise: this.ending, resolve: this.#end } = Promise.withResolvers<string>());
    this.id = restored.founded.serverId;
    this.#proofs = new Proofs(Buffer.from(restored.founded.secret, "base64url"), options.listings);
    this.#clock = new ConfirmedClock(restored.newest.at(-1)?.receivedMs, steadyClock());
    this.#writer = new WriteBehind({
      store: parts.store.store,
      newestStored: restored.newest.at(-1)?.uuid ?? "",
      stored: restored.stored,
      full: (why) => this.#over({ kind: "stopped", why }),
      ...{ meters: options.meters, steadyMs: steadyClock, log },
    });
    const isKept = settings.limits.historyCount > 0;
    const written = () => this.#writer.written();
    this.#reads = writtenReads(isKept ? stores.retained : stores.journal, written);
    const fanout = new Fanout({ meters: options.meters, steadyMs: steadyClock, log });
    const reads = new HistoryReads(this.#reads, log);
    this.#presence = new PresenceNotices({
      ...{ fanout, steadyMs: steadyClock },
      awayNames: () => this.#replica.membership.roster.awayNames,
      isOfThisRun: (position) => state.isOfThisRun(position),
      outboxBytesMax: () => settings.limits.maxOutboxBytes,
    });
    const sender = this.#makeSender(fanout, reads);
    this.#front = this.#makeFront(fanout, reads, sender);
    this.inbox = this.#makeSearches(fanout, state);
    this.#replica = new Replica({
      state,
      listener: {
        tokenOf: (decided) => this.#front.tokenOf(decided),
        outcome: (outcome) => this.#front.outcome(outcome),
        applied: (number, record) => {
          this.#writer.applied(number, record);
          this.#front.applied(number, record);
          if (record.kind === "foreign") this.#sayForeign(number, record);
          else if (record.kind === "turn") options.meters.turnInputs.observe(record.decided.length);
        },
      },
      bans: new Bans(restored.bans),
      checkpoint: restored.checkpoint,
      newestUuid: restored.newest.at(-1)?.uuid,
    });
    const room = {
      ...{ serverId: this.id, settings, version: VERSION, startedSteadyMs: steadyClock() },
      prove: (challenge: string) => this.#proofs.answer(challenge),
    };
    this.#leaderRoom = (parts) => ({ ...room, ...parts });
    this.#front.attach(this.#replica, answeringRoom(this.#leaderRoom, this.#replica));
    this.moderation = this.#makeModeration();
    const values = { kept: this.#replica.kept, order: this.#front.order.bind(this.#front) };
    this.stores = { retained: this.#reads, keys: roomKeys(values, stores.keys) };
    this.#registrations = this.#makeRegistrations();
    this.#name = new RoomName({ ...values, settings, onRenamed: () => this.#renamed() });
    this.#nodes = this.#makeSeenNodes();
    this.#clusterMeters = new ClusterMeters(options.meters);
    this.#readMeters();
  }

  /** Waits for NATS, and makes this node's store whole. Throws `CannotStart` with one line. */
  static async start(options: ClusterNodeOptions): Promise<ClusterNode> {
    const { cluster, id, identity, settings, stores, nowMs, log, stopping } = options;
    const { limits } = settings;
    await using held = new AsyncDisposableStack();
    const around = held.use(await openAround(cluster, { log, steadyMs: steadyClock, stopping }));
    const store = nodeStore({
      kv: stores.kv,
      journal: limits.historyCount === 0 ? undefined : stores.retained,
      bans: stores.bans,
    });
    const secret = Buffer.from(identity.secret).toString("base64url");
    const restored = await restore({
      ...{ log: around.log, wire: around.wire, store: store.start, nowMs },
      ...{ steadyMs: steadyClock, stopping, limits, logger: log },
      identity: { serverId: identity.serverId, secret },
      incarnation: crypto.randomUUID(),
    });
    const { serverId } = restored.founded;
    if (id !== undefined && id !== serverId) {
      throw new CannotStart(`The cluster's server id is ${serverId}: leave out --id ${id}`);
    }
    const history = new History({
      kept: limits.historyCount,
      newest: restored.newest,
      isWhole: restored.newest.length < WINDOW_MESSAGES_MAX,
    });
    const state = stateOf(restored, history, options);
    const node = new ClusterNode({ options, around, restored, state, history, store });
    if (restored.checkpoint === undefined) await store.start.begin(node.#replica.checkpoint());
    await stores.keepIdentity(serverId, Buffer.from(restored.founded.secret, "base64url"));
    node.#begin();
    held.move();
    return node;
  }

  /** Whether it has applied the log, and the log answers and has all of that. */
  get isReady(): boolean {
    return this.takesSockets && this.#run.member.isCaughtUp && this.#replica.leader !== undefined &&
      this.#run.member.shortEnd === undefined &&
      this.#run.member.logSilentMs(steadyClock()) < READY_MS;
  }

  get connectedUsers(): number {
    return this.#replica.connectedUsers;
  }

  /** False while the node could not answer a client. */
  get takesSockets(): boolean {
    return !this.#isOver && !this.#isCutOff;
  }

  cluster(): ClusterStatus {
    return this.#nodes.status();
  }

  announce(reachable: Reachability): void {
    const { options: { settings, stores, nowMs, log } } = this.#parts;
    this.#retention = new Retention({
      messages: stores.retained,
      limits: settings.limits,
      // The log replays what is broadcast: the store needs no positions.
      replayableFrom: () => this.#replica.state.position + 1,
      scrub: stores.scrub,
      nowMs,
      confirmedMs: () => this.#confirmedMs(),
      log,
    });
    this.#registrations.announce(reachable);
    this.#registrations.follow(this.#run.member.isLeader);
  }

  async reconfigured(): ReturnType<ServerNode["reconfigured"]> {
    const { history, options: { settings: { limits }, log } } = this.#parts;
    this.#name.reloaded();
    try {
      const range = { limit: WINDOW_MESSAGES_MAX, before: undefined, receivedFrom: 0 };
      const older = await this.#reads.page(range);
      // What was applied while the store was read is in the window alone.
      const held = this.#replica.state.page(range) ?? [];
      const newest = [...older.filter(({ uuid }) => held.length === 0 || uuid < held[0]!.uuid), ...held];
      history.reload({ kept: limits.historyCount, newest, isWhole: newest.length < WINDOW_MESSAGES_MAX });
    } catch (error) {
      // The old window stays in use.
      log.error("history.read_failed", { error });
    }
    this.#registrations.changed();
    return await this.moderation.reread();
  }

  /** Leaves the listings to the node that leads next; withdraws if there is none. */
  async withdraw(): Promise<void> {
    const isLast = this.#run.member.heardWithin(steadyClock(), HEARD_MS).length === 0;
    await this.#registrations.withdraw(isLast);
  }

  async finish(): Promise<void> {
    await settlesWithin(this.inbox.idle(), DRAIN_MS);
    await this.#until(() => this.#front.unanswered === 0);
  }

  async stop(): Promise<void> {
    await this.finish();
    const { name, member, driver } = this.#run;
    driver.run((nowMs) => member.handOver(nowMs));
    if (member.heardWithin(steadyClock(), HEARD_MS).length > 0) {
      await this.#until(() => this.#replica.leader !== name);
    }
    driver.run(() => member.leave());
    this.#quitAll();
    this.#presence.stop();
    await settlesWithin(this.#writer.stop(this.#replica), DRAIN_MS);
    if (this.#retention !== undefined) await settlesWithin(this.#retention.stop(), DRAIN_MS);
    await this.#parts.around[Symbol.asyncDispose]();
  }

  /** Begins under a new name. */
  #begin(): void {
    const { around: { log, wire }, options } = this.#parts;
    const { cluster, settings: { limits }, nowMs, meters, log: logger } = options;
    this.#run = new Incarnation({
      ...{ log, wire, replica: this.#replica, room: this.#leaderRoom },
      ...{ front: this.#front, writer: this.#writer, reads: this.#reads },
      ...{ cluster, limits, nowMs, steadyMs: steadyClock, random32, logger },
      historyFromMs: (nowMs) => this.#historyFromMs(nowMs),
      isReady: () => this.isReady,
      over: (end) => this.#over(end),
      about: () => {
        const { hash, foreign } = this.#replica;
        return {
          ...{ node: cluster.node, hash, version: VERSION, limits: saidLimits(limits) },
          foreign: foreign || undefined,
          wallMs: Math.round(nowMs()),
        };
      },
      heard: (beat) => this.#nodes.heard(beat),
      stored: (seconds, repetitions) => {
        this.#clusterMeters.appendSeconds.observe(seconds);
        this.#clusterMeters.appendRetries.add(repetitions);
      },
      refused: () => meters.commitFailures.add(),
    });
    this.#watch = setInterval(() => this.#look(), WATCH_MS);
  }

  #look(): void {
    const { cluster: { patienceMs }, log } = this.#parts.options;
    const { member } = this.#run;
    this.#nodes.say();
    this.#sayShortLog(member.shortEnd);
    const silentMs = member.logSilentMs(steadyClock());
    if (!this.#isCutOff && silentMs >= patienceMs) {
      this.#isCutOff = true;
      log.error("cluster.cut_off", { seconds: Math.round(silentMs / 1000) });
      this.#front.closeAll(CLOSE.cutOff);
    } else if (this.#isCutOff && silentMs < READY_MS) {
      this.#isCutOff = false;
      log.info("cluster.works", {});
    }
    this.#name.follow(member.isLeader);
    this.#registrations.follow(member.isLeader);
  }

  /** Once each time the log ends too early. */
  #sayShortLog(record: number | undefined): void {
    const { applied } = this.#replica;
    if (record !== undefined && !this.#isLogShort) {
      this.#parts.options.log.warn("cluster.log_short", { record, applied, help: SHORT_LOG_HELP });
    }
    this.#isLogShort = record !== undefined;
  }

  #sayForeign(record: number, { bytes }: ForeignRecord): void {
    const { log } = this.#parts.options;
    this.#foreignLog.log((suppressed) => log.warn("cluster.record_skipped", { record, bytes, suppressed }));
  }

  #renamed(): void {
    this.#registrations.changed();
    this.#parts.options.onRenamed();
  }

  #over(end: NodeEnd): void {
    const { log } = this.#parts.options;
    this.#quitAll();
    this.#front.closeAll(CLOSE.cutOff);
    this.#registrations.abandon();
    if (end.kind === "lost") {
      log.warn("cluster.lost", {});
      return this.#begin();
    }
    this.#isOver = true;
    this.#writer.abandon();
    this.#isForked = end.kind === "forked";
    if (end.kind === "forked") log.error("cluster.log_forked", { problem: end.why });
    else this.#end(end.why);
  }

  #quitAll(): void {
    clearInterval(this.#watch);
    this.#run.stop();
    this.#name.forget();
  }

  #makeSender(fanout: Fanout, reads: HistoryReads): DecisionSender {
    const { meters, log } = this.#parts.options;
    return new DecisionSender({
      fanout,
      presence: this.#presence,
      onRosterChange: () => this.#registrations.changed(),
      onChange: (message) => {
        this.inbox.changed(message);
        reads.changed(message);
      },
      meters,
      log,
    });
  }

  #makeFront(fanout: Fanout, reads: HistoryReads, sender: DecisionSender): ClusterFront {
    const { sockets, soon, nowMs, tracing, log } = this.#parts.options;
    return new ClusterFront({
      ...{ sender, fanout, reads, sockets, soon, log, mintToken },
      spans: tracing && new MessageSpans(tracing, preciseClock),
      hashOf: (token) => createHash("sha256").update(token).digest("base64url"),
      moment: () => ({
        nowMs: nowMs(),
        steadyMs: steadyClock(),
        historyFromMs: () => this.#historyFromMs(nowMs()),
      }),
    });
  }

  #makeSearches(fanout: Fanout, state: RoomState): Searches {
    const { settings: { limits }, nowMs, meters, log } = this.#parts.options;
    return new Searches({
      sequencer: this.#front,
      state,
      journal: this.#reads,
      fanout,
      limits,
      historyFromMs: () => this.#historyFromMs(nowMs()),
      steadyMs: steadyClock,
      rest: (ms) => new Promise((resolve) => setTimeout(resolve, ms)),
      meters,
      log,
    });
  }

  #makeModeration(): ClusterModeration {
    return new ClusterModeration({
      replica: this.#replica,
      order: (input) => this.#front.order(input),
      nowMs: this.#parts.options.nowMs,
      mintId: () => crypto.randomUUID(),
    });
  }

  #makeRegistrations(): LeaderRegistrations {
    const { settings, meters, tracing } = this.#parts.options;
    return new LeaderRegistrations({
      ...{ serverId: this.id, settings, proofs: this.#proofs, keys: this.stores.keys, meters, tracing },
      connectedUsers: () => this.#replica.connectedUsers,
    });
  }

  #makeSeenNodes(): SeenNodes {
    const { options: { cluster: { node }, settings: { limits }, nowMs, log }, around } = this.#parts;
    return new SeenNodes({
      ...{ node, limits, replica: this.#replica, nats: around, steadyMs: steadyClock, nowMs, log },
      own: () => this.#run,
      isForked: () => this.#isForked,
    });
  }

  #readMeters(): void {
    const { meters, stores } = this.#parts.options;
    const { membership: { roster }, bans } = this.#replica;
    meters.readRoom({
      connectedUsers: () => this.#replica.connectedUsers,
      held: roster.held,
      history: stores.retained,
      bans,
      registrations: this.#registrations.list,
    });
    this.#clusterMeters.read(this.#nodes.gauged());
  }

  #confirmedMs(nowMs = this.#parts.options.nowMs()): number {
    return this.#clock.read(nowMs, steadyClock());
  }

  #historyFromMs(nowMs: number): number {
    return oldestKeptMs(this.#confirmedMs(nowMs), this.#parts.options.settings.limits.historyDays);
  }

  async #until(isSo: () => boolean): Promise<void> {
    for (const end = steadyClock() + DRAIN_MS; !isSo() && steadyClock() < end;) {
      await new Promise((resolve) => setTimeout(resolve, 10));
    }
  }
}

function stateOf(
  { checkpoint, earlier, founded: { serverId } }: Restored,
  history: History,
  { settings, log }: ClusterNodeOptions,
): RoomState {
  try {
    return restoredState({
      ...{ checkpoint, earlier, history, identity: { serverId, settings } },
      replayBytesMax: () => replayBytesMax(settings.limits),
    });
  } catch (error) {
    if (!(error instanceof LogForked || error instanceof UnreadableRecord)) throw error;
    if (error instanceof LogForked) log.error("cluster.log_forked", { problem: error.message });
    throw new CannotStart(error.message, { cause: error });
  }
}

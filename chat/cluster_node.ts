/**
 * A node of a cluster: the sessions of this machine, the room as the log says, and this machine's part of deciding it.
 * It does what node.ts does on one machine, and is loaded with `--cluster` only. cluster/ has its parts.
 *
 * @module
 */
import { createHash } from "node:crypto";
import { Buffer } from "node:buffer";
import { steadyClock } from "../src/clock.ts";
import { settlesWithin } from "../src/deadline.ts";
import { CannotStart } from "../src/serving/start_failure.ts";
import { CLOSE } from "../src/protocol/close_codes.ts";
import { VERSION } from "../src/version.ts";
import { ClusterModeration } from "./admin/cluster_moderation.ts";
import type { ClusterStatus } from "./admin/cluster_status.ts";
import { Proofs } from "./announce/proofs.ts";
import { type KeyStore, Registration } from "./announce/registration.ts";
import { beginRegistrations, type Reachability } from "./announce/registrations.ts";
import type { ClusterSettings } from "./cluster/cluster_settings.ts";
import { ClusterDriver, type DriverOptions, type NodeEnd } from "./cluster/driver.ts";
import type { LeaderRoom } from "./cluster/leader.ts";
import { ClusterMeters, type GaugedNode } from "./cluster/cluster_meters.ts";
import { Member } from "./cluster/member.ts";
import { CopyServer } from "./cluster/node/copy.ts";
import { ClusterFront } from "./cluster/node/front.ts";
import { HistoryReads } from "./cluster/node/history_reads.ts";
import { type Around, nodeStore, openAround } from "./cluster/node/mod.ts";
import { restoredState } from "./cluster/node/recovery.ts";
import { restore, type Restored } from "./cluster/node/start.ts";
import { WriteBehind, writtenReads } from "./cluster/node/write_behind.ts";
import { Peers } from "./cluster/peers.ts";
import { UnreadableRecord } from "./cluster/record.ts";
import { LogForked, Replica } from "./cluster/replica.ts";
import { Fanout } from "./delivery/fanout.ts";
import { DecisionSender } from "./order/decision_sender.ts";
import { Searches } from "./order/searches.ts";
import { mintToken, type NodeOptions, random32, type ServerNode, type Stores } from "./node.ts";
import { replayBytesMax } from "./resume/recovery.ts";
import { Bans } from "./room/bans.ts";
import { History, WINDOW_MESSAGES_MAX } from "./room/history.ts";
import { Room, type RoomOptions } from "./room/room.ts";
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
  readonly #front: ClusterFront;
  readonly #writer: WriteBehind;
  readonly #reads: Pick<Journal, "page" | "find" | "after">;
  readonly #clock: ConfirmedClock;
  readonly #registrations: Registration[] = [];
  readonly #startedSteadyMs = steadyClock();
  #reachable: Reachability | undefined;
  #retention: Retention | undefined;
  #member!: Member;
  #driver!: ClusterDriver;
  #incarnation = "";
  #watch: ReturnType<typeof setInterval> | undefined;
  #quit: (() => void)[] = [];
  #isCutOff = false;
  #isOver = false;
  /** The name by this node's flags, and one on its way to the log. */
  #flaggedName: string;
  #keptName: string | undefined;
  #isForked = false;
  readonly #peers = new Peers();
  readonly #clusterMeters: ClusterMeters;
  #toldEpoch = 0;

  private constructor(parts: Parts) {
    this.#parts = parts;
    const { options, restored, state } = parts;
    const { settings, stores, log } = options;
    this.#flaggedName = settings.name;
    const { promise, resolve } = Promise.withResolvers<string>();
    this.ending = promise;
    this.#end = resolve;
    this.id = restored.founded.serverId;
    this.#proofs = new Proofs(Buffer.from(restored.founded.secret, "base64url"), options.listings);
    this.#clock = new ConfirmedClock(restored.newest.at(-1)?.receivedMs, steadyClock());
    this.#writer = new WriteBehind({
      store: parts.store.store,
      newestStored: restored.newest.at(-1)?.uuid ?? "",
      stored: restored.stored,
      full: (why) => this.#over({ kind: "stopped", why }),
      log,
    });
    const isKept = settings.limits.historyCount > 0;
    const written = () => this.#writer.written();
    this.#reads = writtenReads(isKept ? stores.retained : stores.journal, written);
    const fanout = new Fanout({ meters: options.meters, steadyMs: steadyClock, log });
    const reads = new HistoryReads(this.#reads, log);
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
        },
      },
      bans: new Bans(restored.bans),
      checkpoint: restored.checkpoint,
      newestUuid: restored.newest.at(-1)?.uuid,
    });
    this.#front.attach(this.#replica, this.#makeRoom());
    this.moderation = this.#makeModeration();
    this.stores = { retained: this.#reads, keys: this.#makeKeys() };
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
      ...{ steadyMs: steadyClock, stopping, logger: log },
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

  /** Whether it has applied the log, and the log answers. */
  get isReady(): boolean {
    return this.takesSockets && this.#member.isCaughtUp && this.#replica.leader !== undefined &&
      this.#member.logSilentMs(steadyClock()) < READY_MS;
  }

  get connectedUsers(): number {
    return this.#replica.connectedUsers;
  }

  /** False while the node could not answer a client. */
  get takesSockets(): boolean {
    return !this.#isOver && !this.#isCutOff;
  }

  cluster(): ClusterStatus {
    const nowMs = steadyClock();
    const { epoch, applied, leader } = this.#replica;
    const peers = this.#peers.all(nowMs);
    const record = Math.max(applied, ...peers.map(({ applied }) => applied));
    const own = { by: this.#incarnation, node: this.#parts.options.cluster.node, version: VERSION, applied };
    return {
      epoch,
      record,
      nodes: [{ ...own, heardMs: nowMs }, ...peers].map(({ by, node, version, applied, heardMs }) => ({
        ...{ node, version, leads: by === leader, behind: record - applied },
        silentSeconds: Math.round((nowMs - heardMs) / 100) / 10,
      })),
    };
  }

  announce(reachable: Reachability): void {
    this.#reachable = reachable;
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
    this.#register();
  }

  async reconfigured(): ReturnType<ServerNode["reconfigured"]> {
    const { history, options: { settings: { limits, name }, log } } = this.#parts;
    // A reload that changes something else does not bring back a name that another node has changed.
    if (name !== this.#flaggedName) this.#keepName(this.#flaggedName = name);
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
    for (const registration of this.#registrations) registration.changed();
    return await this.moderation.reread();
  }

  /** Leaves the listings to the node that leads next; withdraws if there is none. */
  async withdraw(): Promise<void> {
    this.#reachable = undefined;
    const isLast = this.#member.heardWithin(steadyClock(), HEARD_MS).length === 0;
    await Promise.all(
      this.#registrations.splice(0).map((one) => isLast ? one.stop() : one.abandon()),
    );
  }

  async finish(): Promise<void> {
    await settlesWithin(this.inbox.idle(), DRAIN_MS);
    await this.#until(() => this.#front.unanswered === 0);
  }

  async stop(): Promise<void> {
    await this.finish();
    this.#driver.run((nowMs) => this.#member.handOver(nowMs));
    if (this.#member.heardWithin(steadyClock(), HEARD_MS).length > 0) {
      await this.#until(() => this.#replica.leader !== this.#incarnation);
    }
    this.#driver.run(() => this.#member.leave());
    this.#quitAll();
    await settlesWithin(this.#writer.stop(this.#replica), DRAIN_MS);
    if (this.#retention !== undefined) await settlesWithin(this.#retention.stop(), DRAIN_MS);
    await this.#parts.around[Symbol.asyncDispose]();
  }

  /** Begins under a new name. */
  #begin(): void {
    const { around: { log, wire }, options } = this.#parts;
    const { cluster, settings, nowMs, log: logger } = options;
    const incarnation = this.#incarnation = crypto.randomUUID();
    const member = this.#member = new Member({
      incarnation,
      replica: this.#replica,
      room: this.#leaderRoom,
      random32,
      onBug: (error, input) => logger.error("bug", { where: "decide", input, error }),
      limits: {
        ...{ takeoverMs: cluster.takeoverMs, lostMs: cluster.lostMs },
        get resumeWindowMs() {
          return settings.limits.resumeWindow * 1000;
        },
      },
      historyFromMs: (nowMs) => this.#historyFromMs(nowMs),
      wallMs: nowMs,
      random: Math.random,
    }, steadyClock());
    this.#driver = new ClusterDriver({
      ...{ incarnation, member, wire, logger },
      log: {
        append: (at, id, bytes) => log.append(at, id, bytes),
        read: (from, max) => this.#writer.hasRoom().then(() => log.read(from, max)),
        follow: (on) => log.follow(on),
        ends: () => log.ends(),
      },
      steadyMs: steadyClock,
      find: (uuid) => this.#reads.find(uuid),
      over: (end) => this.#over(end),
      ...this.#observed(cluster.node),
    });
    const driver = this.#driver;
    this.#front.begin({
      incarnation,
      submit: (inputs) => driver.submit(inputs),
      aside: (notice) => wire.aside(notice),
    });
    const copies = new CopyServer({
      incarnation: () => incarnation,
      // Without a history of its own it would give the others an empty one.
      isReady: () => this.isReady && settings.limits.historyCount > 0,
      checkpoint: () => this.#replica.checkpoint(),
      bans: () => this.#replica.bans.inForce(-Infinity),
      messages: this.#reads,
    });
    const answer = (request: unknown) => copies.answer(request);
    this.#quit = [
      wire.listenAside((notice) => this.#front.typedElsewhere(notice)),
      wire.answerCopies("copy", answer),
      wire.answerCopies(`copy.${incarnation}`, answer),
    ];
    this.#watch = setInterval(() => this.#look(), WATCH_MS);
    this.#writer.start(this.#replica);
    driver.start();
  }

  /** What beats say of this node, and what is seen of others and of appends. */
  #observed(node: string): Pick<DriverOptions, "about" | "heard" | "stored"> {
    return {
      about: () => ({ node, hash: this.#replica.hash, version: VERSION }),
      heard: (beat) => this.#peers.heard(steadyClock(), beat),
      stored: (seconds, repetitions) => {
        this.#clusterMeters.appendSeconds.observe(seconds);
        this.#clusterMeters.appendRetries.add(repetitions);
      },
    };
  }

  #look(): void {
    const { cluster: { patienceMs }, log } = this.#parts.options;
    this.#tell();
    const silentMs = this.#member.logSilentMs(steadyClock());
    if (!this.#isCutOff && silentMs >= patienceMs) {
      this.#isCutOff = true;
      log.error("cluster.cut_off", { seconds: Math.round(silentMs / 1000) });
      this.#front.closeAll(CLOSE.cutOff);
    } else if (this.#isCutOff && silentMs < READY_MS) {
      this.#isCutOff = false;
      log.info("cluster.works", {});
    }
    this.#followName();
    this.#register();
  }

  /** The room's name is the log's: at first that of its first leader, later that of a node whose name was changed. */
  #followName(): void {
    const { settings, onRenamed } = this.#parts.options;
    const name = this.#replica.kept.get(NAME);
    if (name === undefined && this.#member.isLeader) this.#keepName(settings.name);
    if (name === undefined || name === settings.name || this.#keptName !== undefined) return;
    settings.rename(name);
    for (const registration of this.#registrations) registration.changed();
    onRenamed();
  }

  /** Has the log keep a name, unless that is under way. */
  #keepName(name: string): void {
    if (this.#keptName === name) return;
    this.#keptName = name;
    void this.#front.order({ type: "ORDER_KEEP", key: NAME, value: name }).then(() => {
      if (this.#keptName === name) this.#keptName = undefined;
    });
  }

  /** Logs who leads and who is there, where that has changed. */
  #tell(): void {
    const { log } = this.#parts.options;
    const { up, silent } = this.#peers.changes(steadyClock());
    for (const { node, version } of up) log.info("cluster.node_heard", { node, version });
    for (const { node } of silent) log.warn("cluster.node_silent", { node });
    const { epoch, leader } = this.#replica;
    if (leader === undefined || epoch === this.#toldEpoch) return;
    const isOwn = leader === this.#incarnation;
    const peer = this.#peers.all(steadyClock()).find(({ by }) => by === leader);
    // A new leader is heard soon after its record.
    if (!isOwn && peer === undefined) return;
    this.#toldEpoch = epoch;
    log.info("cluster.led", { node: isOwn ? this.#parts.options.cluster.node : peer?.node, epoch, isOwn });
  }

  /** The leader registers. */
  #register(): void {
    const reachable = this.#reachable;
    if (reachable === undefined || this.#member.isLeader === this.#registrations.length > 0) return;
    if (!this.#member.isLeader) {
      for (const registration of this.#registrations.splice(0)) void registration.abandon();
      return;
    }
    const { settings, meters, tracing } = this.#parts.options;
    this.#registrations.push(...beginRegistrations({
      ...reachable,
      ...{ serverId: this.id, settings, proofs: this.#proofs, keys: this.stores.keys, meters, tracing },
      connectedUsers: () => this.#replica.connectedUsers,
    }));
  }

  #over(end: NodeEnd): void {
    const { log } = this.#parts.options;
    this.#quitAll();
    this.#front.closeAll(CLOSE.cutOff);
    for (const registration of this.#registrations.splice(0)) void registration.abandon();
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
    this.#driver.stop();
    this.#keptName = undefined;
    for (const quit of this.#quit.splice(0)) quit();
  }

  #makeSender(fanout: Fanout, reads: HistoryReads): DecisionSender {
    const { meters, log } = this.#parts.options;
    return new DecisionSender({
      fanout,
      onRosterChange: () => {
        for (const registration of this.#registrations) registration.changed();
      },
      onChange: (message) => {
        this.inbox.changed(message);
        reads.changed(message);
      },
      meters,
      log,
    });
  }

  #makeFront(fanout: Fanout, reads: HistoryReads, sender: DecisionSender): ClusterFront {
    const { sockets, soon, nowMs, log } = this.#parts.options;
    return new ClusterFront({
      ...{ sender, fanout, reads, sockets, soon, log, mintToken },
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

  readonly #leaderRoom: LeaderRoom = (parts) => {
    const { options: { settings } } = this.#parts;
    return {
      serverId: this.id,
      get serverName() {
        return settings.name;
      },
      get ownName() {
        return settings.ownName;
      },
      version: VERSION,
      startedSteadyMs: this.#startedSteadyMs,
      limits: settings.limits,
      get limitLoopback() {
        return settings.limitLoopback;
      },
      prove: (challenge) => this.#proofs.answer(challenge),
      ...parts,
    };
  };

  /** A room on the replica's members: it answers what changes nothing. */
  #makeRoom(): Room {
    const { state, membership, bans } = this.#replica;
    const parts: Parameters<LeaderRoom>[0] = {
      ...{ state, bans, isOfKicked: () => false, sessionOfToken: () => undefined },
      mintId: () => {
        throw new Error("Only the leader makes messages");
      },
    };
    const options: RoomOptions = this.#leaderRoom(parts);
    return new Room(options, membership.roster);
  }

  #makeModeration(): ClusterModeration {
    return new ClusterModeration({
      replica: this.#replica,
      order: (input) => this.#front.order(input),
      nowMs: this.#parts.options.nowMs,
      mintId: () => crypto.randomUUID(),
    });
  }

  /** The room's keys of listings; the store has those from before this server was a node. */
  #makeKeys(): ClusterNodeOptions["stores"]["keys"] {
    const { stores: { keys } } = this.#parts.options;
    const { kept } = this.#replica;
    return {
      get: async (listing) => kept.get(KEY_OF + listing) ?? await keys.get(listing),
      set: async (listing, key) => {
        await this.#front.order({ type: "ORDER_KEEP", key: KEY_OF + listing, value: key });
      },
      all: () =>
        Promise.resolve(
          [...kept].filter(([key]) => key.startsWith(KEY_OF))
            .map(([key, value]) => [key.slice(KEY_OF.length), value] as const),
        ),
    };
  }

  #readMeters(): void {
    const { meters, stores } = this.#parts.options;
    const { membership: { roster }, bans } = this.#replica;
    meters.readRoom({
      connectedUsers: () => this.#replica.connectedUsers,
      held: {
        get size() {
          return roster.heldSize;
        },
      },
      history: stores.retained,
      bans,
      registrations: this.#registrations,
    });
    this.#clusterMeters.read(this.#gauged());
  }

  #gauged(): GaugedNode {
    const [peers, member] = [() => this.#peers.all(steadyClock()), () => this.#member];
    const [replica, around] = [this.#replica, this.#parts.around];
    const isForked = () => this.#isForked;
    return {
      get isLeader() {
        return member().isLeader;
      },
      get isForked() {
        return isForked();
      },
      get epoch() {
        return replica.epoch;
      },
      get applied() {
        return replica.applied;
      },
      get newest() {
        return Math.max(0, ...peers().map(({ applied }) => applied));
      },
      get nodes() {
        return 1 + peers().filter(({ isSilent }) => !isSilent).length;
      },
      get unconfirmed() {
        return member().unconfirmed;
      },
      get logSilentMs() {
        return member().logSilentMs(steadyClock());
      },
      get isConnected() {
        return around.isConnected();
      },
      get reconnects() {
        return around.reconnects();
      },
    };
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

/** The name among the values of the room. */
const NAME = "name";
/** Listings' keys among the values of the room. */
const KEY_OF = "listing_key ";

function stateOf(
  { checkpoint, earlier, founded: { serverId } }: Restored,
  history: History,
  { settings, log }: ClusterNodeOptions,
): RoomState {
  const identity = {
    serverId,
    get serverName() {
      return settings.name;
    },
  };
  try {
    return restoredState({
      ...{ checkpoint, earlier, history, identity },
      replayBytesMax: () => replayBytesMax(settings.limits),
    });
  } catch (error) {
    if (!(error instanceof LogForked || error instanceof UnreadableRecord)) throw error;
    if (error instanceof LogForked) log.error("cluster.log_forked", { problem: error.message });
    throw new CannotStart(error.message, { cause: error });
  }
}

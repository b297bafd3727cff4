/**
 * The node: the single sequencer of a server and everything behind it: room, history, bans, held sessions, moderation
 * and registrations. It has no sockets: those are in the gateways, chat/gateway/gateway.ts.
 *
 * @module
 */
import { randomBytes } from "node:crypto";
import { setImmediate } from "node:timers";
import { forwardClock, preciseClock, steadyClock } from "../src/clock.ts";
import { settlesWithin } from "../src/deadline.ts";
import type { Logger } from "../src/logging/log.ts";
import type { Tracing } from "../src/metrics/tracing.ts";
import { VERSION } from "../src/version.ts";
import type { Journal } from "./store/journal.ts";
import { Fanout, type FanoutPort } from "./delivery/fanout.ts";
import { Teller } from "./order/teller.ts";
import { ResumeTokens } from "./resume/resume_tokens.ts";
import { RoomState } from "./room/room_state.ts";
import type { Scrub } from "../src/kv/scrub.ts";
import type { BanStore } from "./store/ban_store.ts";
import { Bans } from "./room/bans.ts";
import { ConfirmedClock } from "./store/confirmed_clock.ts";
import { History } from "./room/history.ts";
import { HeldSessions } from "./resume/held_sessions.ts";
import { Searches } from "./order/searches.ts";
import { Sequencer } from "./order/sequencer.ts";
import type { Participant } from "./delivery/participant.ts";
import { PresenceNotices } from "./delivery/presence_notices.ts";
import type { Proofs } from "./announce/proofs.ts";
import type { SessionStore } from "./store/session_store.ts";
import { messageIds } from "./room/message_id.ts";
import type { ChatMeters } from "./meters.ts";
import type { ClusterStatus } from "./admin/cluster_status.ts";
import { Moderation, type ModerationPort } from "./admin/moderation.ts";
import type { AdminRefusal } from "./admin/refusals.ts";
import {
  enoughFor,
  extendPositions,
  newestOf,
  recoverReplayBuffer,
  recoverSessions,
  reservePositions,
} from "./resume/recovery.ts";
import type { KeyStore, Registration } from "./announce/registration.ts";
import { beginRegistrations, type Reachability } from "./announce/registrations.ts";
import { Resumption } from "./resume/resumption.ts";
import { oldestKeptMs, Retention } from "./store/retention.ts";
import { Room } from "./room/room.ts";
import { TurnSpans } from "./order/turn_spans.ts";
import type { SettingsInForce } from "./settings.ts";

/** Storage that outlives the process, unless `--kv :memory:`. */
export interface Stores {
  /** The messages that clients can read: none with `--history-count 0`. */
  readonly journal: Journal;
  /** The messages in the store, which retention and export read. */
  readonly retained: Journal;
  readonly bans: BanStore;
  readonly sessions: SessionStore;
  /** Keys of the listings. */
  readonly keys: KeyStore;
  /** For reserved positions. */
  readonly kv: Deno.Kv;
  /** Undefined for a store without a file. */
  readonly scrub?: Scrub | undefined;
}

/** A server without its sockets. */
export interface ServerNode {
  /** Takes the inputs of sessions. */
  readonly inbox: Pick<Searches, "submit">;
  readonly moderation: ModerationPort;
  /** The nodes of the room; undefined for a server that is alone. */
  readonly cluster?: () => ClusterStatus;
  /** How many are in the room. */
  readonly connectedUsers: number;
  /** Call when the port is open: registers with the listings, and starts retention. */
  announce(reachability: Reachability): void;
  /** Call when the settings have changed. Returns the change of the bans. */
  reconfigured(): Promise<{ readonly added: number; readonly lifted: number } | AdminRefusal>;
  /** Withdraws from the listings. */
  withdraw(): Promise<void>;
  /** Answers the inputs received so far, if that is possible soon. */
  finish(): Promise<void>;
  /** Call when all connections are closed. */
  stop(): Promise<void>;
}

export interface NodeOptions {
  readonly id: number;
  readonly settings: SettingsInForce;
  readonly stores: Stores;
  /** Of the listings in `Reachability`. */
  readonly proofs: Proofs;
  /** All connections, with or without a session. */
  readonly sockets: () => Iterable<Participant>;
  /** The fan-out to other threads; undefined for this thread. */
  readonly fanout: FanoutPort | undefined;
  readonly soon: (turn: () => void) => void;
  /** As the sequencer's. */
  readonly turnReplaysMax?: number | undefined;
  readonly nowMs: () => number;
  readonly meters: ChatMeters;
  /** Undefined unless traces are collected. */
  readonly tracing: Tracing | undefined;
  readonly log: Logger;
}

/** Milliseconds for each pending task at a stop. */
const DRAIN_MS = 1000;

export class Node implements ServerNode {
  readonly sequencer: Sequencer;
  /** The sequencer, behind the searches of sessions. */
  readonly searches: Searches;
  readonly moderation: Moderation;
  readonly #options: NodeOptions;
  readonly #recovered: Recovered;
  readonly #state: RoomState;
  readonly #room: Room;
  readonly #tokens: ResumeTokens;
  readonly #held: HeldSessions;
  readonly #presence: PresenceNotices;
  readonly #registrations: Registration[] = [];
  readonly #clock: ConfirmedClock;
  #retention: Retention | undefined;
  #connectedUsers = 0;

  private constructor(options: NodeOptions, recovered: Recovered) {
    this.#options = options;
    this.#recovered = recovered;
    const { settings, stores, meters, log } = options;
    const { bans, sweptAtMs, newest } = recovered;
    this.#clock = new ConfirmedClock(sweptAtMs ?? newest?.receivedMs, steadyClock());
    this.#tokens = new ResumeTokens({ store: stores.sessions, mintToken, log });
    this.#held = new HeldSessions(
      () => settings.limits.resumeWindow * 1000,
      (held, hold) => this.sequencer.submit(held, { type: "HOLD_EXPIRED", hold }),
    );
    this.#state = this.#makeState();
    this.#room = this.#makeRoom();
    const resumption = new Resumption({ tokens: this.#tokens, held: this.#held });
    const fanout = options.fanout ?? new Fanout({ meters, steadyMs: steadyClock, log });
    this.#presence = new PresenceNotices({
      fanout,
      awayNames: () => this.#room.awayNames(),
      isOfThisRun: (position) => this.#state.isOfThisRun(position),
      outboxBytesMax: () => settings.limits.maxOutboxBytes,
      steadyMs: steadyClock,
    });
    this.sequencer = this.#makeSequencer(resumption, fanout);
    this.searches = this.#makeSearches(fanout);
    this.moderation = this.#makeModeration(resumption);
    const connectedUsers = () => this.#connectedUsers;
    const history = stores.retained;
    meters.readRoom({ connectedUsers, held: this.#held, history, bans, registrations: this.#registrations });
  }

  get connectedUsers(): number {
    return this.#connectedUsers;
  }

  get inbox(): Searches {
    return this.searches;
  }

  #confirmedMs(nowMs: number): number {
    return this.#clock.read(nowMs, steadyClock());
  }

  #makeState(): RoomState {
    const { id, settings } = this.#options;
    const { history, replayBuffer } = this.#recovered;
    return new RoomState({ history, replayBuffer, identity: { serverId: id, settings } });
  }

  #makeRoom(): Room {
    const { id, settings, proofs, nowMs } = this.#options;
    const { bans, newest } = this.#recovered;
    return new Room({
      serverId: id,
      settings,
      version: VERSION,
      startedSteadyMs: steadyClock(),
      mintId: messageIds({ nowMs, random32 }, newest?.uuid),
      state: this.#state,
      bans,
      sessionOfToken: (token) => this.#tokens.find(token),
      isOfKicked: (token) => this.#tokens.isOfKicked(token),
      prove: (challenge) => proofs.answer(challenge),
    });
  }

  #historyFromMs(nowMs: number): number {
    return oldestKeptMs(this.#confirmedMs(nowMs), this.#options.settings.limits.historyDays);
  }

  #makeSearches(fanout: FanoutPort): Searches {
    const { settings: { limits }, stores: { journal }, nowMs, meters, log } = this.#options;
    return new Searches({
      sequencer: this.sequencer,
      state: this.#state,
      journal,
      fanout,
      limits,
      historyFromMs: () => this.#historyFromMs(nowMs()),
      steadyMs: steadyClock,
      rest: (ms) => new Promise((resolve) => setTimeout(resolve, ms)),
      meters,
      log,
    });
  }

  #makeSequencer(resumption: Resumption, fanout: FanoutPort): Sequencer {
    const { stores: { journal }, soon, turnReplaysMax, nowMs, meters, tracing, log } = this.#options;
    const state = this.#state;
    const steadyMs = steadyClock;
    const onRosterChange = (users: number) => {
      this.#connectedUsers = users;
      for (const registration of this.#registrations) registration.changed();
    };
    return new Sequencer({
      room: this.#room,
      state,
      resumption,
      teller: new Teller({
        state,
        fanout,
        presence: this.#presence,
        resumption,
        onRosterChange,
        onChange: (message) => this.searches.changed(message),
        meters,
        log,
      }),
      journal,
      tokens: this.#tokens,
      nowMs,
      steadyMs,
      historyFromMs: (nowMs) => this.#historyFromMs(nowMs),
      soon,
      turnReplaysMax,
      othersRead: (ms) => new Promise((resolve) => ms < 1 ? setImmediate(resolve) : setTimeout(resolve, ms)),
      meters,
      spans: tracing && new TurnSpans(tracing, preciseClock),
      log,
    });
  }

  #makeModeration(resumption: Resumption): Moderation {
    const { sockets, stores, nowMs, log } = this.#options;
    const held = this.#held;
    return new Moderation({
      sequencer: this.sequencer,
      room: this.#room,
      sessionOf: (participant) => resumption.sessionOf(participant),
      bans: this.#recovered.bans,
      store: stores.bans,
      sessions: {
        *[Symbol.iterator]() {
          yield* sockets();
          yield* held;
        },
      },
      nowMs,
      confirmedMs: () => this.#confirmedMs(nowMs()),
      mintId: () => crypto.randomUUID(),
      log,
    });
  }

  /** Recovers the state of earlier runs. Inputs may be submitted from then on. */
  static async start(options: NodeOptions): Promise<Node> {
    const recovered = await recover(options);
    const nowMs = forwardClock(options.nowMs, recovered.newest?.receivedMs);
    const node = new Node({ ...options, nowMs }, recovered);
    await node.moderation.sweep();
    await node.#recoverSessions();
    return node;
  }

  /** Call when the port is open. Registers with the listings without waiting for them, and starts retention. */
  announce({ listings, port }: Reachability): void {
    this.#held.beginAll();
    const { id, settings, stores, proofs, nowMs, meters, tracing, log } = this.#options;
    this.#registrations.push(...beginRegistrations({
      ...{ listings, port, serverId: id, settings, proofs, keys: stores.keys, meters, tracing },
      connectedUsers: () => this.#connectedUsers,
    }));
    this.#retention = new Retention({
      messages: stores.retained,
      limits: settings.limits,
      replayableFrom: () => this.#recovered.replayBuffer.heldFrom,
      scrub: stores.scrub,
      nowMs,
      confirmedMs: () => this.#confirmedMs(nowMs()),
      log,
    });
  }

  /**
   * Call when the settings have changed: reloads the history window and the bans, and updates the listings. Returns the
   * change of the bans.
   */
  async reconfigured(): Promise<Awaited<ReturnType<Moderation["reread"]>>> {
    const { settings, stores, log } = this.#options;
    await this.sequencer.runExclusive(async () => {
      try {
        this.#recovered.history.reload(await newestOf(stores.journal, settings.limits));
      } catch (error) {
        // The old window stays in use.
        log.error("history.read_failed", { error });
      }
      return { inputs: [], answer: undefined };
    });
    const bans = await this.moderation.reread();
    for (const registration of this.#registrations) registration.changed();
    return bans;
  }

  async withdraw(): Promise<void> {
    await Promise.all(this.#registrations.map((registration) => registration.stop()));
  }

  /** Answers the inputs received so far, if the store works. */
  async finish(): Promise<void> {
    const answered = this.searches.idle().then(() => this.sequencer.idle());
    await settlesWithin(answered, DRAIN_MS);
  }

  /** Call when all connections are closed. */
  async stop(): Promise<void> {
    await this.finish();
    this.#held.stop();
    this.#presence.stop();
    await settlesWithin(this.#tokens.idle(), DRAIN_MS);
    if (this.#retention !== undefined) await settlesWithin(this.#retention.stop(), DRAIN_MS);
  }

  async #recoverSessions(): Promise<void> {
    const { stores, settings } = this.#options;
    await recoverSessions(await stores.sessions.load(), this.#recovered.named, {
      room: this.#room,
      state: this.#state,
      tokens: this.#tokens,
      held: this.#held,
      resumeWindow: settings.limits.resumeWindow,
      steadyMs: steadyClock,
    });
  }
}

type Recovered = Awaited<ReturnType<typeof recover>>;

/** What earlier runs stored, except sessions. */
async function recover({ settings: { limits }, stores, log }: NodeOptions) {
  const { kv } = stores;
  const newestMessages = await newestOf(stores.journal, limits);
  const history = new History(newestMessages);
  const newest = newestMessages.newest.at(-1);
  const bans = new Bans(await stores.bans.load());
  const broadcasts = await stores.journal.recoverBroadcasts(enoughFor(limits));
  const replayBuffer = recoverReplayBuffer(broadcasts, limits, {
    reservedFrom: await reservePositions(kv),
    reserve: (upTo) =>
      void extendPositions(kv, upTo).catch((error) => log.error("positions.reserve_failed", { error })),
  });
  const sweptAtMs = await stores.retained.sweptAtMs();
  return { history, newest, sweptAtMs, bans, replayBuffer, named: broadcasts.named };
}

/** 256 random bits in base64url. */
export function mintToken(): string {
  return randomBytes(32).toString("base64url");
}

/** Filled at once: one call for 512 numbers costs as much as for one. */
const randomPool = new Uint32Array(512);
let randomsLeft = 0;

export function random32(): number {
  if (randomsLeft === 0) {
    crypto.getRandomValues(randomPool);
    randomsLeft = randomPool.length;
  }
  return randomPool[--randomsLeft]!;
}

/**
 * The sequencer: the one order of a room and all that hangs on it, which is the sequencer, the history, bans, sessions that
 * may resume, moderation, and the listings. It knows no sockets: those are the fronts', chat/gateway/gateway.ts.
 *
 * @module
 */
import { randomBytes } from "node:crypto";
import type { Announcement } from "../src/announcement/schema.ts";
import { preciseClock, steadyClock } from "../src/clock.ts";
import { settlesWithin } from "../src/deadline.ts";
import { type Logger, logger } from "../src/logging/log.ts";
import type { Tracing } from "../src/metrics/tracing.ts";
import { VERSION } from "../src/version.ts";
import type { Journal, MessageStore, RecoveredBroadcasts } from "./store/journal.ts";
import type { FanoutPort } from "./delivery/fanout.ts";
import type { ReplayBuffer } from "./room/replay_buffer.ts";
import type { BanStore } from "./store/ban_store.ts";
import { Bans } from "./room/bans.ts";
import { History } from "./room/history.ts";
import { HeldSessions } from "./resume/held_sessions.ts";
import { Sequencer } from "./order/sequencer.ts";
import type { Participant } from "./delivery/participant.ts";
import { ListingClient } from "./announce/listing_client.ts";
import type { SessionStore } from "./store/session_store.ts";
import { ResumableSessions } from "./resume/resume_tokens.ts";
import { messageIds } from "./room/message_id.ts";
import type { ChatMeters } from "./meters.ts";
import { Moderation } from "./admin/moderation.ts";
import {
  extendPositions,
  newestOf,
  recoverReplayBuffer,
  recoverSessions,
  reservePositions,
} from "./resume/recovery.ts";
import { type KeyStore, Registration } from "./announce/registration.ts";
import { Resumption } from "./resume/resumption.ts";
import { oldestKeptId, Retention } from "./store/retention.ts";
import { Room } from "./room/room.ts";
import { TurnSpans } from "./order/turn_spans.ts";
import type { SettingsInForce } from "./settings.ts";

/** What outlives the process. */
export interface Stores {
  /** What is told of the past. */
  readonly journal: Journal;
  /** What is kept of it, where that differs. */
  readonly retained: MessageStore;
  readonly recovered: RecoveredBroadcasts;
  readonly bans: BanStore;
  readonly sessions: SessionStore;
  /** Of the listings. */
  readonly keys: KeyStore;
  /** Where positions are reserved. */
  readonly kv: Deno.Kv;
}

export interface NodeOptions {
  readonly id: number;
  readonly settings: SettingsInForce;
  readonly stores: Stores;
  /** Everybody with a socket, connected or not. */
  readonly sockets: () => Iterable<Participant>;
  /** Who hears what everyone is told, where they are not on this thread. */
  readonly fanout: FanoutPort | undefined;
  /** Has a turn begin soon. */
  readonly soon: (turn: () => void) => void;
  /** Milliseconds since 1970. */
  readonly nowMs: () => number;
  readonly meters: ChatMeters;
  /** There where traces are collected. */
  readonly tracing: Tracing | undefined;
  readonly log: Logger;
}

/** What listings are told of how the server is reached. */
export interface Reachability {
  /** Base URLs of the listings to register with. */
  readonly listings: readonly string[];
  /** The one that was opened: where no address is set, `:port` leaves the host to the listing. */
  readonly port: number;
}

/** Milliseconds that each thing under way may take at a stop. */
const DRAIN_MS = 1000;

export class Node {
  readonly sequencer: Sequencer;
  readonly moderation: Moderation;
  readonly #options: NodeOptions;
  readonly #room: Room;
  readonly #history: History;
  readonly #replayBuffer: ReplayBuffer;
  readonly #resumableSessions: ResumableSessions;
  readonly #holds: HeldSessions;
  readonly #registrations: Registration[] = [];
  #retention: Retention | undefined;
  #connectedUsers = 0;

  private constructor(
    options: NodeOptions,
    { history, newestId, replayBuffer, bans }: Awaited<ReturnType<typeof recover>>,
  ) {
    this.#options = options;
    const { id, settings, stores, fanout, soon, nowMs, meters, tracing, log } = options;
    const { limits } = settings;
    this.#history = history;
    this.#replayBuffer = replayBuffer;
    this.#resumableSessions = new ResumableSessions({ store: stores.sessions, mintToken, log });
    this.#holds = new HeldSessions(
      () => limits.resumeWindow * 1000,
      (held, hold) => this.sequencer.submit(held, { type: "HOLD_EXPIRED", hold }),
    );
    this.#room = new Room({
      serverId: id,
      get serverName() {
        return settings.name;
      },
      get ownName() {
        return settings.ownName;
      },
      version: VERSION,
      startedAtMs: nowMs(),
      limits,
      mintId: messageIds({ nowMs, random32 }, newestId),
    });
    const room = this.#room;
    this.sequencer = new Sequencer({
      room,
      history,
      journal: stores.journal,
      bans,
      resumption: new Resumption({ replayBuffer, sessions: this.#resumableSessions, holds: this.#holds }),
      identity: {
        serverId: id,
        get serverName() {
          return settings.name;
        },
      },
      limits,
      nowMs,
      steadyMs: steadyClock,
      soon,
      ...(fanout && { fanout }),
      historyFrom: (nowMs) => oldestKeptId(nowMs, limits.historyDays),
      onRosterChange: (users) => {
        this.#connectedUsers = users;
        for (const registration of this.#registrations) registration.changed();
      },
      meters,
      spans: tracing && new TurnSpans(tracing, preciseClock),
      log,
    });
    const holds = this.#holds;
    this.moderation = new Moderation({
      sequencer: this.sequencer,
      room,
      bans,
      store: stores.bans,
      sessions: {
        *[Symbol.iterator]() {
          yield* options.sockets();
          yield* holds;
        },
      },
      nowMs,
      mintId: () => crypto.randomUUID(),
      log,
    });
    const connectedUsers = () => this.#connectedUsers;
    meters.readRoom({ connectedUsers, holds, bans, registrations: this.#registrations });
  }

  /** Finds what the runs before it have left, and takes inputs from then on. */
  static async start(options: NodeOptions): Promise<Node> {
    const sequencer = new Node(options, await recover(options));
    await sequencer.moderation.sweep();
    await sequencer.#recoverSessions();
    return sequencer;
  }

  /** The port is open: registers with the listings, without waiting for them, and begins to sweep. */
  announce({ listings, port }: Reachability): void {
    this.#holds.beginAll();
    const { id, settings, stores, nowMs, meters, tracing, log } = this.#options;
    const describe = (): Announcement => ({
      serverName: settings.name,
      address: settings.address ?? `:${port}`,
      connectedUsers: this.#connectedUsers,
      maxUsers: settings.limits.maxUsers,
    });
    for (const listing of listings) {
      this.#registrations.push(
        new Registration({
          listing: new ListingClient(listing, id),
          keys: stores.keys,
          describe,
          random: Math.random,
          meters,
          tracing,
          log: logger("registration"),
        }),
      );
    }
    this.#retention = new Retention({
      messages: stores.retained,
      limits: settings.limits,
      replayableFrom: () => this.#replayBuffer.heldFrom,
      nowMs,
      log,
    });
  }

  /**
   * The settings have changed: what was made of them is made anew, the bans are read again, and the listings are told.
   * Answers what has become of the bans.
   */
  async reconfigured(): Promise<Awaited<ReturnType<Moderation["reread"]>>> {
    const { settings, stores, log } = this.#options;
    await this.sequencer.runExclusive(async () => {
      try {
        this.#history.renew(await newestOf(stores.journal, settings.limits));
      } catch (error) {
        // It goes on with what it has.
        log.error("history.read_failed", { error });
      }
      return { inputs: [], answer: undefined };
    });
    const bans = await this.moderation.reread();
    for (const registration of this.#registrations) registration.changed();
    return bans;
  }

  /** Withdraws from the listings. */
  async withdraw(): Promise<void> {
    await Promise.all(this.#registrations.map((registration) => registration.stop()));
  }

  /** Answers what was received, if the store still works. */
  async finish(): Promise<void> {
    await settlesWithin(this.sequencer.idle(), DRAIN_MS);
  }

  /** Ends what still waits, when nobody is there any more. */
  async stop(): Promise<void> {
    await this.finish();
    this.#holds.stop();
    await settlesWithin(this.#resumableSessions.idle(), DRAIN_MS);
    if (this.#retention !== undefined) await settlesWithin(this.#retention.stop(), DRAIN_MS);
  }

  async #recoverSessions(): Promise<void> {
    const { stores, settings } = this.#options;
    await recoverSessions(await stores.sessions.load(), stores.recovered.named, {
      store: stores.sessions,
      room: this.#room,
      sessions: this.#resumableSessions,
      holds: this.#holds,
      resumeWindow: settings.limits.resumeWindow,
    });
  }
}

/** What the runs before it have left, the sessions aside. */
async function recover({ settings: { limits }, stores, log }: NodeOptions) {
  const { kv } = stores;
  const newest = await newestOf(stores.journal, limits);
  const history = new History(newest);
  const newestId = newest.newest.at(-1)?.uuid;
  const bans = new Bans(await stores.bans.load());
  const replayBuffer = recoverReplayBuffer(stores.recovered, limits, {
    reservedFrom: await reservePositions(kv),
    reserve: (upTo) =>
      void extendPositions(kv, upTo).catch((error) => log.error("positions.reserve_failed", { error })),
  });
  return { history, newestId, bans, replayBuffer };
}

/** 256 random bits in base64url. */
function mintToken(): string {
  return randomBytes(32).toString("base64url");
}

/** Random numbers are asked for by the pool: a call costs as much for hundreds as for one. */
const randomPool = new Uint32Array(512);
let randomsLeft = 0;

function random32(): number {
  if (randomsLeft === 0) {
    crypto.getRandomValues(randomPool);
    randomsLeft = randomPool.length;
  }
  return randomPool[--randomsLeft]!;
}

/**
 * A sequencer for tests: the test answers for the journal, and participants record their frames. The room and the
 * history window are the real ones.
 *
 * @module
 */
import { assert } from "@std/assert";
import { Bans } from "../../chat/room/bans.ts";
import type { TurnFrames } from "../../chat/delivery/turn_frames.ts";
import type { CloseCause } from "../../src/protocol/close_codes.ts";
import { History } from "../../chat/room/history.ts";
import { Searches } from "../../chat/order/searches.ts";
import { Sequencer } from "../../chat/order/sequencer.ts";
import type { OutboxPort, Participant } from "../../chat/delivery/participant.ts";
import { PresenceNotices } from "../../chat/delivery/presence_notices.ts";
import type { Journal } from "../../chat/store/journal.ts";
import type { HistoryRange, JournalEntry, StoredMessage } from "../../chat/room/message.ts";
import type { Frame } from "../../chat/room/frame.ts";
import { Room } from "../../chat/room/room.ts";
import type { Input } from "../../chat/room/decision.ts";
import { decodeClientFrame } from "../../src/protocol/codec.ts";
import { ReplayBuffer } from "../../chat/room/replay_buffer.ts";
import { HeldSessions } from "../../chat/resume/held_sessions.ts";
import { ResumeTokens } from "../../chat/resume/resume_tokens.ts";
import { RoomState } from "../../chat/room/room_state.ts";
import { Teller } from "../../chat/order/teller.ts";
import { Fanout } from "../../chat/delivery/fanout.ts";
import { Resumption } from "../../chat/resume/resumption.ts";
import type { StoredSession } from "../../chat/store/session_store.ts";
import { ChatMeters } from "../../chat/meters.ts";
import { type FaultName, FAULTS, isFault } from "../../src/protocol/faults.ts";
import { DEFAULT_LIMITS } from "../../src/protocol/limits.ts";
import { nearestUsername, parseUsername, type Username } from "../../src/protocol/names.ts";
import type { Logger } from "../../src/logging/log.ts";
import { recordedLog } from "./recorded_log.ts";

export const ACK = "c2/ACKNOWLEDGE";

/** The frame that answers a fault without a limit in its text. */
export function refusal(name: FaultName): string {
  return `c2/ERROR ${FAULTS[name]}`;
}

/** The id of the `n`th message. */
export function id(n: number): string {
  return `019b7c2d-3400-7000-8000-${n.toString(16).padStart(12, "0")}`;
}

/** A message of an earlier run of the server, or of a session that is given as `author`. */
export function stored(n: number, text = `old ${n}`, author = "nobody here"): StoredMessage {
  return {
    uuid: id(n),
    author,
    username: "old name",
    timestamp: `${n}`,
    receivedMs: n,
    text,
    edited: false,
    position: n,
    nonce: undefined,
  };
}

/** A call that waits for the test to answer it. */
export interface Call<Question, Answer> {
  readonly asked: Question;
  readonly answer: (answer: Answer) => Promise<void>;
  readonly fail: () => Promise<void>;
}

/** Runs everything that waits for settled promises only. */
export async function promisesSettled(): Promise<void> {
  for (let i = 0; i < 50; i++) await Promise.resolve();
}

export class WaitingJournal implements Pick<Journal, "append" | "find" | "page"> {
  readonly appends: Call<readonly JournalEntry[], void>[] = [];
  readonly finds: Call<string, StoredMessage | undefined>[] = [];
  readonly pages: Call<HistoryRange, StoredMessage[]>[] = [];

  append(entries: readonly JournalEntry[]): Promise<void> {
    return this.#ask(this.appends, entries);
  }

  find(uuid: string): Promise<StoredMessage | undefined> {
    return this.#ask(this.finds, uuid);
  }

  page(range: HistoryRange): Promise<StoredMessage[]> {
    return this.#ask(this.pages, range);
  }

  #ask<Question, Answer>(calls: Call<Question, Answer>[], asked: Question): Promise<Answer> {
    return new Promise((resolve, reject) => {
      calls.push({
        asked,
        answer: (answer) => {
          resolve(answer);
          return promisesSettled();
        },
        fail: () => {
          reject(new Error("database or disk is full"));
          return promisesSettled();
        },
      });
    });
  }
}

/** A session, as the sequencer sees it. */
export class NotingParticipant implements Participant, OutboxPort {
  readonly id: string;
  readonly outbox: OutboxPort = this;
  readonly isExtended: boolean;
  readonly remoteAddress: string;
  readonly #chronicle: string[];
  /** Frames since the last call of `frames`. */
  #frames: string[] = [];
  #settled = 0;

  constructor(id: string, chronicle: string[], remoteAddress = "192.0.2.1", isLive = false) {
    this.id = id;
    this.isExtended = isLive;
    this.remoteAddress = remoteAddress;
    this.#chronicle = chronicle;
  }

  push({ text }: Frame): void {
    this.#frames.push(text);
    this.#chronicle.push(`${this.id} < ${text}`);
  }

  pushTurn(frames: TurnFrames, from: number): void {
    for (let i = from; i < frames.length; i++) this.push(frames.at(i));
  }

  flush(): void {}

  settled(): void {
    this.#settled++;
  }

  joined(): void {
    this.#chronicle.push(`${this.id} joined`);
  }

  close({ code, reason }: CloseCause): void {
    this.#chronicle.push(`${this.id} ended ${code} ${reason}`);
  }

  /** Frames sent to it since the last call. */
  frames(): string[] {
    const frames = this.#frames;
    this.#frames = [];
    return frames;
  }

  /** Inputs settled since the last call. */
  settledCount(): number {
    const count = this.#settled;
    this.#settled = 0;
    return count;
  }
}

export interface World {
  readonly sequencer: Sequencer;
  readonly searches: Searches;
  readonly room: Room;
  readonly state: RoomState;
  readonly tokens: ResumeTokens;
  readonly journal: WaitingJournal;
  readonly bans: Bans;
  /** The wall clock; also the steady one unless `steadyMs` is set. */
  readonly clock: { nowMs: number; steadyMs?: number };
  /** All frames sent to all participants, in order. */
  readonly chronicle: string[];
  readonly rosterSizes: number[];
  readonly log: ReturnType<typeof recordedLog>;
  readonly participant: (name: string, remoteAddress?: string) => NotingParticipant;
  /** A participant of the extended mode. */
  readonly live: (name: string, remoteAddress?: string) => NotingParticipant;
  /** Call `stop` at the end of a test that leaves a session held. */
  readonly held: HeldSessions;
  readonly presence: PresenceNotices;
  readonly sessionOf: (participant: Participant) => string | undefined;
  readonly sessionRows: ReadonlyMap<string, StoredSession>;
  /** Submits frames as a client writes them. */
  readonly send: (participant: Participant, ...frames: string[]) => void;
  /** Participants of these names that have joined, with all frames so far read. */
  readonly connected: <Names extends string[]>(...names: Names) => Promise<
    { [n in keyof Names]: NotingParticipant }
  >;
}

export function token(n: number): string {
  return `${n}`.padStart(43, "t");
}

export function input(text: string, isLive = false): Input {
  const frame = decodeClientFrame(text, DEFAULT_LIMITS, isLive);
  return isFault(frame) ? { type: "FAULT", fault: frame } : frame;
}

/** Adds held sessions of an earlier run until `users` are in the room. */
export function fillRoom(room: Room, users: number): void {
  for (let n = room.occupants().size; n < users; n++) {
    const username = parseUsername(`u${n}`) as Username;
    assert(room.restore(id(n), username, { connectedAtMs: 0, heldUntilMs: 1e6, address: "" }));
  }
}

/** The parts of a sequencer in memory except the room; `expired` is called for each hold that ends. */
export function orderInMemory(
  history: History,
  log: Logger,
  expired: ConstructorParameters<typeof HeldSessions>[1],
) {
  const replayBuffer = new ReplayBuffer({
    reservedFrom: 0,
    replayBytesMax: () => DEFAULT_LIMITS.maxOutboxBytes / 2,
    earlier: [],
    earlierFrom: 0,
    reserve: () => {},
  });
  const rows = new Map<string, StoredSession>();
  let minted = 0;
  const tokens = new ResumeTokens({
    store: {
      load: () => Promise.resolve([...rows.values()]),
      change(changes) {
        for (const [id, row] of changes) {
          if (row === undefined) rows.delete(id);
          else rows.set(id, row);
        }
        return Promise.resolve();
      },
    },
    mintToken: () => token(++minted),
    log,
  });
  const state = new RoomState({
    history,
    replayBuffer,
    identity: { serverId: 7, settings: { name: "Pub" } },
  });
  const held = new HeldSessions(() => 120_000, expired);
  return { state, tokens, held, rows, resumption: new Resumption({ tokens, held }) };
}

/**
 * A sequencer with an empty room. `history` is empty and whole unless given; new messages are id(10000) and up.
 * Presence notices wait for `presenceMs` for each listener.
 */
export function world(
  {
    history = new History({ kept: 100_000, newest: [], isWhole: true }),
    historyFromMs = 0,
    maxUsers = 1000,
    maxUsersPerAddress = 1000,
    limitLoopback = false,
    resumeWindow = DEFAULT_LIMITS.resumeWindow,
    othersRead = () => Promise.resolve(),
    maxSearchMessages = DEFAULT_LIMITS.maxSearchMessages,
    rest = () => Promise.resolve(),
    presenceMs = 0,
    outboxBytesMax = DEFAULT_LIMITS.maxOutboxBytes,
    turnReplaysMax,
  }: {
    history?: History;
    historyFromMs?: number;
    maxUsers?: number;
    maxUsersPerAddress?: number;
    limitLoopback?: boolean;
    resumeWindow?: number;
    othersRead?: (ms: number) => Promise<void>;
    maxSearchMessages?: number;
    rest?: (ms: number) => Promise<void>;
    presenceMs?: number;
    outboxBytesMax?: number;
    turnReplaysMax?: number;
  } = {},
): World {
  const journal = new WaitingJournal();
  const chronicle: string[] = [];
  const rosterSizes: number[] = [];
  const log = recordedLog();
  let minted = 10_000;
  const bans = new Bans([]);
  const clock: World["clock"] = { nowMs: 5000 };
  const extended = orderInMemory(
    history,
    log.log,
    (held, hold) => sequencer.submit(held, { type: "HOLD_EXPIRED", hold }),
  );
  const { state, tokens, resumption } = extended;
  const room = new Room({
    serverId: 7,
    settings: {
      name: "Pub",
      ownName: nearestUsername("Pub", "Server"),
      limits: { ...DEFAULT_LIMITS, maxUsers, maxUsersPerAddress, resumeWindow },
      limitLoopback,
    },
    version: "1",
    startedSteadyMs: 0,
    mintId: () => id(minted++),
    state,
    bans,
    sessionOfToken: (token) => tokens.find(token),
    isOfKicked: (token) => tokens.isOfKicked(token),
    prove: () => undefined,
  });
  const meters = new ChatMeters();
  const steadyMs = () => clock.steadyMs ?? clock.nowMs;
  const fanout = new Fanout({ meters, steadyMs, log: log.log });
  const presence = new PresenceNotices({
    fanout,
    awayNames: () => room.awayNames(),
    isOfThisRun: (position) => state.isOfThisRun(position),
    outboxBytesMax: () => outboxBytesMax,
    steadyMs,
    msPerListener: presenceMs,
  });
  const sequencer: Sequencer = new Sequencer({
    room,
    state,
    resumption,
    teller: new Teller({
      state,
      fanout,
      presence,
      resumption,
      onRosterChange: (users) => rosterSizes.push(users),
      onChange: (message) => searches.changed(message),
      meters,
      log: log.log,
    }),
    journal,
    tokens,
    nowMs: () => clock.nowMs,
    steadyMs,
    soon: queueMicrotask,
    othersRead,
    turnReplaysMax,
    historyFromMs: () => historyFromMs,
    meters,
    log: log.log,
  });
  const searches = new Searches({
    sequencer,
    state,
    journal,
    fanout,
    limits: { maxSearchMessages },
    historyFromMs: () => historyFromMs,
    steadyMs,
    rest,
    meters,
    log: log.log,
  });
  const participant = (name: string, remoteAddress?: string) =>
    new NotingParticipant(name, chronicle, remoteAddress);
  const live = (name: string, remoteAddress?: string) =>
    new NotingParticipant(name, chronicle, remoteAddress, true);
  const send = (participant: Participant, ...frames: string[]) => {
    for (const frame of frames) searches.submit(participant, input(frame, participant.isExtended));
  };
  return {
    sequencer,
    searches,
    room,
    state,
    tokens,
    journal,
    bans,
    clock,
    chronicle,
    rosterSizes,
    log,
    participant,
    live,
    held: extended.held,
    presence,
    sessionOf: (participant) => resumption.sessionOf(participant),
    sessionRows: extended.rows,
    send,
    async connected(...names) {
      const all = names.map((name) => participant(name));
      for (const one of all) send(one, `c2/CONNECT ${one.id}`);
      await sequencer.idle();
      for (const one of all) {
        one.frames();
        one.settledCount();
      }
      chronicle.length = 0;
      rosterSizes.length = 0;
      return all as never;
    },
  };
}

export function msg(name: string, n: number, text: string): string {
  return `c2/MSG ${name}; 1; ${id(n)}; ${text}`;
}

export function texts({ asked }: Call<readonly JournalEntry[], void>): string[] {
  return asked.map(({ message }) => message.text);
}

export function last<Question, Answer>(calls: Call<Question, Answer>[]): Call<Question, Answer> {
  const call = calls.at(-1);
  assert(call, "the journal was not asked");
  return call;
}

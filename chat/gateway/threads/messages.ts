/**
 * Messages between the sequencer's thread and a gateway's thread: flat lists of numbers and texts, one per turn and
 * one per round of a gateway's event loop. Lists are used because each message is copied, and copying an object takes
 * several times as long as a text. Pure; link.ts and thread_gateway.ts read and write them.
 *
 * @module
 */
import type { ForwardedLine, LogLevel } from "../../../src/logging/log.ts";
import type { Tls } from "../../../src/serving/tls_files.ts";
import type { Admitted, Refused } from "../admission.ts";
import { CLOSE, type CloseCause } from "../../../src/protocol/close_codes.ts";
import type { GatewayOptions } from "../gateway.ts";
import type { Input } from "../../room/decision.ts";
import type { Settings } from "../../settings.ts";
import type { TransportName } from "../../sockets/transport.ts";

/** A session's number on its gateway. */
export type SessionNumber = number;

export type Packed = (string | number | Input)[];

/** Entries of a turn for a gateway, in order; the listed fields follow each kind. */
export const Downlink = {
  /** text: broadcast to all. */
  all: 0,
  /** text: broadcast to extended clients. */
  live: 1,
  /** session or NO_SESSION, text: broadcast to extended clients except this session. */
  liveBut: 2,
  /** session, text: send to this session. */
  one: 3,
  /** session: add it to the fan-out. */
  add: 4,
  /** session: remove it from the fan-out. */
  remove: 5,
  /** session: it is in the room. */
  joined: 6,
  /** session: one of its inputs is answered. */
  settled: 7,
  /** session, cause: close its connection. */
  end: 8,
  /** text: broadcast to plain clients. */
  plain: 9,
} as const;

/** Places that each kind takes, including itself. */
export const FIELD_COUNT: readonly number[] = [2, 2, 3, 3, 2, 2, 2, 2, 3, 2] as const satisfies {
  [kind in (typeof Downlink)[keyof typeof Downlink]]: number;
};

/** Sent as an index, because causes are compared by identity. */
const CAUSES: readonly CloseCause[] = Object.values(CLOSE);

export function placeOf(cause: CloseCause): number {
  return CAUSES.indexOf(cause);
}

export function causeAt(place: number): CloseCause {
  return CAUSES[place] ?? CLOSE.internal;
}

/** No session of this gateway. */
export const NO_SESSION: SessionNumber = -1;

/** Entries of a gateway's message, after the number of turns that it has applied. */
export const Uplink = {
  /** session, timestamp, text: a MSG, the most frequent input. */
  message: 0,
  /** session, input. */
  input: 1,
  /** session, id, 1 for extended or 0, address: a new session. */
  opened: 2,
  /** session, cause: close it after all broadcasts so far. */
  end: 3,
  /** session: its connection is gone. */
  over: 4,
  /** ticket: an admitted socket is gone. */
  left: 5,
} as const;

/** Calls from a gateway to the sequencer's thread. */
export interface SequencerCalls {
  admit(remoteAddress: string): TicketedSocket | Refused;
  isReady(): Promise<boolean>;
  countUsers(): number | Promise<number>;
  answer(request: PlainRequest): Promise<PlainResponse>;
  log(line: ForwardedLine): void;
}

/** An admitted socket; it counts until its ticket is returned. */
export interface TicketedSocket extends Pick<Admitted, "isAdmitted"> {
  readonly ticket: number;
}

/** A request that can be posted to another thread. */
export interface PlainRequest {
  readonly url: string;
  readonly method: string;
  readonly headers: [string, string][];
  readonly body: Uint8Array<ArrayBuffer> | undefined;
  readonly remoteAddress: string;
}

export interface PlainResponse {
  readonly status: number;
  readonly headers: [string, string][];
  readonly body: string;
}

/** The options with which a gateway opens its port. */
export interface GatewayStart
  extends Pick<GatewayOptions, "hostname" | "port" | "tls" | "sharers" | "serverId" | "isPublic"> {
  readonly transport: TransportName;
  /** True if there is an admin API. */
  readonly isAdministered: boolean;
  /** The minimum level of the log; undefined disables it. */
  readonly logLevel: LogLevel | undefined;
}

/** Calls from the sequencer's thread to a gateway. */
export interface GatewayCalls {
  /** Returns the opened port. */
  open(start: GatewayStart, settings: Settings): Promise<number>;
  reconfigure(settings: Settings): void;
  renewTls(tls: Tls): Promise<boolean>;
  /** Refuses new connections. */
  refuse(): void;
  /** Stops reading; all frames read are submitted before the answer. */
  flushInbound(): void;
  close(): Promise<void>;
  /** The gateway's counts, in the order of its meters. */
  meters(): readonly number[];
}

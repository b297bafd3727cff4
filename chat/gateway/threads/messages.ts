/**
 * What goes between the sequencer's thread and a gateway's, as flat lists of numbers and texts: one for all that a turn
 * tells, and one for all that a gateway has received in a round of its event loop. Each is copied on its way, and an
 * object takes several times as long as a text. Pure: who reads and writes them are link.ts and thread_front.ts.
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

/** What a turn tells a gateway, in order; behind each of these stands what it names. */
export const Downlink = {
  /** The text: to all who hear what everyone is told. */
  all: 0,
  /** The text: to those of the extended mode. */
  live: 1,
  /** Session or NOBODY, text: to those of the extended mode but this one. */
  liveBut: 2,
  /** Session, text: to it alone. */
  one: 3,
  /** Session: from here on it hears what everyone is told. */
  add: 4,
  /** Session: it hears that no more. */
  remove: 5,
  /** Session: it is in the room. */
  joined: 6,
  /** Session: one of its inputs has been dealt with. */
  settled: 7,
  /** Session, cause: its connection ends. */
  end: 8,
} as const;

/** How many places of the list each takes, itself included. */
export const FIELD_COUNT: readonly number[] = [2, 2, 3, 3, 2, 2, 2, 2, 3] as const satisfies {
  [kind in (typeof Downlink)[keyof typeof Downlink]]: number;
};

/** The causes of an end, by their places: what they are is known by being the same objects. */
const CAUSES: readonly CloseCause[] = Object.values(CLOSE);

export function placeOf(cause: CloseCause): number {
  return CAUSES.indexOf(cause);
}

export function causeAt(place: number): CloseCause {
  return CAUSES[place] ?? CLOSE.internal;
}

/** No session of this gateway. */
export const NOBODY: SessionNumber = -1;

/** What a gateway submits, behind the number of turns that it has told so far. */
export const Uplink = {
  /** Session, timestamp, text: MSG, which is most of what comes. */
  message: 0,
  /** Session, input. */
  input: 1,
  /** Session, id, 1 or 0 for whether it is of the extended mode, address: there is a session. */
  opened: 2,
  /** Session, cause: it is to end behind all that it was told. */
  end: 3,
  /** Session: its connection is gone. */
  over: 4,
  /** Ticket: a socket that was let in is gone. */
  left: 5,
} as const;

/** What the sequencer's thread is asked by a gateway. */
export interface SequencerCalls {
  admit(arrival: { readonly remoteAddress: string; readonly origin: string | null }): LetIn | Refused;
  isReady(): Promise<boolean>;
  answer(request: PlainRequest): Promise<PlainResponse>;
  log(line: ForwardedLine): void;
}

/** A socket that counts until its ticket is given back. */
export interface LetIn extends Pick<Admitted, "isAdmitted"> {
  readonly ticket: number;
}

/** A request as it can be handed to another thread. */
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

/** What a gateway is told when it is to open its port. */
export interface GatewayStart
  extends Pick<GatewayOptions, "hostname" | "port" | "tls" | "sharers" | "serverId"> {
  readonly transport: TransportName;
  /** Whether there is an admin API. */
  readonly isAdministered: boolean;
  /** The least of the log that is written; undefined where nothing is. */
  readonly logLevel: LogLevel | undefined;
}

/** What a gateway is asked by the sequencer's thread. */
export interface GatewayCalls {
  /** Answers the port that it has opened. */
  open(start: GatewayStart, settings: Settings): Promise<number>;
  /** The settings have changed. */
  reconfigure(settings: Settings): void;
  renewTls(tls: Tls): Promise<boolean>;
  /** From now on nobody is let in. */
  refuse(): void;
  /** From now on nothing is read; everything that was is submitted before the answer. */
  flushInbound(): void;
  close(): Promise<void>;
  /** What it has counted, by the places of its meters. */
  meters(): readonly number[];
}

/**
 * A record of the cluster's log: one turn of the leader, a new leader, or the beginning. Records are JSON, their most
 * frequent entries as flat lists, and each has the hash of the record before it. Pure.
 *
 * @module
 */
import { Buffer } from "node:buffer";
import { createHash } from "node:crypto";
import type { Decision } from "../room/decision.ts";
import type { StoredMessage } from "../room/message.ts";
import type { Ban } from "../room/bans.ts";
import type { Decided, Opening } from "./membership.ts";
import type { Ruling } from "./command.ts";

interface RecordHead {
  readonly epoch: number;
  /** The hash of the record before. */
  readonly previous: string;
  /** Milliseconds since 1970 by the leader's clock. */
  readonly atMs: number;
}

/** From here on a node leads. */
export type LeadRecord = RecordHead & { readonly kind: "lead"; readonly by: string };

export type TurnRecord =
  & RecordHead
  & {
    readonly kind: "turn";
    /** The position of the newest broadcast before it, §12.2. */
    readonly position: number;
    /** The last decided input of each node with inputs in this turn, those without an entry included. */
    readonly through: readonly (readonly [node: string, number: number])[];
    readonly decided: readonly Decided[];
    /** Nodes that are lost: after the decisions, which end their sessions. */
    readonly lost: readonly string[];
  };

/** The first record: what the whole cluster is. */
export type FoundedRecord = RecordHead & { readonly kind: "founded"; readonly founded: Founded };

export interface Founded {
  /** The server's id, on listings too. */
  readonly serverId: number;
  /** The secret of its proofs, in base64url. */
  readonly secret: string;
  /** Whether the room began without messages, so that the log has all of them. */
  readonly isEmpty: boolean;
}

export type ClusterRecord = LeadRecord | TurnRecord | FoundedRecord;

/** What another program put into the log: it has no effect, and the chain goes on after it. */
export interface ForeignRecord {
  readonly kind: "foreign";
  /** Its length. */
  readonly bytes: number;
}

/** The hash before the first record. */
export const FIRST_HASH = "";

export function hashOf(bytes: Uint8Array): string {
  // The bytes contain the hash before them: the hash of a record is that of the whole log up to it.
  return createHash("sha256").update(bytes).digest("base64url").slice(0, 22);
}

/** The head of a record of any format: format, kind, epoch, hash of the record before, time. */
const HEAD = /^\[\d+,"[a-z]+",\d+,"[\w-]*",[-+.\de]+[,\]]/;
const HEAD_BYTES_MAX = 150;

/** Whether a node may have written the bytes. Nodes of all versions say the same of the same bytes. */
export function isRecord(bytes: Uint8Array): boolean {
  return HEAD.test(new TextDecoder().decode(bytes.subarray(0, HEAD_BYTES_MAX)));
}

/** The bytes are no record, or one of a newer format. */
export class UnreadableRecord extends Error {}

/** What a record has after its head, which is the same in every format. */
export interface RecordFormat {
  readonly encode: (record: ClusterRecord) => readonly unknown[];
  /** `body` is what `encode` gave, through JSON. Throws if it is not. */
  // deno-lint-ignore no-explicit-any
  readonly decode: (kind: unknown, head: RecordHead, body: any[]) => ClusterRecord;
}

/**
 * The formats that this program reads, from format 1 on. A new format is one more entry; a leader writes it once all
 * nodes read it: formats.ts.
 */
const FORMATS: readonly RecordFormat[] = [{ encode: encodeBody, decode: decodeBody }];

/** Records as bytes. */
export interface RecordCodec {
  /** The newest format that it reads. */
  readonly newest: number;
  encode(record: ClusterRecord, format: number): Uint8Array;
  /** Throws UnreadableRecord. */
  decode(bytes: Uint8Array): ClusterRecord;
}

export function recordCodec(formats: readonly RecordFormat[]): RecordCodec {
  return {
    newest: formats.length,
    encode: (record, format) => {
      const { kind, epoch, previous, atMs } = record;
      const fields = [format, kind, epoch, previous, atMs, ...formats[format - 1]!.encode(record)];
      return new TextEncoder().encode(JSON.stringify(fields));
    },
    decode: (bytes) => {
      try {
        return decoded(bytes, formats);
      } catch (error) {
        if (error instanceof UnreadableRecord) throw error;
        throw new UnreadableRecord(`The log has a record that no node of a room has written: ${error}`);
      }
    },
  };
}

/** The codec of this program. */
export const RECORDS = recordCodec(FORMATS);

/** In the first format, which every node reads. */
export function encodeRecord(record: ClusterRecord): Uint8Array {
  return RECORDS.encode(record, 1);
}

function encodeBody(record: ClusterRecord): readonly unknown[] {
  switch (record.kind) {
    case "lead":
      return [record.by];
    case "founded":
      return [record.founded];
    case "turn":
      return [record.position, record.through.flat(), record.decided.map(encodeDecided), record.lost];
  }
}

/** Throws UnreadableRecord. */
export function decodeRecord(bytes: Uint8Array): ClusterRecord {
  return RECORDS.decode(bytes);
}

function decoded(bytes: Uint8Array, formats: readonly RecordFormat[]): ClusterRecord {
  const [format, kind, epoch, previous, atMs, ...body] = JSON.parse(new TextDecoder().decode(bytes));
  const read = formats[format - 1];
  if (read === undefined) {
    throw new UnreadableRecord(
      `The log has a record of format ${format}; this program reads 1 to ${formats.length}`,
    );
  }
  return read.decode(kind, { epoch, previous, atMs }, body);
}

function decodeBody(...[kind, head, body]: Parameters<RecordFormat["decode"]>): ClusterRecord {
  if (kind === "lead") return { kind, ...head, by: body[0] };
  if (kind === "founded") {
    const { serverId, secret, isEmpty } = body[0];
    return { kind, ...head, founded: { serverId, secret, isEmpty } };
  }
  if (kind !== "turn") throw new UnreadableRecord(`The log has a record of the unknown kind ${kind}`);
  const [position, flat, decided, lost] = body;
  return { kind, ...head, position, lost, through: pairs(flat), decided: decided.map(decodeDecided) };
}

function pairs(flat: readonly (string | number)[]): [string, number][] {
  return Array.from(
    { length: flat.length / 2 },
    (_, n) => [flat[2 * n] as string, flat[2 * n + 1] as number],
  );
}

/** Bytes of a decision in a record, or a few more. */
export function bytesOfDecided(decided: Decided): number {
  const { node, decision } = decided;
  if (decision.kind !== "stored" || decision.entry.kind !== "said") return bytesOf(encodeDecided(decided));
  const { username, text, nonce = "" } = decision.entry.message;
  return SAID_BYTES + bytesOfText(node) + bytesOfText(username) + bytesOfText(text) + bytesOfText(nonce);
}

/** Bytes of a value as JSON. */
export function bytesOf(value: unknown): number {
  return Buffer.byteLength(JSON.stringify(value)) + 1;
}

/** The bytes of a text in JSON, or more, without encoding it. */
export function bytesOfText(text: string): number {
  return PLAIN_TEXT.test(text) ? text.length : 6 * text.length;
}

/** Text that JSON takes as it is. */
const PLAIN_TEXT = /^[ !#-[\]-~]*$/;
/** What a new message has beside its texts: two ids of 36 characters, six numbers, and the marks between. */
const SAID_BYTES = 240;

/** A new message is a flat list; everything else is rare and stays an object. */
function encodeDecided({ node, session, input, isLast, opening, ruling, decision }: Decided): unknown[] {
  if (decision.kind !== "stored" || decision.entry.kind !== "said") {
    const rest = ruling === undefined ? [] : [ruling];
    return [node, session, input, decision, opening ?? null, isLast ? 1 : 0, ...rest];
  }
  const { uuid, author, username, timestamp, receivedMs, text, position, nonce } = decision.entry.message;
  const rest = nonce === undefined ? [] : [nonce];
  return [node, session, input, uuid, author, username, timestamp, receivedMs, text, position, ...rest];
}

// deno-lint-ignore no-explicit-any
function decodeDecided([node, session, input, first, ...rest]: any[]): Decided {
  if (typeof first === "object") {
    const [opening, isLast, ruling] = rest;
    const decision: Decision = restored(first);
    return {
      ...{ node, session, input, isLast: isLast === 1, decision },
      opening: opening === null ? undefined : openingOf(opening),
      ruling: ruling === undefined ? undefined : rulingOf(ruling),
    };
  }
  const [author, username, timestamp, receivedMs, text, position, nonce] = rest;
  const message: StoredMessage = {
    ...{ uuid: first, author, username, timestamp, receivedMs, text },
    ...{ edited: false, position, nonce },
  };
  return {
    ...{ node, session, input, isLast: false, opening: undefined, ruling: undefined },
    decision: { kind: "stored", entry: { kind: "said", message } },
  };
}

/** JSON leaves out what is undefined: the fields that a decision may lack come back. */
function restored(decision: Decision): Decision {
  switch (decision.kind) {
    case "stored": {
      const { entry } = decision;
      if (entry.kind === "said") return decision;
      return { kind: "stored", entry: { ...entry, message: whole(entry.message) } };
    }
    case "joined":
      return { ...decision, displaced: decision.displaced && left(decision.displaced) };
    case "left":
      return left(decision);
    case "unresumable":
      return { ...decision, left: left(decision.left) };
    default:
      return decision;
  }
}

function whole(message: StoredMessage): StoredMessage {
  return { ...message, position: message.position, nonce: message.nonce };
}

function left<Departed extends { readonly message: string | undefined }>(departed: Departed): Departed {
  return { ...departed, message: departed.message };
}

function openingOf({ id, isExtended, remoteAddress, tokenHash }: Opening): Opening {
  return { id, isExtended, remoteAddress, tokenHash };
}

function rulingOf({ removed, added, kept, answer }: Ruling): Ruling {
  return {
    ...{ removed, kept, added: added.map(banOf) },
    answer: answer.kind === "banned"
      ? { ...answer, ban: banOf(answer.ban) }
      : answer.kind === "lifted"
      ? { ...answer, bans: answer.bans.map(banOf) }
      : answer,
  };
}

function banOf({ id, name, address, message, createdAtMs, endsAtMs }: Ban): Ban {
  return { id, name, address, message, createdAtMs, endsAtMs };
}

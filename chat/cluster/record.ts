/**
 * A record of the cluster's log: one turn of the leader, a new leader, or the
 * beginning. Records are JSON, their most frequent entries
 * as flat lists, and each has the hash of the record before it. Pure.
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

/** The format that this program writes, and the newest that it reads. */
export const RECORD_FORMAT = 1;

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

/** The hash before the first record. */
export const FIRST_HASH = "";

export function hashOf(bytes: Uint8Array): string {
  // The bytes contain the hash before them: the hash of a record is that of the whole log up to it.
  return createHash("sha256").update(bytes).digest("base64url").slice(0, 22);
}

export function encodeRecord(record: ClusterRecord): Uint8Array {
  const { kind, epoch, previous, atMs } = record;
  const head = [RECORD_FORMAT, kind, epoch, previous, atMs];
  const body = record.kind === "lead"
    ? [record.by]
    : record.kind === "founded"
    ? [record.founded]
    : [record.position, record.through.flat(), record.decided.map(encodeDecided), record.lost];
  return new TextEncoder().encode(JSON.stringify([...head, ...body]));
}

/** The bytes are no record, or one of a newer format. */
export class UnreadableRecord extends Error {}

/** Throws UnreadableRecord. */
export function decodeRecord(bytes: Uint8Array): ClusterRecord {
  try {
    return decoded(bytes);
  } catch (error) {
    if (error instanceof UnreadableRecord) throw error;
    throw new UnreadableRecord(`The log has a record that no node of a room has written: ${error}`);
  }
}

function decoded(bytes: Uint8Array): ClusterRecord {
  const [format, kind, epoch, previous, atMs, ...body] = JSON.parse(new TextDecoder().decode(bytes));
  if (typeof format !== "number" || format < 1 || format > RECORD_FORMAT) {
    throw new UnreadableRecord(
      `The log has a record of format ${format}; this program reads 1 to ${RECORD_FORMAT}`,
    );
  }
  if (kind === "lead") return { kind, epoch, previous, atMs, by: body[0] };
  if (kind === "founded") {
    const { serverId, secret, isEmpty } = body[0];
    return { kind, epoch, previous, atMs, founded: { serverId, secret, isEmpty } };
  }
  if (kind !== "turn") throw new UnreadableRecord(`The log has a record of the unknown kind ${kind}`);
  const [position, flat, decided, lost] = body;
  return {
    ...{ kind, epoch, previous, atMs, position, lost },
    through: pairs(flat),
    decided: decided.map(decodeDecided),
  };
}

function pairs(flat: readonly (string | number)[]): [string, number][] {
  return Array.from(
    { length: flat.length / 2 },
    (_, n) => [flat[2 * n] as string, flat[2 * n + 1] as number],
  );
}

/** Bytes of a decision in a record. */
export function bytesOfDecided(decided: Decided): number {
  return bytesOf(encodeDecided(decided));
}

/** Bytes of a value as JSON. */
export function bytesOf(value: unknown): number {
  return Buffer.byteLength(JSON.stringify(value)) + 1;
}

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

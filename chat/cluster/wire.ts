/**
 * The port to the messages between nodes. They may be lost, doubled or out of order: whatever must arrive is in the log,
 * or is sent again.
 *
 * @module
 */
import type { InputMessage } from "./inputs.ts";
import type { Beat } from "./member.ts";

/** A beat with what it says of the node to people. */
export interface NodeBeat extends Beat {
  /** `--cluster-node`. */
  readonly node: string;
  /** The hash of the record that it applied last. */
  readonly hash: string;
  readonly version: string;
  /** Records of other programs that it has skipped; undefined for none. */
  readonly foreign?: number | undefined;
  /** Milliseconds since 1970 by its clock; undefined from an earlier version. */
  readonly wallMs?: number | undefined;
  /** Its limits that are not the default ones, by name. */
  readonly limits?: { readonly [name: string]: number } | undefined;
}

export interface WireListener {
  readonly inputs: (message: InputMessage) => void;
  readonly beat: (beat: NodeBeat) => void;
}

export interface ClusterWire {
  /** Receives the inputs for this node, and the beats of all. Returns what ends it. */
  listen(node: string, listener: WireListener): () => void;
  send(to: string, message: InputMessage): void;
  beat(beat: NodeBeat): void;
  /** Sends what matters for a moment only: to all nodes, this one included. */
  notify(notice: TypingNotice): void;
  listenNotices(on: (notice: TypingNotice) => void): () => void;
  /** Answers requests for a copy, one at a time: `subject` is `copy` for all, or of one node. */
  answerCopies(subject: string, answer: (request: unknown) => Promise<unknown>): () => void;
  /** Rejects if no node answers in time. */
  askForCopy(subject: string, request: unknown): Promise<unknown>;
}

/** A user of a node types, which the other nodes show. */
export interface TypingNotice {
  readonly node: string;
  readonly username: string;
}

/** UTF-16 units of what a beat says to people: four times the longest --cluster-node. */
const SHOWN_UNITS_MAX = 256;

/** The same of an incarnation, a UUID: a record names each that is lost. */
export const INCARNATION_UNITS_MAX = 64;

type Fields = Readonly<Record<string, unknown>>;

export function isFields(value: unknown): value is Fields {
  return typeof value === "object" && value !== null;
}

/** Whether a message is a beat: another version, or another program, may send anything. */
export function isNodeBeat(value: unknown): value is NodeBeat {
  return isFields(value) && isIncarnation(value.by) &&
    [value.node, value.hash, value.version].every(isShown) &&
    isCount(value.epoch) && isCount(value.applied) && typeof value.isLeader === "boolean" &&
    (value.reads === undefined || isCount(value.reads) && value.reads !== 0) &&
    (value.foreign === undefined || isCount(value.foreign)) &&
    (value.wallMs === undefined || isCount(value.wallMs)) &&
    (value.limits === undefined || isFields(value.limits) && Object.values(value.limits).every(isCount));
}

export function isTypingNotice(value: unknown): value is TypingNotice {
  return isFields(value) && isText(value.node) && isText(value.username);
}

/** Whether a message has inputs; whole_inputs.ts looks into each. */
export function isInputMessage(value: unknown): value is InputMessage {
  return isFields(value) && isIncarnation(value.node) && isCount(value.first) &&
    Array.isArray(value.inputs) &&
    value.inputs.every(isInput);
}

function isInput(value: unknown): boolean {
  return isFields(value) && isCount(value.session) && isFields(value.input) && isText(value.input.type);
}

function isIncarnation(value: unknown): boolean {
  return isText(value) && value.length <= INCARNATION_UNITS_MAX;
}

/** A text that a log line and a table have room for. */
function isShown(value: unknown): boolean {
  return isText(value) && value.length <= SHOWN_UNITS_MAX;
}

export function isText(value: unknown): value is string {
  return typeof value === "string";
}

export function isCount(value: unknown): value is number {
  return typeof value === "number" && Number.isSafeInteger(value) && value >= 0;
}

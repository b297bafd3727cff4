/**
 * The numbered inputs of a node on their way to the leader. A node sends again what no record has confirmed; the leader
 * takes each number once and in order. So each input is decided once, over any number of leaders. Pure.
 *
 * @module
 */
import type { Input } from "../room/decision.ts";
import type { OperatorCommand } from "./command.ts";
import type { Opening, Origin } from "./membership.ts";
import { bytesOf, bytesOfText } from "./record.ts";

/** Inputs of one message to the leader; the rest follow in further messages. */
export const INPUTS_MAX = 500;
/** Bytes of a message to the leader after which it takes no further input, of 100 kB at most: NATS takes 1 MiB. */
export const INPUT_BYTES_MAX = 900_000;

export interface NumberedInput {
  /** 0 is the node's operator. */
  readonly session: number;
  readonly input: Input | OperatorCommand;
  /** For CONNECT and RESUME. */
  readonly opening: Opening | undefined;
  /**
   * For RESUME: the hash of its session's newest token, as far as the node knew when it came; undefined from an earlier
   * version.
   */
  readonly newestToken?: string | undefined;
}

/** Consecutive inputs of one node; the first has the number `first`. */
export interface InputMessage {
  readonly node: string;
  readonly first: number;
  readonly inputs: readonly NumberedInput[];
}

/** An input with its place: its node and its number there. */
export interface PlacedInput extends NumberedInput, Origin {
  readonly number: number;
}

/** Bytes of an input as JSON, or a few more. A message is the most frequent one. */
function bytesOfInput(numbered: NumberedInput): number {
  const { input } = numbered;
  if (input.type === "MSG") return MESSAGE_BYTES + bytesOfText(input.text);
  if (input.type === "SEND") return MESSAGE_BYTES + bytesOfText(input.nonce) + bytesOfText(input.text);
  return bytesOf(numbered);
}

/** What a message has beside its texts: names of fields, and a number of 16 digits at most. */
const MESSAGE_BYTES = 160;

/** The inputs of one node that no applied record has confirmed. Numbers begin at 1. */
export class UnconfirmedInputs {
  readonly #node: string;
  #first = 1;
  #inputs: NumberedInput[] = [];
  /** How many of them were sent to the present leader. */
  #sent = 0;

  constructor(node: string) {
    this.#node = node;
  }

  get size(): number {
    return this.#inputs.length;
  }

  add(input: NumberedInput): number {
    this.#inputs.push(input);
    return this.#first + this.#inputs.length - 1;
  }

  /** Forgets the inputs up to number `through`, which a record has decided. */
  confirm(through: number): void {
    const count = Math.min(Math.max(0, through - this.#first + 1), this.#inputs.length);
    this.#inputs = this.#inputs.slice(count);
    this.#first += count;
    this.#sent = Math.max(0, this.#sent - count);
  }

  /** The next message to the leader; undefined if all were sent. */
  next(): InputMessage | undefined {
    const waiting = this.#inputs.slice(this.#sent, this.#sent + INPUTS_MAX);
    if (waiting.length === 0) return undefined;
    let bytes = 0;
    const last = waiting.findIndex((input) => (bytes += bytesOfInput(input)) > INPUT_BYTES_MAX);
    const inputs = last < 0 ? waiting : waiting.slice(0, last + 1);
    const first = this.#first + this.#sent;
    this.#sent += inputs.length;
    return { node: this.#node, first, inputs };
  }

  /** Call for a new leader, or after a time without progress: all are sent again. */
  rewind(): void {
    this.#sent = 0;
  }
}

/** The leader's queue: of each node only the input after the last one that it took. */
export class InputQueue {
  readonly #taken: Map<string, number>;
  #queue: PlacedInput[] = [];

  /** `through` has the last decided number of each node. */
  constructor(through: ReadonlyMap<string, number>) {
    this.#taken = new Map(through);
  }

  get size(): number {
    return this.#queue.length;
  }

  take({ node, first, inputs }: InputMessage): void {
    const taken = this.#taken.get(node) ?? 0;
    // After a gap nothing is taken: the node sends all again.
    if (first > taken + 1) return;
    const fresh = inputs.slice(taken + 1 - first);
    for (const [n, input] of fresh.entries()) this.#queue.push({ ...input, node, number: taken + 1 + n });
    if (fresh.length > 0) this.#taken.set(node, taken + fresh.length);
  }

  /** The next inputs, in order, while `fits` accepts each. */
  batch(fits: (input: PlacedInput) => boolean): readonly PlacedInput[] {
    const refused = this.#queue.findIndex((input) => !fits(input));
    return this.#queue.splice(0, refused < 0 ? this.#queue.length : refused);
  }
}

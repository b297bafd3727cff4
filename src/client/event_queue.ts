/**
 * Events that wait for a loop of the program, as an async iterator with a limit. A loop that is too slow ends with an
 * error, as a slow consumer does on the server.
 *
 * @module
 */
import { ChatError } from "./chat_error.ts";

/** Events that wait for a program: some minutes of a busy room. */
export const WAITING_EVENTS_MAX = 10_000;
/** UTF-16 units of text of the events that wait: 8 MiB of memory. */
export const WAITING_UNITS_MAX = 4_194_304;

/** The limits of a queue; a test has smaller ones. */
export interface QueueLimits {
  readonly events: number;
  readonly units: number;
}

export const QUEUE_LIMITS: QueueLimits = { events: WAITING_EVENTS_MAX, units: WAITING_UNITS_MAX };

interface Waiting<T> {
  readonly resolve: (result: IteratorResult<T>) => void;
  readonly reject: (error: Error) => void;
}

export class EventQueue<T> implements AsyncIterableIterator<T> {
  readonly #limits: QueueLimits;
  readonly #onClose: () => void;
  readonly #events: { readonly event: T; readonly units: number }[] = [];
  readonly #waiting: Waiting<T>[] = [];
  #units = 0;
  #end: { error: Error | undefined } | undefined;

  /** `onClose` is called when the queue takes no more events. */
  constructor(limits: QueueLimits = QUEUE_LIMITS, onClose: () => void = () => {}) {
    this.#limits = limits;
    this.#onClose = onClose;
  }

  /** Adds an event whose text has `units` UTF-16 units. Past a limit the queue drops all and ends. */
  push(event: T, units: number): void {
    if (this.#end !== undefined) return;
    const waiting = this.#waiting.shift();
    if (waiting !== undefined) return waiting.resolve({ value: event, done: false });
    this.#events.push({ event, units });
    this.#units += units;
    if (this.#events.length <= this.#limits.events && this.#units <= this.#limits.units) return;
    this.#events.length = 0;
    this.end(new ChatError("TOO_SLOW"));
  }

  /** Ends the loop after the events that wait, with an error or without. */
  end(error?: Error): void {
    if (this.#end !== undefined) return;
    this.#end = { error };
    for (const waiting of this.#waiting.splice(0)) this.#finish(waiting);
    this.#onClose();
  }

  next(): Promise<IteratorResult<T>> {
    const first = this.#events.shift();
    if (first !== undefined) {
      this.#units -= first.units;
      return Promise.resolve({ value: first.event, done: false });
    }
    return new Promise((resolve, reject) => {
      if (this.#end === undefined) this.#waiting.push({ resolve, reject });
      else this.#finish({ resolve, reject });
    });
  }

  /** Called where a loop is left. */
  return(): Promise<IteratorResult<T>> {
    this.#events.length = 0;
    this.end();
    return Promise.resolve({ value: undefined, done: true });
  }

  [Symbol.asyncIterator](): this {
    return this;
  }

  /** The error once; a loop that asks again is at its end. */
  #finish({ resolve, reject }: Waiting<T>): void {
    const error = this.#end?.error;
    this.#end = { error: undefined };
    if (error === undefined) resolve({ value: undefined, done: true });
    else reject(error);
  }
}

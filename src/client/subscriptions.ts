/**
 * Who takes the events of a chat: callbacks and loops of the program. Until the first of them is there events wait, so
 * that none is lost between connecting and listening.
 *
 * @module
 */
import type { ChatEvent, ChatEventOf } from "./chat_events.ts";
import { EventQueue, QUEUE_LIMITS, type QueueLimits } from "./event_queue.ts";

interface Subscriber {
  /** Undefined for all. */
  readonly types: readonly ChatEvent["type"][] | undefined;
  readonly take: (event: ChatEvent) => void;
}

export class Subscriptions {
  readonly #limits: QueueLimits;
  readonly #subscribers = new Set<Subscriber>();
  readonly #queues = new Set<Pick<EventQueue<unknown>, "end">>();
  /** Events before the first subscriber; undefined from then on. */
  #early: ChatEvent[] | undefined = [];
  #earlyUnits = 0;
  #end: { error: Error | undefined } | undefined;

  constructor(limits: QueueLimits = QUEUE_LIMITS) {
    this.#limits = limits;
  }

  emit(event: ChatEvent): void {
    if (this.#early === undefined) this.#deliver(event);
    else this.#keepEarly(this.#early, event);
  }

  /** Calls `take` for each event of these types. Returns a function that stops it. */
  on<T extends ChatEvent["type"]>(
    types: readonly T[] | undefined,
    take: (event: ChatEventOf<T>) => void,
  ): () => void {
    const subscriber = { types, take: take as (event: ChatEvent) => void };
    this.#subscribers.add(subscriber);
    // All that subscribe in the same turn receive the early events.
    if (this.#early !== undefined && this.#subscribers.size === 1) queueMicrotask(() => this.#deliverEarly());
    return () => void this.#subscribers.delete(subscriber);
  }

  /** A loop over what `valueOf` makes of the events of these types. */
  loop<T extends ChatEvent["type"], V>(
    types: readonly T[] | undefined,
    valueOf: (event: ChatEventOf<T>) => V,
  ): AsyncIterableIterator<V> {
    const queue: EventQueue<V> = new EventQueue<V>(this.#limits, () => {
      off();
      this.#queues.delete(queue);
    });
    const off = this.on(types, (event) => queue.push(valueOf(event), unitsOf(event)));
    this.#queues.add(queue);
    if (this.#end !== undefined && this.#early === undefined) queue.end(this.#end.error);
    return queue;
  }

  /** Ends all loops after the events that wait in them. */
  end(error: Error | undefined): void {
    this.#end = { error };
    if (this.#early === undefined) { for (const queue of [...this.#queues]) queue.end(error); }
  }

  #keepEarly(early: ChatEvent[], event: ChatEvent): void {
    early.push(event);
    this.#earlyUnits += unitsOf(event);
    if (early.length <= this.#limits.events && this.#earlyUnits <= this.#limits.units) return;
    early.splice(0, early.length, { type: "gap" });
    this.#earlyUnits = 0;
  }

  #deliverEarly(): void {
    const early = this.#early ?? [];
    this.#early = undefined;
    for (const event of early) this.#deliver(event);
    if (this.#end !== undefined) this.end(this.#end.error);
  }

  #deliver(event: ChatEvent): void {
    for (const { types, take } of [...this.#subscribers]) {
      if (types !== undefined && !types.includes(event.type)) continue;
      try {
        take(event);
      } catch (error) {
        // A bug of the program, which its platform reports. The session goes on.
        queueMicrotask(() => {
          throw error;
        });
      }
    }
  }
}

/** UTF-16 units of text in an event: names of a hostile server may be long too. */
function unitsOf(event: ChatEvent): number {
  const parts = "message" in event ? [event.message.text, event.message.username] : Object.values(event);
  return parts.reduce((units: number, part) => units + (typeof part === "string" ? part.length : 0), 0);
}

/**
 * A cluster's log in memory, with the rules of the real one: the fence on the next number, and the same answer to the
 * same id. Faults are the caller's.
 *
 * @module
 */
import type { Appended, LogEntry } from "../../../chat/cluster/log.ts";

export class MemoryLog {
  readonly #records: Uint8Array[] = [];
  readonly #ids = new Map<string, number>();

  get records(): readonly Uint8Array[] {
    return this.#records;
  }

  /** `knowsRepeats`: whether a repeated append is known by its id, as NATS does it for some streams. */
  append(at: number, id: string, bytes: Uint8Array, knowsRepeats: boolean): Appended {
    const known = this.#ids.get(id);
    if (known !== undefined) return { kind: known === at && knowsRepeats ? "stored" : "passed" };
    if (!this.accepts(at, id)) return { kind: "passed" };
    this.#records.push(bytes);
    this.#ids.set(id, this.#records.length);
    return { kind: "stored" };
  }

  /** A record of another program, past the fence. */
  stray(bytes: Uint8Array): LogEntry {
    return { number: this.#records.push(bytes), bytes };
  }

  read(from: number, max: number): LogEntry[] {
    return this.#records.slice(from - 1, from - 1 + max).map((bytes, n) => ({ number: from + n, bytes }));
  }

  /** The fence. */
  protected accepts(at: number, _id: string): boolean {
    return at === this.#records.length + 1;
  }
}

/** A log without the fence, to show that the model needs it. */
export class UnfencedLog extends MemoryLog {
  protected override accepts(): boolean {
    return true;
  }
}

/** A log whose fence lets the ids pass that have `part` in them. */
export function logUnfencedFor(part: string): MemoryLog {
  return new class extends MemoryLog {
    protected override accepts(at: number, id: string): boolean {
      return super.accepts(at, id) || id.includes(part);
    }
  }();
}

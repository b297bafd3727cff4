/**
 * Bugs on demand: replaces a method of the real program during a test, and keeps what the program logs. The program
 * itself needs no hooks for tests.
 *
 * @module
 */
import { configure, type LogRecord, reset } from "@logtape/logtape";

// deno-lint-ignore no-explicit-any
type Method = (this: any, ...args: any[]) => any;

/** Replaces a method by `make(original)` until it is disposed of. */
export function replaced<T extends object>(
  owner: T,
  name: string & keyof T,
  make: (original: Method) => Method,
): Disposable {
  const original = owner[name];
  const own = Object.hasOwn(owner, name);
  const replacement = make(original as Method);
  Object.defineProperty(owner, name, { value: replacement, configurable: true, writable: true });
  return {
    [Symbol.dispose]() {
      if (own) Object.defineProperty(owner, name, { value: original, configurable: true, writable: true });
      else delete owner[name];
    },
  };
}

/** The bug that is thrown. */
export class Bug extends TypeError {
  override name = "Bug";
}

/** Makes a method throw when `isHit` returns true, by default at its first call. */
export function broken<T extends object>(
  owner: T,
  name: string & keyof T,
  isHit: (self: unknown, ...args: never[]) => boolean = once(),
): Disposable {
  return replaced(owner, name, (original) =>
    function (...args) {
      if (isHit(this, ...args as never[])) throw new Bug(`in ${name}`);
      return original.apply(this, args);
    });
}

function once(): () => boolean {
  let hit = false;
  return () => !hit && (hit = true);
}

/** What the program logs from now until it is disposed of. */
export async function keptLog(): Promise<KeptLog> {
  const records: LogRecord[] = [];
  await configure({
    reset: true,
    sinks: { kept: (record) => void records.push(record) },
    loggers: [
      { category: "chatter", lowestLevel: "info", sinks: ["kept"] },
      { category: ["logtape", "meta"], lowestLevel: "warning", sinks: [] },
    ],
  });
  return new KeptLog(records);
}

export class KeptLog implements AsyncDisposable {
  readonly #records: LogRecord[];

  constructor(records: LogRecord[]) {
    this.#records = records;
  }

  /** The events at level error, in order: the name, and its `where` if any. */
  errors(): string[] {
    return this.#records.filter(({ level }) => level === "error").map(({ rawMessage, properties }) =>
      properties.where === undefined ? String(rawMessage) : `${rawMessage} ${properties.where}`
    );
  }

  /** The values of the first event of that name. */
  properties(event: string): Readonly<Record<string, unknown>> {
    return this.#records.find(({ rawMessage }) => rawMessage === event)?.properties ?? {};
  }

  /** The stacks of the bugs thrown on purpose. */
  stacks(): string[] {
    return this.#records.map(({ properties }) => properties.error).filter((error) => error instanceof Bug)
      .map(({ stack }) => stack ?? "");
  }

  [Symbol.asyncDispose](): Promise<void> {
    return reset();
  }
}

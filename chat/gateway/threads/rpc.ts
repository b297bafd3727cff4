/**
 * Remote calls between threads over a shared port. An error is rethrown at the caller. If the other thread is gone,
 * all calls reject.
 *
 * @module
 */

interface Call {
  readonly call: number;
  readonly name: string;
  readonly args: readonly unknown[];
}

interface Answer {
  readonly answer: number;
  readonly value?: unknown;
  readonly error?: { readonly name: string; readonly message: string };
}

export type CallMessage = Call | Answer;

// deno-lint-ignore no-explicit-any -- functions of every kind
type Functions<T> = { readonly [name in keyof T]: (...args: any[]) => unknown };

interface Waiting {
  readonly resolve: (value: never) => void;
  readonly reject: (error: Error) => void;
}

export class Calls<Theirs extends Functions<Theirs>, Ours extends Functions<Ours>> {
  readonly #post: (message: CallMessage) => void;
  readonly #ours: Ours;
  readonly #waiting = new Map<number, Waiting>();
  #asked = 0;
  #problem: string | undefined;

  /** `ours` serves the other thread's calls. */
  constructor(post: (message: CallMessage) => void, ours: Ours) {
    this.#post = post;
    this.#ours = ours;
  }

  /** Rejects with the other thread's error, or if that thread is gone. */
  ask<Name extends keyof Theirs & string>(
    name: Name,
    ...args: Parameters<Theirs[Name]>
  ): Promise<Awaited<ReturnType<Theirs[Name]>>> {
    if (this.#problem !== undefined) return Promise.reject(new Error(this.#problem));
    const call = ++this.#asked;
    return new Promise((resolve, reject) => {
      this.#waiting.set(call, { resolve, reject });
      this.#post({ call, name, args });
    });
  }

  /** Receives a message of the other thread. */
  receive(message: CallMessage): void {
    if ("call" in message) return void this.#answer(message);
    const waiting = this.#waiting.get(message.answer);
    this.#waiting.delete(message.answer);
    if (message.error === undefined) waiting?.resolve(message.value as never);
    else waiting?.reject(errorOf(message.error));
  }

  /** The other thread is gone. */
  end(problem: string): void {
    this.#problem = problem;
    for (const { reject } of this.#waiting.values()) reject(new Error(problem));
    this.#waiting.clear();
  }

  async #answer({ call, name, args }: Call): Promise<void> {
    try {
      const value = await this.#ours[name as keyof Ours](...args);
      this.#post({ answer: call, value });
    } catch (error) {
      const { name, message } = error instanceof Error ? error : new Error(String(error));
      this.#post({ answer: call, error: { name, message } });
    }
  }
}

/** An error of the same class, so that callers can distinguish a port in use from a forbidden one. */
function errorOf({ name, message }: NonNullable<Answer["error"]>): Error {
  const ofRuntime: unknown = Reflect.get(Deno.errors, name);
  if (typeof ofRuntime === "function") return Reflect.construct(ofRuntime, [message]);
  const error = new Error(message);
  error.name = name;
  return error;
}

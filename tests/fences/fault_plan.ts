/**
 * Which calls of which ports throw. A test wraps a port by `at` before it gives the port to a part of the program, and
 * says later which call fails. The program needs no hook for that.
 *
 * @module
 */
import { Bug } from "../support/broken.ts";

/** The names of an interface's methods. */
type MethodOf<Port> = {
  [Name in keyof Port]: Port[Name] extends (...args: never[]) => unknown ? Name : never;
}[
  & keyof Port
  & string
];

/** `Ports` are the wrapped ports by name. A call is `port.method`. */
export class FaultPlan<Ports> {
  /** By call: how many calls it takes until one throws. */
  readonly #planned = new Map<string, number>();

  /** The next call throws, or the `nth` from now. */
  next<Port extends keyof Ports & string>(call: `${Port}.${MethodOf<Ports[Port]>}`, nth = 1): void {
    this.#planned.set(call, nth);
  }

  /** Wraps a port: its planned calls throw. */
  at<Port extends keyof Ports & string>(name: Port, port: Ports[Port] & object): Ports[Port] {
    return new Proxy(port, {
      get: (target, method) => {
        const member: unknown = Reflect.get(target, method, target);
        if (typeof member !== "function") return member;
        return (...args: unknown[]) => {
          if (this.isDue(`${name}.${String(method)}`)) throw new Bug(`in ${name}.${String(method)}`);
          return member.apply(target, args);
        };
      },
    });
  }

  /** Counts this call. Returns whether it must fail. */
  isDue(call: string): boolean {
    const left = this.#planned.get(call);
    if (left === undefined) return false;
    if (left > 1) this.#planned.set(call, left - 1);
    else this.#planned.delete(call);
    return left === 1;
  }
}

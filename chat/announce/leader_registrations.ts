/**
 * The registrations of a room over several nodes: those of the node that leads. A listing shows one server, whichever
 * node that is.
 *
 * @module
 */
import type { Registration } from "./registration.ts";
import { beginRegistrations, type Reachability, type RegistrationsParts } from "./registrations.ts";

export class LeaderRegistrations {
  /** Empty on the other nodes. */
  readonly list: Registration[] = [];
  readonly #parts: Omit<RegistrationsParts, keyof Reachability>;
  #reachable: Reachability | undefined;

  constructor(parts: Omit<RegistrationsParts, keyof Reachability>) {
    this.#parts = parts;
  }

  /** From here on the listings can reach this node. */
  announce(reachable: Reachability): void {
    this.#reachable = reachable;
  }

  /** Registers if this node leads, and leaves that to another otherwise. Call it whenever that may have changed. */
  follow(isLeader: boolean): void {
    if (this.#reachable === undefined || isLeader === this.list.length > 0) return;
    if (!isLeader) this.abandon();
    else this.list.push(...beginRegistrations({ ...this.#reachable, ...this.#parts }));
  }

  /** The room is another than the listings know. */
  changed(): void {
    for (const registration of this.list) registration.changed();
  }

  /** Leaves the listings to the node that leads next, without a word to them. */
  abandon(): void {
    for (const registration of this.list.splice(0)) void registration.abandon();
  }

  /** At a stop: the last node of a room takes it off the listings. */
  async withdraw(isLast: boolean): Promise<void> {
    this.#reachable = undefined;
    await Promise.all(this.list.splice(0).map((one) => isLast ? one.stop() : one.abandon()));
  }
}

/**
 * What of a chat server's settings may change while it runs: one object in which its parts look values up whenever
 * they need them, and which is changed in one place.
 *
 * Pure. It knows none of the parts. Where a part has made something of a value, as a page with the server's name in
 * it, that part is told to make it anew by whoever changes the settings.
 *
 * @module
 */
import type { Limits } from "../src/protocol/limits.ts";
import { nearestUsername, type Username } from "../src/protocol/names.ts";

/** Plain values, which can be sent to a thread. */
export interface Settings {
  readonly name: string;
  /** What listings are told; undefined is the port that was opened. */
  readonly address: string | undefined;
  /** As `https://chat.example`; undefined allows any. */
  readonly allowedOrigins: readonly string[] | undefined;
  /** Takes the address of a client from the last entry of X-Forwarded-For. */
  readonly trustProxy: boolean;
  /** Holds clients of this machine to the limits of addresses too. */
  readonly limitLoopback: boolean;
  readonly limits: Limits;
}

export class SettingsInForce implements Settings {
  /** Always this object: what is in it changes. */
  readonly limits: Limits;
  #settings: Settings;
  #ownName: Username;

  constructor(settings: Settings) {
    this.#settings = settings;
    this.limits = { ...settings.limits };
    this.#ownName = ownNameOf(settings);
  }

  get name(): string {
    return this.#settings.name;
  }

  /** The name under which the server speaks, which nobody else may have. */
  get ownName(): Username {
    return this.#ownName;
  }

  get address(): string | undefined {
    return this.#settings.address;
  }

  get allowedOrigins(): readonly string[] | undefined {
    return this.#settings.allowedOrigins;
  }

  get trustProxy(): boolean {
    return this.#settings.trustProxy;
  }

  get limitLoopback(): boolean {
    return this.#settings.limitLoopback;
  }

  /** Puts others in force. What of them needs a restart was taken out before, see `changeable`. */
  put(settings: Settings): void {
    this.#settings = settings;
    this.#ownName = ownNameOf(settings);
    Object.assign(this.limits, settings.limits);
  }
}

/**
 * `next` without what cannot take the place of what is in force: a server that keeps no history has no journal, and
 * one that does has.
 */
export function changeable(now: Settings, next: Settings): Settings {
  const { historyCount } = now.limits;
  if ((historyCount === 0) === (next.limits.historyCount === 0)) return next;
  return { ...next, limits: { ...next.limits, historyCount } };
}

function ownNameOf({ name }: Settings): Username {
  return nearestUsername(name, "Server");
}

/**
 * The settings that may change while a chat server runs, in one object that its parts read when they need a value.
 * Pure. A part that caches something made from a value, such as a page, is notified by chat/mod.ts.
 *
 * @module
 */
import type { Limits } from "../src/protocol/limits.ts";
import { nearestUsername, type Username } from "../src/protocol/names.ts";

/** Plain values, so that they can be sent to a thread. */
export interface Settings {
  readonly name: string;
  /** By which the server says on listings what it is; undefined says nothing. */
  readonly description?: string | undefined;
  readonly tags?: readonly string[] | undefined;
  readonly language?: string | undefined;
  /** The address for listings; undefined means the open port. */
  readonly address: string | undefined;
  /** For example `https://chat.example`; undefined allows all. */
  readonly allowedOrigins: readonly string[] | undefined;
  /** Whether the last entry of X-Forwarded-For is the client's address. */
  readonly trustProxy: boolean;
  /** Whether limits by address include clients on this machine. */
  readonly limitLoopback: boolean;
  readonly limits: Limits;
}

/** The texts that are filled into the page. */
export function pageTexts({ name, description = "" }: Settings): { serverName: string; description: string } {
  return { serverName: name, description };
}

export class SettingsInForce implements Settings {
  /** The same object at all times; its values change. */
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

  /** The server's own author name: no client may use it. */
  get ownName(): Username {
    return this.#ownName;
  }

  get description(): string | undefined {
    return this.#settings.description;
  }

  get tags(): readonly string[] | undefined {
    return this.#settings.tags;
  }

  get language(): string | undefined {
    return this.#settings.language;
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

  /** Replaces the name: that of a cluster is the log's. */
  rename(name: string): void {
    this.#settings = { ...this.#settings, name };
    this.#ownName = ownNameOf(this.#settings);
  }

  /** Replaces all settings. Call with the result of `changeable`. */
  apply(settings: Settings): void {
    this.#settings = settings;
    this.#ownName = ownNameOf(settings);
    Object.assign(this.limits, settings.limits);
  }
}

/** `next` without changes that need a restart: history can be resized but not switched on or off. */
export function changeable(now: Settings, next: Settings): Settings {
  const { historyCount } = now.limits;
  if ((historyCount === 0) === (next.limits.historyCount === 0)) return next;
  return { ...next, limits: { ...next.limits, historyCount } };
}

function ownNameOf({ name }: Settings): Username {
  return nearestUsername(name, "Server");
}

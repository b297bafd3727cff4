/**
 * Moderation of a running room: ban, lift, kick, announce, and list users, PROTOCOL.md §6.3, docs/admin_api.md §11.
 * Each change has one place in the sequencer's order: no input is decided while a ban is stored, takes effect and ends
 * the sessions that it applies to. The admin API checks who may call it.
 *
 * @module
 */
import { addressBlock, normalizeIp } from "../../src/address.ts";
import { areTooAlike } from "../../src/lookalikes.ts";
import type { Logger } from "../../src/logging/log.ts";
import type { Username } from "../../src/protocol/names.ts";
import { type AdminRefusal, refuseAdmin } from "./refusals.ts";
import { type Ban, Bans, BANS_MAX, matches, saidOf } from "../room/bans.ts";
import { type BanStore, CHANGE_BANS_MAX } from "../store/ban_store.ts";
import type { Sequencer } from "../order/sequencer.ts";
import type { Participant, Submission } from "../delivery/participant.ts";
import type { Room } from "../room/room.ts";
import { type Decision, SERVER_AUTHOR } from "../room/decision.ts";
import type { Occupant, SessionId } from "../room/roster.ts";

export interface ConnectedUser {
  readonly username: string;
  readonly address: string;
  readonly connectedAtMs: number;
  readonly connectedSeconds: number;
  /** True while the session is held: its connection is lost, and it counts as connected nowhere. */
  readonly away: boolean;
}

export interface BanRequest {
  readonly name: Username | undefined;
  /** As `readAddressBlock` of bans.ts writes it. */
  readonly address: string | undefined;
  /** Bans the current address of the session with this name too. */
  readonly withAddress: boolean;
  readonly message: string;
  /** Undefined for a ban without an end. */
  readonly seconds: number | undefined;
}

export interface Banned {
  readonly ban: Ban;
  /** Names of the sessions that the ban ended. */
  readonly disconnected: readonly string[];
}

export interface ModerationOptions {
  readonly sequencer: Sequencer;
  readonly room: Pick<Room, "occupants">;
  /** Undefined for a participant whose connection ends. */
  readonly sessionOf: (participant: Participant) => SessionId | undefined;
  readonly bans: Bans;
  readonly store: BanStore;
  /** All connections, with or without a session. */
  readonly sessions: Iterable<Participant>;
  readonly nowMs: () => number;
  /** The time that is believed, of a `ConfirmedClock`: a ban that was removed does not come back. */
  readonly confirmedMs: () => number;
  readonly mintId: () => string;
  readonly log: Logger;
}

/** What an operator does to a room. */
export type ModerationPort = Pick<
  Moderation,
  "users" | "bans" | "ban" | "lift" | "kick" | "announce" | "reread"
>;

export class Moderation {
  readonly #options: ModerationOptions;

  constructor(options: ModerationOptions) {
    this.#options = options;
  }

  /** All sessions, held ones included, in order of joining. */
  users(): ConnectedUser[] {
    const sessions = new Map(Array.from(this.#participants(), (one) => [this.#options.sessionOf(one), one]));
    const nowMs = this.#options.nowMs();
    return Array.from(this.#options.room.occupants(), ([id, { username, connectedAtMs, hold }]) => ({
      username: username.shown,
      address: normalizeIp(sessions.get(id)?.remoteAddress ?? "") ?? "unknown",
      connectedAtMs,
      connectedSeconds: Math.max(0, Math.floor((nowMs - connectedAtMs) / 1000)),
      away: hold !== undefined,
    }));
  }

  bans(): Ban[] {
    return this.#options.bans.inForce(this.#options.nowMs());
  }

  /**
   * Stores a ban, which survives a crash, and ends the sessions that it applies to. It replaces bans of the same name
   * and address. Changes nothing if the store fails.
   */
  ban(request: BanRequest): Promise<Banned | AdminRefusal> {
    return this.#change(async () => {
      const { bans, nowMs, mintId } = this.#options;
      const { name, message, seconds } = request;
      const holder = name === undefined ? undefined : this.#holder(name);
      // A session that a program from before addresses were stored held has none.
      if (request.withAddress && !holder?.remoteAddress) return unchanged(refuseAdmin("NOT_CONNECTED"));
      await this.#sweep();
      const createdAtMs = nowMs();
      const ban: Ban = {
        id: mintId(),
        name: name?.shown,
        address: request.withAddress ? addressBlock(holder!.remoteAddress) : request.address,
        message,
        createdAtMs,
        endsAtMs: seconds === undefined ? undefined : createdAtMs + seconds * 1000,
      };
      const replaced = bans.sameTarget(ban);
      if (replaced.length === 0 && bans.size >= BANS_MAX) {
        return unchanged(refuseAdmin("TOO_MANY_BANS", BANS_MAX));
      }
      await this.#store([ban], replaced);
      const { inputs, disconnected } = this.#matching(ban);
      return { inputs, answer: { ban, disconnected } };
    });
  }

  /** Lifts the bans of a name, or the ban with an id; returns them. Expired bans are removed first and do not count. */
  lift(which: { readonly id: string } | { readonly name: Username }): Promise<readonly Ban[] | AdminRefusal> {
    return this.#change(async () => {
      const { bans } = this.#options;
      await this.#sweep();
      const one = "id" in which ? bans.get(which.id) : undefined;
      const lifted = "id" in which ? (one === undefined ? [] : [one]) : bans.ofName(which.name);
      if (lifted.length === 0) return unchanged(refuseAdmin("BAN_UNKNOWN"));
      await this.#remove(lifted);
      return { inputs: [], answer: lifted };
    });
  }

  /** Ends the session that has a name; returns the name as it was shown. */
  kick(name: Username): Promise<{ readonly kicked: string } | AdminRefusal> {
    return this.#change(() => {
      const participant = this.#holder(name);
      if (participant === undefined) return Promise.resolve(unchanged(refuseAdmin("NOT_CONNECTED")));
      const kicked = this.#occupantOf(participant)!.username.shown;
      return Promise.resolve({ inputs: [{ participant, input: { type: "KICK" } }], answer: { kicked } });
    });
  }

  /** Broadcasts `text` as a message of the server, stored like any other. */
  async announce(text: string): Promise<AdminRefusal | undefined> {
    const decision = await new Promise<Decision>((resolve) => {
      this.#options.sequencer.submit(SERVER, { type: "ANNOUNCE", text }, resolve);
    });
    return decision.kind === "stored" ? undefined : refuseAdmin("STORE_FAILED");
  }

  /** Removes expired bans. Call when the server starts; every later change does so too. */
  async sweep(): Promise<void> {
    await this.#change(async () => {
      await this.#sweep();
      return { inputs: [], answer: [] };
    });
  }

  /**
   * Loads the bans from the store, and ends the sessions that new bans apply to. Changes nothing if the store fails.
   */
  reread(): Promise<{ readonly added: number; readonly lifted: number } | AdminRefusal> {
    return this.#change(async () => {
      const { bans, store } = this.#options;
      const stored = await store.load().catch((cause) => {
        throw new StoreFailed("The bans could not be read", { cause });
      });
      const before = bans.size;
      const added = stored.filter(({ id }) => bans.get(id) === undefined);
      bans.reload(stored);
      const answer = { added: added.length, lifted: before + added.length - stored.length };
      return { inputs: this.#matchingAny(added), answer };
    });
  }

  /** Runs a change of the bans in its place of the order. A store that fails is a refusal. */
  async #change<Answer extends object>(
    change: () => Promise<{ inputs: readonly Submission[]; answer: Answer | AdminRefusal }>,
  ): Promise<Answer | AdminRefusal> {
    return await this.#options.sequencer.runExclusive(async () => {
      try {
        return await change();
      } catch (error) {
        if (!(error instanceof StoreFailed)) throw error;
        this.#options.log.error("bans.store_failed", { error: error.cause });
        return unchanged(refuseAdmin("STORE_FAILED"));
      }
    });
  }

  async #sweep(): Promise<void> {
    const past = this.#options.bans.past(this.#options.confirmedMs());
    await this.#remove(past);
    if (past.length > 0) this.#options.log.info("bans.swept", { removed: past.length });
  }

  async #remove(bans: readonly Ban[]): Promise<void> {
    for (let start = 0; start < bans.length; start += CHANGE_BANS_MAX) {
      await this.#store([], bans.slice(start, start + CHANGE_BANS_MAX));
    }
  }

  async #store(added: readonly Ban[], removed: readonly Ban[]): Promise<void> {
    const { bans, store } = this.#options;
    try {
      await store.change(added, removed);
    } catch (error) {
      throw new StoreFailed("The bans could not be stored", { cause: error });
    }
    for (const ban of removed) bans.remove(ban);
    for (const ban of added) bans.add(ban);
  }

  /** The sessions that bans end, each once. */
  #matchingAny(given: readonly Ban[]): Submission[] {
    const bans = new Bans(given);
    const nowMs = this.#options.nowMs();
    const inputs: Submission[] = [];
    for (const participant of this.#participants()) {
      const bar = bans.bar(this.#occupantOf(participant)?.username, participant.remoteAddress, nowMs);
      if (bar !== undefined) inputs.push({ participant, input: { type: "BAN", message: bar.message } });
    }
    return inputs;
  }

  /** All participants: connected, held, or lost with the loss not decided yet. */
  #participants(): Set<Participant> {
    const { sessions, sequencer } = this.#options;
    return new Set([...sessions, ...sequencer.lost()]);
  }

  #occupantOf(participant: Participant): Occupant | undefined {
    const { room, sessionOf } = this.#options;
    const session = sessionOf(participant);
    return session === undefined ? undefined : room.occupants().get(session);
  }

  /** The sessions that a ban ends: by name connected sessions, by address connections without one too. */
  #matching(ban: Ban): { inputs: Submission[]; disconnected: string[] } {
    const inputs: Submission[] = [];
    const disconnected: string[] = [];
    for (const participant of this.#participants()) {
      const username = this.#occupantOf(participant)?.username;
      if (!matches(ban, username, participant.remoteAddress)) continue;
      inputs.push({ participant, input: { type: "BAN", message: saidOf(ban) } });
      if (username !== undefined) disconnected.push(username.shown);
    }
    return { inputs, disconnected };
  }

  /** The participant with this name in any letter case; otherwise one with a lookalike, which may be hard to type. */
  #holder(name: Username): Participant | undefined {
    let alike: Participant | undefined;
    for (const participant of this.#participants()) {
      const username = this.#occupantOf(participant)?.username;
      if (username?.folded === name.folded) return participant;
      if (username !== undefined && areTooAlike(username, name)) alike = participant;
    }
    return alike;
  }
}

function unchanged(answer: AdminRefusal): { inputs: []; answer: AdminRefusal } {
  return { inputs: [], answer };
}

class StoreFailed extends Error {}

/** The participant that announces: the server itself. */
const SERVER: Participant = {
  id: SERVER_AUTHOR,
  isExtended: false,
  remoteAddress: "",
  outbox: undefined,
  settled() {},
  joined() {},
};

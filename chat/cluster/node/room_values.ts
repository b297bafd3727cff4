/**
 * What the log keeps for the whole room beside its members: its name, and its keys at listings.
 *
 * @module
 */
import type { OperatorCommand } from "../command.ts";

/** The name among the values of the room. */
const NAME = "name";
/** Listings' keys among the values of the room. */
const KEY_OF = "listing_key ";

export interface KeptValues {
  /** As the log has them. */
  readonly kept: ReadonlyMap<string, string>;
  /** Has the log keep a value. */
  readonly order: (command: OperatorCommand & { readonly type: "ORDER_KEEP" }) => Promise<unknown>;
}

export interface RoomNameParts extends KeptValues {
  readonly settings: { readonly name: string; rename(name: string): void };
  /** Called when the room has another name than before. */
  readonly onRenamed: () => void;
}

/** The room's name is the log's: at first that of its first leader, later that of a node whose name was changed. */
export class RoomName {
  readonly #parts: RoomNameParts;
  /** The name by this node's flags, and one on its way to the log. */
  #flagged: string;
  #underWay: string | undefined;

  constructor(parts: RoomNameParts) {
    this.#parts = parts;
    this.#flagged = parts.settings.name;
  }

  /** After a reload: one that changes something else does not bring back a name that another node has changed. */
  reloaded(): void {
    const { name } = this.#parts.settings;
    if (name !== this.#flagged) this.#keep(this.#flagged = name);
  }

  /** Takes over the log's name. Call it often. */
  follow(isLeader: boolean): void {
    const { kept, settings, onRenamed } = this.#parts;
    const name = kept.get(NAME);
    if (name === undefined && isLeader) this.#keep(settings.name);
    if (name === undefined || name === settings.name || this.#underWay !== undefined) return;
    settings.rename(name);
    onRenamed();
  }

  /** What was under way may be lost. */
  forget(): void {
    this.#underWay = undefined;
  }

  #keep(name: string): void {
    if (this.#underWay === name) return;
    this.#underWay = name;
    void this.#parts.order({ type: "ORDER_KEEP", key: NAME, value: name }).then(() => {
      if (this.#underWay === name) this.#underWay = undefined;
    });
  }
}

/** The room's keys of listings; `earlier` has those from before this server was a node. */
export function roomKeys(
  { kept, order }: KeptValues,
  earlier: { get(listing: string): Promise<string | undefined> },
) {
  return {
    get: async (listing: string) => kept.get(KEY_OF + listing) ?? await earlier.get(listing),
    set: async (listing: string, key: string): Promise<void> => {
      await order({ type: "ORDER_KEEP", key: KEY_OF + listing, value: key });
    },
    all: () =>
      Promise.resolve(
        [...kept].filter(([key]) => key.startsWith(KEY_OF))
          .map(([key, value]) => [key.slice(KEY_OF.length), value] as const),
      ),
  };
}

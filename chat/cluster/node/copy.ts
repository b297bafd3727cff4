/**
 * A copy of a node's store for a node that has none, or one that was away for longer than the log: pages of messages and
 * bans, and a checkpoint. The pages may be newer than the checkpoint; the records after it make no difference then.
 *
 * @module
 */
import { PAGE_ROWS_MAX } from "../../../src/kv/transfer.ts";
import type { Limits } from "../../../src/protocol/limits.ts";
import type { Ban } from "../../room/bans.ts";
import type { StoredMessage } from "../../room/message.ts";
import type { Journal } from "../../store/journal.ts";
import { type Checkpoint, checkpointFrom } from "../replica.ts";
import { type SaidLimits, saidLimits, shorterHistory } from "../nodes_compared.ts";

/** UTF-16 units of a page, of the 1 MiB that a message of NATS may have: at most six bytes each in JSON. */
const PAGE_UNITS_MAX = 100_000;
/** Bans of a page: up to 3 KiB each. */
const PAGE_BANS_MAX = 200;
/** Nodes that are asked for a copy, by chance, until one keeps as much of the history as this one. */
const ASKED_MAX = 5;
/** Copies that a node keeps for those who read them. */
const COPIES_MAX = 4;

type Request =
  | { readonly begin: true }
  | { readonly copy: number; readonly part: number }
  | { readonly messagesAfter: string }
  | { readonly bansAfter: string };

interface Begun {
  readonly by: string;
  readonly copy: number;
  readonly parts: number;
  /** The limits of the node that gives it. */
  readonly limits: SaidLimits;
}

export interface CopySource {
  readonly incarnation: () => string;
  readonly isReady: () => boolean;
  readonly checkpoint: () => Checkpoint;
  readonly bans: () => readonly Ban[];
  readonly limits: Limits;
  /** Has all that is applied. */
  readonly messages: Pick<Journal, "after">;
}

/** Answers the requests of other nodes. */
export class CopyServer {
  readonly #source: CopySource;
  /** Checkpoints that are being copied, the oldest first. */
  readonly #copies = new Map<number, string>();
  #count = 0;

  constructor(source: CopySource) {
    this.#source = source;
  }

  /** Rejects if this node is not ready. */
  async answer(given: unknown): Promise<unknown> {
    const request = given as Request;
    const { incarnation, isReady, checkpoint, bans, messages, limits } = this.#source;
    if (!isReady()) throw new Error("This node is not ready");
    if ("begin" in request) {
      const json = JSON.stringify(checkpoint());
      this.#copies.set(++this.#count, json);
      this.#copies.delete(this.#count - COPIES_MAX);
      const parts = Math.ceil(json.length / PAGE_UNITS_MAX);
      return { by: incarnation(), copy: this.#count, parts, limits: saidLimits(limits) } satisfies Begun;
    }
    if ("part" in request) {
      const { copy, part } = request;
      return this.#copies.get(copy)?.slice(part * PAGE_UNITS_MAX, (part + 1) * PAGE_UNITS_MAX);
    }
    if ("messagesAfter" in request) {
      const found = await messages.after(request.messagesAfter, PAGE_ROWS_MAX);
      let units = 0;
      const cut = found.findIndex(({ text }) => (units += text.length) > PAGE_UNITS_MAX);
      return cut < 0 ? found : found.slice(0, Math.max(1, cut));
    }
    return bans().filter(({ id }) => id > request.bansAfter).sort((a, b) => a.id < b.id ? -1 : 1)
      .slice(0, PAGE_BANS_MAX);
  }
}

export interface CopyTarget {
  readonly ask: (subject: string, request: unknown) => Promise<unknown>;
  /** The limits of this node. */
  readonly limits: Limits;
  /**
   * Another node gives a copy, as of this checkpoint: only from here on the target may forget what it has. `shorter`
   * are the settings by which the copy may have less of the history than this node keeps.
   */
  readonly begin: (given: Checkpoint, shorter: readonly string[]) => Promise<void>;
  readonly message: (page: readonly StoredMessage[]) => Promise<void>;
  readonly ban: (page: readonly Ban[]) => Promise<void>;
}

/** Copies from any node that is ready. Rejects if it breaks off: the target begins again then. */
export async function copyFrom({ ask, limits, begin, message, ban }: CopyTarget): Promise<Checkpoint> {
  const { by, copy, parts, shorter } = await bestGiven(ask, limits);
  const page = (request: Request) => ask(`copy.${by}`, request);
  let json = "";
  for (let part = 0; part < parts; part++) json += await page({ copy, part });
  const checkpoint = checkpointFrom(json);
  await begin(checkpoint, shorter);
  for (let last = "";;) {
    const messages = await page({ messagesAfter: last }) as StoredMessage[];
    if (messages.length === 0) break;
    last = messages.at(-1)!.uuid;
    // JSON leaves out what is undefined.
    await message(messages.map((one) => ({ ...one, position: one.position, nonce: one.nonce })));
  }
  for (let last = "";;) {
    const bans = await page({ bansAfter: last }) as Ban[];
    if (bans.length === 0) break;
    last = bans.at(-1)!.id;
    await ban(bans.map((one) => ({ ...one, name: one.name, address: one.address, endsAtMs: one.endsAtMs })));
  }
  return checkpoint;
}

/** Asks for a copy that is whole, if one can be had. */
async function bestGiven(ask: CopyTarget["ask"], limits: Limits) {
  for (let asked = 1;; asked++) {
    const begun = await ask("copy", { begin: true }) as Begun;
    const shorter = shorterHistory(limits, begun.limits);
    if (shorter.length === 0 || asked === ASKED_MAX) return { ...begun, shorter };
  }
}

/**
 * Searches, PROTOCOL.md §5.6: they read the journal between the turns of the sequencer, never within one. The frames
 * of a session that follow its search wait here until it is answered; those of others do not.
 *
 * @module
 */
import { placesOf } from "../../src/address.ts";
import type { Logger } from "../../src/logging/log.ts";
import { encodeServerFrame } from "../../src/protocol/codec.ts";
import { type Fault, fault } from "../../src/protocol/faults.ts";
import type { Limits } from "../../src/protocol/limits.ts";
import type { FanoutPort } from "../delivery/fanout.ts";
import type { Participant } from "../delivery/participant.ts";
import type { ChatMeters } from "../meters.ts";
import type { Input } from "../room/decision.ts";
import { toFrame } from "../room/frame.ts";
import type { StoredMessage } from "../room/message.ts";
import type { RoomState } from "../room/room_state.ts";
import { Search, type SearchQuery } from "../room/search.ts";
import type { Journal } from "../store/journal.ts";
import type { Sequencer } from "./sequencer.ts";

/** Searches under way at once. Each is of another address: those of one address wait for each other. */
export const SEARCHES_MAX = 2;
/** Messages of one read. */
export const SEARCH_PAGE_MESSAGES = 100;
/** Milliseconds of a search after which it rests for as long as they took: a message waits no longer than this. */
const SLICE_MS = 2;

export interface SearchesOptions {
  readonly sequencer: Pick<Sequencer, "submit">;
  readonly state: Pick<RoomState, "page">;
  readonly journal: Pick<Journal, "page">;
  readonly fanout: FanoutPort;
  readonly limits: Pick<Limits, "maxSearchMessages">;
  readonly historyFromMs: () => number;
  readonly steadyMs: () => number;
  readonly rest: (ms: number) => Promise<void>;
  readonly meters: ChatMeters;
  readonly log: Logger;
}

/** A search of one session, from its receipt to its answer. */
interface Asked {
  readonly participant: Participant;
  /** Frames that the session has sent since. */
  readonly waiting: Input[];
  /** Undefined until the room has decided it. */
  search?: Search;
}

export class Searches {
  readonly #options: SearchesOptions;
  readonly #asked = new Map<Participant, Asked>();
  /** Searches that wait, by place; the place whose turn was longest ago first. */
  readonly #lines = new Map<string, Asked[]>();
  readonly #underWay = new Map<string, Asked>();
  #idle: PromiseWithResolvers<void> | undefined;

  constructor(options: SearchesOptions) {
    this.#options = options;
  }

  /** Submits an input to the sequencer, behind the search that the session waits for. */
  submit(participant: Participant, input: Input): void {
    const asked = this.#asked.get(participant);
    if (asked === undefined) return this.#forward(participant, input);
    if (input.type !== "LOST") return void asked.waiting.push(input);
    this.#drop(asked);
    // What the session sent before its loss still counts; no client waits for its searches.
    for (const earlier of asked.waiting) if (!isSearch(earlier)) this.#forward(participant, earlier);
    this.#forward(participant, input);
  }

  /** Call for each changed message before its change is broadcast: no later answer has the text before. */
  changed(message: StoredMessage): void {
    for (const { search } of this.#underWay.values()) search!.changed(message);
  }

  /** Resolves when no search is waiting or under way. */
  idle(): Promise<void> {
    if (this.#asked.size === 0) return Promise.resolve();
    this.#idle ??= Promise.withResolvers();
    return this.#idle.promise;
  }

  #forward(participant: Participant, input: Input): void {
    const { sequencer, limits } = this.#options;
    if (!isSearch(input)) return sequencer.submit(participant, input);
    const asked: Asked = { participant, waiting: [] };
    this.#asked.set(participant, asked);
    sequencer.submit(participant, input, (decision) => {
      if (decision.kind !== "asked_search") return this.#over(asked);
      if (this.#asked.get(participant) !== asked) return participant.settled();
      asked.search = new Search(decision.query, limits.maxSearchMessages);
      const place = placeOf(participant);
      const line = this.#lines.get(place);
      if (line === undefined) this.#lines.set(place, [asked]);
      else line.push(asked);
      this.#beginNext();
    });
  }

  #beginNext(): void {
    for (const [place, line] of this.#lines) {
      if (this.#underWay.size >= SEARCHES_MAX) return;
      if (this.#underWay.has(place)) continue;
      const asked = line.shift()!;
      if (line.length === 0) this.#lines.delete(place);
      this.#underWay.set(place, asked);
      void this.#run(asked, asked.search!).finally(() => this.#ended(place));
    }
  }

  /** The further searches of a place wait behind those of the others. */
  #ended(place: string): void {
    this.#underWay.delete(place);
    const line = this.#lines.get(place);
    this.#lines.delete(place);
    if (line !== undefined) this.#lines.set(place, line);
    this.#beginNext();
  }

  /** The fence of a search: a bug is answered to its session, and the other searches go on. */
  async #run(asked: Asked, search: Search): Promise<void> {
    const { log, fanout } = this.#options;
    try {
      let answer: string | Fault;
      try {
        answer = await this.#read(asked, search) ?? search.answer();
      } catch (error) {
        log.error("bug", { where: "search", error });
        answer = fault("INTERNAL");
      }
      if (this.#asked.get(asked.participant) !== asked) return;
      this.#answer(asked, answer);
    } catch (error) {
      log.error("bug", { where: "search", error });
      fanout.endBroken(asked.participant);
    }
  }

  /** Compares messages until the search has ended; returns a fault if the journal cannot be read. */
  async #read(asked: Asked, search: Search): Promise<Fault | undefined> {
    const { state, journal, historyFromMs, steadyMs, rest, log } = this.#options;
    const receivedFrom = historyFromMs();
    let sliceMs = steadyMs();
    while (this.#asked.get(asked.participant) === asked) {
      const range = { limit: SEARCH_PAGE_MESSAGES, before: search.before, receivedFrom };
      let page: readonly StoredMessage[];
      try {
        page = state.page(range) ?? await journal.page(range);
      } catch (error) {
        log.error("journal.read_failed", { error });
        return fault("STORE_FAILED");
      }
      for (const message of page.toReversed()) {
        if (!search.compare(message)) return undefined;
        const tookMs = steadyMs() - sliceMs;
        if (tookMs < SLICE_MS) continue;
        await rest(tookMs);
        sliceMs = steadyMs();
      }
      if (page.length < range.limit) {
        search.ended();
        return undefined;
      }
    }
    return undefined;
  }

  /** Between two turns: all that was broadcast so far is in the outbox before it. */
  #answer(asked: Asked, answer: string | Fault): void {
    const { fanout, meters } = this.#options;
    const { participant } = asked;
    if (typeof answer !== "string") meters.faulted(answer.fault);
    const text = typeof answer === "string"
      ? encodeServerFrame({ type: "ACKNOWLEDGE", content: answer })
      : encodeServerFrame({ type: "ERROR", text: answer.text });
    fanout.send(participant, toFrame(text));
    // In the same turn: a gateway on another thread counts the search as unanswered until it applies this.
    participant.settled();
    fanout.flush();
    this.#over(asked);
  }

  /** Submits what waited, up to the next search. */
  #over(asked: Asked): void {
    const { participant, waiting } = asked;
    if (this.#asked.get(participant) !== asked) return;
    this.#asked.delete(participant);
    for (const input of waiting) this.submit(participant, input);
    this.#noteIdle();
  }

  #noteIdle(): void {
    if (this.#asked.size > 0) return;
    this.#idle?.resolve();
    this.#idle = undefined;
  }

  /** The session is lost: its search is not answered. */
  #drop(asked: Asked): void {
    const { participant, search } = asked;
    this.#asked.delete(participant);
    if (search !== undefined) participant.settled();
    const place = placeOf(participant);
    const line = this.#lines.get(place)?.filter((other) => other !== asked);
    if (line?.length === 0) this.#lines.delete(place);
    else if (line !== undefined) this.#lines.set(place, line);
    this.#noteIdle();
  }
}

function isSearch(input: Input): input is Input & SearchQuery {
  return input.type === "QUERY" && input.query === "search";
}

/** An address shares its searches with its block, of IPv6 with its site: else one network would have all turns. */
function placeOf({ remoteAddress }: Participant): string {
  const [block, site] = placesOf(remoteAddress);
  return (site ?? block).key;
}

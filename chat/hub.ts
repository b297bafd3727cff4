/**
 * Turns. What came in while the last batch was being stored is the next batch: the room decides all of it in
 * order, the journal stores it in one commit, then answers and broadcasts go out, PROTOCOL.md §4.3 and §4.4.
 *
 * So there is one total order, nothing is acknowledged that is not stored, and a commit is shared. It knows
 * neither sockets nor how messages are kept, and there is no await between deciding and the call of the journal.
 *
 * @module
 */
import { type Fault, fault } from "../src/protocol/faults.ts";
import { encodeServerFrame } from "../src/protocol/codec.ts";
import type { Logger } from "../src/log.ts";
import type { Bans } from "./bans.ts";
import { CLOSE, type CloseCause } from "./connection.ts";
import { consequenceOf, type Narrator } from "./consequence.ts";
import type { History } from "./history.ts";
import { APPEND_ENTRIES_MAX, APPEND_TEXT_MAX, type Journal, type StoredMessage } from "./journal.ts";
import { outgoing, type OutgoingFrame } from "./outbox.ts";
import type { Decision, Input, Room, SessionId } from "./room.ts";

/**
 * Older pages of history in one turn. Each is read whole before it is answered: up to 200 messages, some 3 MiB at
 * the default length of a text, and the memory of a turn is that times the pages.
 */
export const TURN_PAGES_MAX = 16;

/** What the hub needs of a session. None of it throws, and none of it waits. */
export interface Participant {
  readonly id: SessionId;
  /** The peer's IP address, which bans may name. */
  readonly remoteAddress: string;
  deliver(frame: OutgoingFrame): void;
  /** One submitted input has been dealt with, its answer was delivered. */
  settled(): void;
  /** It is in the room now. */
  joined(): void;
  end(cause: CloseCause): void;
}

export interface Submission {
  readonly participant: Participant;
  readonly input: Input;
}

/** What has a place in the order and is no input: nothing is decided while it is under way. */
interface Interlude {
  readonly play: () => Promise<void>;
}

/** What was read from the journal for one batch, as of its beginning. */
interface Lookups {
  readonly messages: Map<string, StoredMessage>;
  readonly pages: Map<Submission, StoredMessage[]>;
  readonly failed: Set<Submission>;
}

export interface HubOptions {
  readonly room: Room;
  readonly history: History;
  readonly journal: Journal;
  readonly bans: Pick<Bans, "bar">;
  readonly narrator: Narrator;
  /** Milliseconds since 1970. */
  readonly nowMs: () => number;
  /** The smallest id that is young enough to be shown. */
  readonly historyFrom: (nowMs: number) => string;
  /** Told after each batch that changed who is here. */
  readonly onRosterChange: (connectedUsers: number) => void;
  readonly log: Logger;
}

export class Hub {
  readonly #options: HubOptions;
  /** Those who receive broadcasts, at the point of the order that was told so far. */
  readonly #audience = new Map<SessionId, Participant>();
  #queue: (Submission | Interlude)[] = [];
  #turn: Promise<void> | undefined;

  constructor(options: HubOptions) {
    this.#options = options;
  }

  /** Takes an input into the order. It is dealt with soon, after everything that was submitted before it. */
  submit(participant: Participant, input: Input): void {
    this.#queue.push({ participant, input });
    this.#beginTurn();
  }

  /**
   * Runs `change` at one point of the order: after everything that was submitted before, with nothing decided
   * meanwhile. The inputs that it answers are dealt with at that same point, then its answer is given. They end
   * the sessions of their participants, who never submitted them. Rejects as `change` does.
   */
  inOrder<Answer>(
    change: () => Promise<{ readonly inputs: readonly Submission[]; readonly answer: Answer }>,
  ): Promise<Answer> {
    return new Promise((resolve, reject) => {
      const play = async () => {
        try {
          const { inputs, answer } = await change();
          if (inputs.length > 0) await this.#dealWith(inputs);
          resolve(answer);
        } catch (error) {
          reject(error);
        }
      };
      this.#queue.push({ play });
      this.#beginTurn();
    });
  }

  /** Resolves when everything that was submitted has been dealt with. */
  async idle(): Promise<void> {
    while (this.#turn !== undefined) await this.#turn;
  }

  #beginTurn(): void {
    this.#turn ??= Promise.resolve().then(() => this.#run());
  }

  async #run(): Promise<void> {
    try {
      while (this.#queue.length > 0) {
        const next = this.#queue[0]!;
        if ("play" in next) {
          this.#queue.shift();
          await next.play();
        } else await this.#dealWith(this.#takeBatch());
      }
    } catch (error) {
      // The outer fence: what was behind the broken batch goes on in a turn of its own.
      this.#options.log.error("bug", { where: "turn", error });
    } finally {
      this.#turn = undefined;
      if (this.#queue.length > 0) this.#beginTurn();
    }
  }

  /**
   * As much of the queue as fits one append of the journal, up to the next interlude, and no more pages than
   * memory is to hold at once.
   */
  #takeBatch(): Submission[] {
    let text = 0;
    let pages = 0;
    let end = 0;
    for (; end < this.#queue.length && end < APPEND_ENTRIES_MAX; end++) {
      const next = this.#queue[end]!;
      if ("play" in next) break;
      const { input } = next;
      if ("text" in input) text += input.text.length;
      if (text > APPEND_TEXT_MAX && end > 0) break;
      if (asksForOlder(input) && ++pages > TURN_PAGES_MAX) break;
    }
    const taken = end === this.#queue.length ? this.#queue : this.#queue.splice(0, end);
    if (taken === this.#queue) this.#queue = [];
    return taken as Submission[];
  }

  async #dealWith(batch: readonly Submission[]): Promise<void> {
    const lookups = await this.#lookUp(batch);
    const nowMs = this.#options.nowMs();
    const decisions = batch.map((submission) => this.#decide(submission, nowMs, lookups));
    const storeFault = await this.#store(decisions);
    this.#options.room.settle();
    const usersBefore = this.#audience.size;
    let rosterChanged = false;
    const changed = new Map<string, StoredMessage>();
    for (const [i, submission] of batch.entries()) {
      const decision = decisions[i]!;
      const refused = storeFault !== undefined && decision.kind === "stored";
      rosterChanged ||= decision.kind === "joined" || decision.kind === "left";
      this.#tell(
        submission,
        refused ? { kind: "refused", fault: storeFault } : decision,
        lookups.pages.get(submission),
        changed,
      );
    }
    if (rosterChanged || this.#audience.size !== usersBefore) {
      this.#options.onRosterChange(this.#audience.size);
    }
  }

  /** Reads what the batch asks for and memory does not hold. Only this awaits before the deciding begins. */
  async #lookUp(batch: readonly Submission[]): Promise<Lookups> {
    const lookups: Lookups = { messages: new Map(), pages: new Map(), failed: new Set() };
    const reads: Promise<void>[] = [];
    for (const submission of batch) {
      const read = this.#readFor(submission, lookups);
      if (read === undefined) continue;
      reads.push(read.catch((error) => {
        this.#options.log.error("journal.read_failed", { error });
        lookups.failed.add(submission);
      }));
    }
    if (reads.length > 0) await Promise.all(reads);
    return lookups;
  }

  #readFor(submission: Submission, lookups: Lookups): Promise<void> | undefined {
    const { journal, history, historyFrom, nowMs } = this.#options;
    const { input } = submission;
    if (input.type !== "QUERY") return undefined;
    switch (input.query) {
      case "update_message":
      case "delete_message":
        if (history.get(input.uuid) !== undefined) return undefined;
        return journal.find(input.uuid).then((message) => {
          if (message !== undefined) lookups.messages.set(message.uuid, message);
        });
      case "history": {
        if (!asksForOlder(input)) return undefined;
        const range = { limit: input.limit, before: input.before, from: historyFrom(nowMs()) };
        const page = history.page(range);
        if (page !== undefined) {
          lookups.pages.set(submission, page);
          return undefined;
        }
        return journal.page(range).then((page) => void lookups.pages.set(submission, page));
      }
      default:
        return undefined;
    }
  }

  #decide(submission: Submission, nowMs: number, { messages, failed }: Lookups): Decision {
    const { room, history, bans, historyFrom, log } = this.#options;
    const { participant, input } = submission;
    if (failed.has(submission)) return { kind: "refused", fault: fault("STORE_FAILED") };
    try {
      return room.decide(participant.id, input, {
        nowMs,
        historyFrom: historyFrom(nowMs),
        find: (uuid) => history.get(uuid) ?? messages.get(uuid),
        bar: (username) => bans.bar(username, participant.remoteAddress, nowMs),
      });
    } catch (error) {
      // The fence: a bug in the judgement of one frame is answered to its sender and hurts nobody else.
      log.error("bug", { where: "decide", input: input.type, error });
      return { kind: "refused", fault: fault("INTERNAL") };
    }
  }

  /** Stores what was decided, in one commit; answers the fault of all of it where that fails. */
  async #store(decisions: Decision[]): Promise<Fault | undefined> {
    const entries = decisions.flatMap((decision) => decision.kind === "stored" ? [decision.entry] : []);
    if (entries.length === 0) return undefined;
    try {
      await this.#options.journal.append(entries);
      return undefined;
    } catch (error) {
      this.#options.log.error("journal.append_failed", { entries: entries.length, error });
      return fault("STORE_FAILED");
    }
  }

  /** The answer, then the broadcast that it caused, then the end of the connection. */
  #tell(
    { participant }: Submission,
    decision: Decision,
    lookedUp: StoredMessage[] | undefined,
    changed: Map<string, StoredMessage>,
  ): void {
    const { history, narrator, log } = this.#options;
    try {
      if (decision.kind === "stored") {
        history.apply(decision.entry);
        changed.set(decision.entry.message.uuid, decision.entry.message);
      }
      // Memory is as of this point of the order. A page that was looked up is as of the beginning of the batch:
      // what the batch changed before this point is laid over it.
      const page = decision.kind === "asked_history"
        ? history.page(decision.range) ?? lookedUp?.map((message) => changed.get(message.uuid) ?? message) ??
          []
        : [];
      const { answer, broadcast, close } = consequenceOf(decision, narrator, page);
      if (answer !== undefined) this.#deliver(participant, outgoing(answer));
      if (decision.kind === "joined") {
        this.#audience.set(participant.id, participant);
        participant.joined();
      }
      if (broadcast !== undefined) this.#fanOut(outgoing(broadcast));
      if (decision.kind === "left") this.#audience.delete(participant.id);
      if (close !== undefined) participant.end(close);
    } catch (error) {
      log.error("bug", { where: "tell", decision: decision.kind, error });
      const answer = encodeServerFrame({ type: "ERROR", text: fault("INTERNAL").text });
      this.#deliver(participant, outgoing(answer));
      participant.end(CLOSE.internal);
    } finally {
      participant.settled();
    }
  }

  #fanOut(frame: OutgoingFrame): void {
    for (const participant of this.#audience.values()) this.#deliver(participant, frame);
  }

  /** The fence of a participant: a bug in one is the end of that one, and the others are told all the same. */
  #deliver(participant: Participant, frame: OutgoingFrame): void {
    try {
      participant.deliver(frame);
    } catch (error) {
      this.#options.log.error("bug", { where: "deliver", session: participant.id, error });
      participant.end(CLOSE.internal);
    }
  }
}

/** Whether it wants a page that memory may not hold. Without `before` the newest are wanted, which it always has. */
function asksForOlder(input: Input): input is Input & { query: "history"; before: string } {
  return input.type === "QUERY" && input.query === "history" && input.before !== undefined;
}

/**
 * Which part of the conversation is read: the newest messages, or a part of the past around one message, until that
 * reaches the newest. It asks the server for pages in both directions, and draws nothing; the list does.
 *
 * @module
 */
import type { Message } from "../../../src/client/session/session_events.ts";
import type { MessageList } from "./message_list.ts";
import { type MessageEntry, MessageLog } from "./message_log.ts";
import { type Found, PageAfter, timeOf } from "./page_after.ts";

/** Messages a page. */
const PAGE = 100;
/** An id after all others, for a server whose newest messages are not here. */
const LAST = "ffffffff-ffff-7fff-bfff-ffffffffffff";

/** Receives the answer to a query, oldest first; undefined if the server refused it. */
type Receive = (page: readonly Message[] | undefined) => void;

interface Wished {
  /** Asks for messages before an id. */
  readonly ask: (limit: number, before: string) => void;
  /** Shows in a few words what is being read, above the messages or below; undefined for nothing. */
  readonly say: (where: "above" | "below", text: string | undefined) => void;
  readonly isConnected: () => boolean;
}

export class LogReader {
  /** The newest messages. */
  readonly live = new MessageLog();
  readonly #list: MessageList;
  readonly #wished: Wished;
  #past: MessageLog | undefined;
  /** Queries without an answer, in order. */
  #asked: Receive[] = [];
  #isReading = false;
  /** Counts the jumps, so that an answer to an earlier one is dropped. */
  #jumps = 0;

  constructor(list: (live: MessageLog) => MessageList, wished: Wished) {
    this.#list = list(this.live);
    this.#wished = wished;
  }

  get list(): MessageList {
    return this.#list;
  }

  get shown(): MessageLog {
    return this.#past ?? this.live;
  }

  /** The entry of a message, in the shown log if it is there. */
  find(uuid: string): MessageEntry | undefined {
    return this.shown.find(uuid) ?? this.live.find(uuid);
  }

  /** The id of the first message after an id; undefined if it is not here, or messages between may be missing. */
  firstAfter(uuid: string): string | undefined {
    return (this.shown.firstAfter(uuid) ?? this.live.firstAfter(uuid))?.message.uuid;
  }

  /** Calls `change` for each log; undefined for those that do not hold the message. Draws what changed. */
  #inEach(change: (log: MessageLog) => MessageEntry | undefined): MessageEntry | undefined {
    const entry = change(this.live);
    const past = this.#past === undefined ? undefined : change(this.#past);
    for (const changed of [entry, past]) if (changed !== undefined) this.#list.changed(changed);
    return entry ?? past;
  }

  /** A message was changed or deleted. */
  changed(message: Message): MessageEntry | undefined {
    return this.#inEach((log) => log.upsert(message, false));
  }

  markOwn(uuid: string): MessageEntry | undefined {
    return this.#inEach((log) => log.markOwn(uuid));
  }

  disown(): void {
    this.live.disown();
    this.#past?.disown();
    this.#list.refresh();
  }

  /** Takes the newest messages. With `isReset` those before them are not the last ones here. */
  start(
    messages: readonly Message[],
    { isReset, isOldest }: { readonly isReset: boolean; readonly isOldest: boolean },
  ): void {
    if (isReset) this.live.clear();
    this.live.prepend(messages);
    this.live.isOldest = isOldest;
    if (this.#past === undefined) this.#list.restart();
  }

  /** The view moved: reads on where it is near an end. */
  moved(): void {
    if (this.#list.isAtStart) this.readOlder(PAGE);
    if (this.#past !== undefined && this.#list.isNearEnd) this.#readNewer(this.#past);
  }

  readOlder(limit: number): void {
    const log = this.shown;
    const before = log.oldestUuid;
    if (!this.#wished.isConnected() || this.#isReading || before === undefined || log.isOldest) return;
    this.#begin("above", "Reading older messages…");
    this.#ask(limit, before, (page) => {
      // The log may begin elsewhere by now: the page is none before it.
      if (!this.#end(page) || log !== this.shown || log.oldestUuid !== before) return;
      log.prepend(page);
      log.isOldest = page.length === 0;
      // Draws them, and again the replies, since what these quote may be here now.
      this.#list.refresh((entry) => entry.kind === "message" && entry.message.text.startsWith("> "));
    });
  }

  /** Shows a message in the middle of the view: reads the part of the past around it if it is not here. */
  jumpTo(uuid: string): void {
    const jump = ++this.#jumps;
    const shown = this.shown.find(uuid);
    if (shown !== undefined) return this.#list.showEntry(shown);
    const live = this.live.find(uuid);
    if (live !== undefined) return this.#showLive(live);
    this.#begin("below", "Reading messages…");
    // With messages after it, if there are any, so that the view has what follows.
    this.#readAfter(uuid, undefined, (found) => {
      if (!this.#end(found) || jump !== this.#jumps) return;
      const log = new MessageLog(false);
      log.prepend(found.messages);
      const entry = log.find(uuid);
      if (entry === undefined) {
        return this.#wished.say("below", "That message is no longer kept.");
      }
      this.#past = log;
      if (found.isJoined) this.#join(log, entry);
      else this.#list.show(log, entry);
    });
  }

  /** Returns to the newest messages. */
  toNewest(): void {
    this.#jumps++;
    if (this.#past === undefined) return this.#list.toEnd();
    this.#showLive(undefined);
  }

  /** The answer to a query of this reader, which come in the order of the queries. */
  receive(page: readonly Message[] | undefined): void {
    this.#asked.shift()?.(page);
  }

  #showLive(entry: MessageEntry | undefined): void {
    this.#past = undefined;
    this.#list.show(this.live, entry);
  }

  #readNewer(log: MessageLog): void {
    const { newest } = log;
    if (!this.#wished.isConnected() || this.#isReading || newest === undefined) return;
    this.#begin("below", "Reading newer messages…");
    const messages = log.messages;
    const pageMs = timeOf(newest.uuid) - timeOf(messages.at(-PAGE)?.uuid ?? messages[0]?.uuid ?? "");
    this.#readAfter(newest.uuid, pageMs / 2, (found) => {
      if (!this.#end(found) || log !== this.shown) return;
      for (const message of found.messages) log.upsert(message, message.uuid > newest.uuid);
      if (found.isJoined) this.#join(log);
      else this.#list.drawSoon();
    });
  }

  /** The part of the past reaches the newest messages: it is no part any more. */
  #join(log: MessageLog, entry?: MessageEntry): void {
    this.live.prepend(log.messages);
    this.live.isOldest = log.isOldest;
    this.#past = undefined;
    const joined = entry === undefined ? undefined : this.live.find(entry.message.uuid);
    if (joined === undefined) this.#list.extendTo(this.live);
    else this.#list.show(this.live, joined);
  }

  /** The id at which the newest messages begin. */
  get #liveStart(): string {
    return this.live.oldestUuid ?? LAST;
  }

  #readAfter(
    after: string,
    guessMs: number | undefined,
    receive: (found: Found<Message> | undefined) => void,
  ): void {
    const until = this.#liveStart;
    const page = new PageAfter<Message>(after, until, guessMs);
    const take: Receive = (messages) => {
      if (messages === undefined) return receive(undefined);
      const found = page.add(messages);
      if (found === undefined) return this.#ask(PAGE, page.before, take);
      // What it reaches may not be the newest messages any more.
      receive({ ...found, isJoined: found.isJoined && until === this.#liveStart });
    };
    this.#ask(PAGE, page.before, take);
  }

  #ask(limit: number, before: string, receive: Receive): void {
    this.#asked.push(receive);
    this.#wished.ask(limit, before);
  }

  #begin(where: "above" | "below", what: string): void {
    this.#isReading = true;
    this.#wished.say(where, what);
  }

  /** Ends a reading; false if the server refused it, which the caller of `receive` says. */
  #end<T>(answer: T | undefined): answer is T {
    this.#isReading = false;
    this.#wished.say("below", undefined);
    if (answer !== undefined) this.#wished.say("above", undefined);
    return answer !== undefined;
  }
}

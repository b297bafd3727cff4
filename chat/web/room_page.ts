/**
 * The chat room on the page: shows the events of the session, and turns the user's actions into wishes. The parts
 * that it uses do the drawing.
 *
 * @module
 */
/// <reference lib="dom" />
import { nearestUsername } from "../../src/protocol/names.ts";
import { rosterWords } from "../../src/client/roster_words.ts";
import type { SessionEvent, Wish } from "../../src/client/session/session_events.ts";
import { copyText } from "../../src/web/clipboard.ts";
import type { Reply } from "../../src/text/message_nodes.ts";
import { Arrivals } from "./arrivals.ts";
import { Composer } from "./composer/composer.ts";
import { ConnectionView } from "./connection_view.ts";
import { readReply } from "./log/rich_text.ts";
import { inLocalTime } from "./page/local_time.ts";
import { Beginning } from "./log/beginning.ts";
import { type MessageAction, MessageActions } from "./log/message_actions.ts";
import { ANSWERED_MAX, MessageList } from "./log/message_list.ts";
import { LogReader } from "./log/log_reader.ts";
import { OwnChanges } from "./log/own_changes.ts";
import type { Entry, MessageLog } from "./log/message_log.ts";
import { KnownNames } from "./people/known_names.ts";
import { OwnMenu } from "./people/own_menu.ts";
import { RenameDialog } from "./people/rename_dialog.ts";
import { TypingLine } from "./people/typing_line.ts";
import { byId, show } from "./page/page_elements.ts";
import { PendingList } from "./log/pending_list.ts";
import { People } from "./people/people.ts";
import type { Presence, Word } from "./people/presence_notice.ts";
import { firstSearchWords } from "./search/excerpt.ts";
import { SearchPanel } from "./search/search_panel.ts";
import type { TabSession } from "./visit/tab_session.ts";
import { carryOut, type LineActions } from "./composer/typed_line.ts";

const BEGINNING = "This is the beginning";

const hasMention = (entry: Entry) => entry.kind === "message" && entry.message.text.includes("@");

export class RoomPage {
  readonly #session: TabSession;
  readonly #chooseName: (why: string) => void;
  #isConnected = false;
  /** The name under which the server announces. */
  #serverAuthor: string | undefined;
  /** The user left, and may join again. */
  #hasLeft = false;
  readonly #connection = new ConnectionView();
  readonly #beginning = new Beginning();
  readonly #typing = new TypingLine();
  readonly #menu: OwnMenu;
  readonly #people: People;
  readonly #names: KnownNames;
  readonly #rename: RenameDialog;
  readonly #composer: Composer;
  readonly #pending: PendingList;
  readonly #reader: LogReader;
  readonly #log: MessageLog;
  readonly #list: MessageList;
  readonly #search: SearchPanel;
  readonly #changes: OwnChanges;
  readonly #actions: MessageActions;
  readonly #arrivals: Arrivals;
  readonly #field = byId("text", HTMLTextAreaElement);

  /** `chooseName` shows the form for another name, and why. */
  constructor(session: TabSession, chooseName: (why: string) => void) {
    this.#session = session;
    this.#chooseName = chooseName;
    this.#people = new People(session);
    this.#names = new KnownNames(session);
    this.#reader = this.#makeReader();
    this.#log = this.#reader.live;
    this.#list = this.#reader.list;
    this.#menu = new OwnMenu(() => this.#list.rewriteTimes());
    this.#changes = new OwnChanges(this.#reader, {
      wish: (change) => session.wish(change),
      isConnected: () => this.#isConnected,
      onOpen: () => session.guard(),
      onEnd: () => {
        session.guard();
        this.focus();
      },
    });
    const rows = byId("rows", HTMLElement);
    this.#actions = new MessageActions(
      rows,
      this.#messageActions(),
      (uuid) => this.#reader.find(uuid)?.message,
    );
    this.#search = new SearchPanel((wish) => {
      session.wish(wish);
      return this.#isConnected;
    }, (uuid) => this.#jumpTo(uuid));
    this.#arrivals = new Arrivals(session, this.#names, this.#reader, (uuid) => this.#jumpTo(uuid));
    this.#pending = this.#makePending();
    rows.addEventListener("click", ({ target }) => this.#pressed(target));
    this.#people.onPress((name) => this.#composer.mention(name));
    this.#composer = new Composer({
      names: {
        others: () => this.#names.others,
        recent: () => this.#log.recentAuthors,
        isAway: (name) => session.away.includes(name),
      },
      send: (line) => carryOut(line, this.#lineActions()),
      typing: () => session.typing(),
    });
    this.#field.value = session.text;
    this.#field.addEventListener("input", () => session.text = this.#field.value);
    byId("leave-button", HTMLButtonElement).addEventListener("click", () => session.leave());
    this.#rename = new RenameDialog(() => session.username, (username) => {
      if (!this.#isConnected) return "You are not connected: try again later.";
      session.wish({ kind: "rename", username });
      return undefined;
    });
  }

  #makeReader(): LogReader {
    const parts = {
      scroller: byId("scroller", HTMLElement),
      list: byId("rows", HTMLElement),
      context: this.#rowContext(),
      onMove: () => this.#moved(),
    };
    return new LogReader((log) => new MessageList({ log, ...parts }), {
      ask: (limit, before) => this.#session.wish({ kind: "history", limit, before }),
      say: (where, text) => show(byId(where === "above" ? "older" : "reading", HTMLElement), text),
      isConnected: () => this.#isConnected,
    });
  }

  #makePending(): PendingList {
    return new PendingList({
      list: byId("pending", HTMLElement),
      log: this.#log,
      context: {
        ...this.#rowContext(),
        isSaid: (reply) => this.#log.answered(reply, this.#log.end, ANSWERED_MAX) !== undefined,
      },
      username: () => this.#session.username,
      settle: (nonce, isSent) => this.#session.settleDraft(nonce, isSent),
      showReplied: (reply) => this.#showReplied(reply, this.#log.end),
      keepPlace: (change) => this.#list.keepPlace(change),
    });
  }

  #rowContext() {
    return { isServer: (username: string) => username === this.#serverAuthor, names: this.#names };
  }

  get isConnected(): boolean {
    return this.#isConnected;
  }

  focus(): void {
    // Its height fits the text only while it is shown.
    if (this.#field.value !== "") this.#field.dispatchEvent(new Event("input"));
    this.#composer.focus();
  }

  /** Call when the room is hidden. */
  close(): void {
    this.#rename.close();
    this.#search.clear();
    this.#arrivals.close();
    this.#reader.toNewest();
    this.#people.close();
  }

  show(event: SessionEvent): void {
    switch (event.type) {
      case "state":
        return this.#state(event);
      case "entered":
        return this.#entered(event);
      case "latency":
        return this.#connection.latency(event.ms);
      case "info":
        return this.#informed(event.info);
      case "history":
        return this.#history(event);
      case "found":
        return this.#search.answered(event);
      case "message":
        return this.#message(event);
      case "users":
        this.#showPeople();
        // The history came before it, and has mentions of people who are here.
        if (event.isWhole) this.#list.refresh(hasMention);
        return;
      case "came":
        return event.isOwn ? undefined : this.#presence(event.username, "joined");
      case "left":
        return this.#left(event);
      case "renamed":
        this.#typing.stops(event.from);
        this.#showPeople();
        return this.#note({ name: event.from }, " is now ", { name: event.to });
      case "typing":
        return this.#typing.types(event.username);
      case "queued":
        this.#pending.queued(event.draft);
        return this.#list.drawSoon();
      case "acknowledged":
        return this.#acknowledged(event);
      case "unsent":
        this.#pending.failed(
          event.draft,
          event.wasSent
            ? "The connection was lost before the server acknowledged this message."
            : "This message is not sent.",
        );
        return this.#list.drawSoon();
      case "done":
        return this.#done(event.wish);
      case "failed":
        return this.#failed(event.wish, event.text);
    }
  }

  #state(event: Extract<SessionEvent, { type: "state" }>): void {
    this.#isConnected = event.state === "live";
    this.#menu.show(this.#session.username);
    if (event.state === "over") this.#hasLeft = event.cause === "left";
    this.#pending.waitFor(
      this.#isConnected
        ? "Sending…"
        : event.state === "over"
        ? "Sent when you join again"
        : "Sent when the connection is back",
      !this.#isConnected,
    );
    this.#composer.enable(event.state !== "over");
    if (event.state === "live") return this.#connection.live();
    this.#typing.nobodyTypes();
    this.#rename.lost();
    if (event.state === "opening" || event.state === "entering") this.#connection.connecting();
    else if (event.state === "waiting") {
      const action = event.isNameTaken
        ? { label: "Choose another name", act: () => this.#chooseName(event.text) }
        : { label: "Try now", act: () => this.#session.hint() };
      this.#connection.waiting(event.text, event.untilMs - performance.now(), action);
    } else if (event.state === "over") {
      const label = event.cause === "elsewhere" ? "Continue here" : "Join again";
      const act = () => this.#session.join(this.#session.username);
      this.#connection.over(inLocalTime(event.text), { label, act, isFocused: event.cause !== "banned" });
    }
  }

  #entered({ how, isExtended, serverName }: Extract<SessionEvent, { type: "entered" }>): void {
    this.#people.isExtended = isExtended;
    this.#arrivals.isReturning = how !== "new";
    this.#serverAuthor = nearestUsername(serverName, "Server").shown;
    byId("room-name", HTMLElement).textContent = serverName;
    this.#field.placeholder = `Message ${serverName}`;
    this.#beginning.named(serverName);
    this.#showPeople();
    if (how === "again") {
      const hasWritten = this.#log.lastOwn() !== undefined;
      this.#reader.disown();
      if (!this.#hasLeft) {
        const loss = hasWritten ? ": you can no longer change what you wrote before" : "";
        this.#note(`You are back as a new user${loss}`);
      }
    }
    this.#hasLeft = false;
  }

  #informed({ limits }: Record<string, unknown>): void {
    this.#arrivals.isReturning = false;
    if (typeof limits !== "object" || limits === null || !("maxMessageLength" in limits)) return;
    if (typeof limits.maxMessageLength === "number") this.#composer.lengthMax = limits.maxMessageLength;
  }

  #history({ messages, isStart, isReset, isOldest }: Extract<SessionEvent, { type: "history" }>): void {
    for (const { uuid } of messages) this.#pending.arrived(uuid);
    if (isStart) {
      // Before they are shown, since what is shown counts as seen.
      this.#arrivals.begin(messages, isOldest);
      this.#reader.start(messages, { isReset, isOldest });
    } else this.#reader.receive(messages);
    this.#moved();
  }

  #message({ message, isNew }: Extract<SessionEvent, { type: "message" }>): void {
    const known = this.#reader.changed(message);
    this.#pending.arrived(message.uuid);
    if (!isNew || known !== undefined) {
      this.#actions.refresh();
      this.#search.changed(message);
      this.#arrivals.changed(message.uuid);
      return;
    }
    const entry = this.#log.upsert(message, isNew);
    if (entry !== undefined) {
      this.#typing.stops(message.username);
      this.#list.drawSoon();
      if (message.text !== "") this.#arrivals.came(message);
    }
  }

  #left({ username, kind, message, isOwn }: Extract<SessionEvent, { type: "left" }>): void {
    this.#typing.stops(username);
    if (isOwn) return;
    if (kind === "ban") this.#note({ name: username }, " was banned: ", { name: inLocalTime(message ?? "") });
    else if (kind === "kick") this.#note({ name: username }, " was removed by an operator");
    else this.#presence(username, kind === "disconnect" ? "left" : "lost the connection");
  }

  #acknowledged({ draft, uuid }: Extract<SessionEvent, { type: "acknowledged" }>): void {
    const entry = uuid === undefined ? undefined : this.#reader.markOwn(uuid);
    this.#actions.refresh();
    this.#pending.acknowledged(draft, uuid, entry !== undefined);
  }

  #done(wish: Wish): void {
    if (wish.kind === "edit" || wish.kind === "delete") return this.#changes.done(wish);
    if (wish.kind === "users") return this.#answer(...rosterWords(this.#session.users, this.#session.away));
    if (wish.kind !== "rename") return;
    this.#rename.close();
    this.#showPeople();
  }

  #failed(wish: Wish, text: string): void {
    if (wish.kind === "send") {
      this.#pending.failed(wish, text);
      this.#list.drawSoon();
    } else if (wish.kind === "edit" || wish.kind === "delete") {
      this.#changes.failed(wish, text);
    } else if (wish.kind === "rename") {
      if (!this.#rename.say(text)) this.#note(`Your name was not changed: ${text}`);
    } else if (wish.kind === "history") {
      this.#reader.receive(undefined);
      show(byId("older", HTMLElement), `Messages cannot be read: ${text}`);
    } else if (wish.kind === "search") this.#search.failed(wish, text);
    else this.#note(text);
  }

  /** What one can do with a message, in the order of the buttons. */
  #messageActions(): MessageAction[] {
    return [
      {
        name: "reply",
        label: "Reply",
        isFor: ({ text }) => text !== "",
        act: (message) => this.#composer.reply(message),
      },
      {
        name: "copy",
        label: "Copy text",
        isFor: ({ text }) => text !== "",
        act: ({ text }) => void copyText(text),
      },
      {
        name: "edit",
        label: "Edit",
        isFor: ({ isOwn, text }) => isOwn && text !== "",
        act: ({ uuid }) => this.#changes.open(uuid),
      },
      {
        name: "delete",
        label: "Delete",
        question: "Really delete?",
        isFor: ({ isOwn, text }) => isOwn && text !== "",
        act: ({ uuid }) => this.#changes.send({ kind: "delete", uuid }),
      },
    ];
  }

  #lineActions(): LineActions {
    return {
      say: (text) => {
        this.#arrivals.answered();
        this.#reader.toNewest();
        this.#session.send(text);
      },
      rename: (username) => this.#session.wish({ kind: "rename", username }),
      showUsers: () => this.#session.wish({ kind: "users" }),
      hasUnsent: () => !this.#pending.isEmpty,
      editLast: (text) => this.#changes.editLast(text),
      removeLast: (back) => this.#changes.removeLast(back),
      readOlder: (limit) => {
        this.#reader.readOlder(limit);
        return !this.#reader.shown.isOldest;
      },
      search: (words) => this.#search.open(words),
      settleFailed: (isSent) => this.#pending.settleFailed(isSent),
      note: (...words) => this.#answer(...words),
      leave: () => this.#session.leave(),
    };
  }

  #moved(): void {
    this.#pending.place();
    this.#arrivals.look();
    this.#actions.refresh();
    const { shown } = this.#reader;
    const isEmpty = shown.newest === undefined;
    this.#beginning.show({ isOldest: shown.isOldest, isEmpty });
    const older = byId("older", HTMLElement);
    if (shown.isOldest) show(older, isEmpty ? undefined : BEGINNING);
    else if (older.textContent === BEGINNING) show(older, undefined);
    this.#reader.moved();
  }

  #jumpTo(uuid: string): void {
    // What is written there would be lost.
    const edited = document.querySelector<HTMLElement>(".editing textarea");
    if (edited !== null) return edited.focus();
    this.#reader.jumpTo(uuid);
  }

  /** A name in the log is mentioned; the quote of a reply leads to the quoted message. */
  #pressed(target: EventTarget | null): void {
    if (!(target instanceof Element)) return;
    const row = target.closest<HTMLElement>(".message");
    const entry = this.#reader.find(row?.dataset["uuid"] ?? "");
    if (entry === undefined) return;
    if (target.closest(".author, .avatar") !== null) this.#composer.mention(entry.message.username);
    const reply = target.closest(".reply-to") === null ? undefined : readReply(entry.message.text);
    if (reply !== undefined) this.#showReplied(reply, entry.number);
  }

  /** Shows the message that a reply quotes, if it is here; else offers a search for it. */
  #showReplied(reply: Reply, before: number): void {
    const quoted = this.#reader.shown.answered(reply, before);
    if (quoted !== undefined) this.#jumpTo(quoted.message.uuid);
    else this.#search.open(firstSearchWords(reply.beginning));
  }

  #showPeople(): void {
    this.#names.changed();
    this.#menu.show(this.#session.username);
    this.#beginning.count(this.#session.users.length);
    this.#people.showSoon();
  }

  #presence(username: string, presence: Presence): void {
    this.#list.changed(this.#log.addPresence(username, presence, Date.now()));
    this.#list.drawSoon();
  }

  /** Notes what the user asked for, where it is seen also if older messages were being read. */
  #answer(...words: readonly Word[]): void {
    this.#note(...words);
    this.#reader.toNewest();
  }

  #note(...words: readonly Word[]): void {
    this.#log.addNotice(words);
    this.#list.drawSoon();
  }
}

/**
 * `chatter client` on a terminal: connects the editor, the screen and the session, and carries out commands. screen/
 * formats and draws lines; the session keeps the connection.
 *
 * @module
 */
import type { Message, SessionEvent } from "../src/client/session/session_events.ts";
import { SessionDriver } from "../src/client/session_driver.ts";
import { rosterWords } from "../src/client/roster_words.ts";
import { HELP, NOT_SENT_YET, readCommand, WORDS } from "../src/client/slash_commands.ts";
import { readUsername } from "../src/cli/commands.ts";
import { steadyClock, wallClock } from "../src/clock.ts";
import { nearSpelling } from "../src/near_spelling.ts";
import { withMentions } from "../src/text/mentions.ts";
import { replyLine } from "../src/text/reply.ts";
import { ChatLines, quoted } from "./screen/chat_lines.ts";
import { FoldedNames } from "./screen/folded_names.ts";
import { helpLines } from "./screen/help_lines.ts";
import { PacedSocket } from "./paced_socket.ts";
import { socketReason } from "./problem.ts";
import type { Paint } from "./screen/colours.ts";
import type { Key } from "./screen/keys.ts";
import { LineEditor } from "./screen/line_editor.ts";
import { SentMessages } from "./screen/sent_messages.ts";
import { type Lines, type Prompt, PromptScreen, type Size } from "./screen/prompt_screen.ts";
import { type PeopleCount, StatusRows } from "./screen/status_rows.ts";
import { completionOf } from "./screen/line_completion.ts";
import { printable } from "./screen/table.ts";

const SHOWN_AT_FIRST = 20;
/** Lines that wait for the terminal: twice those of the longest `/history`. Of more, the newest are drawn. */
export const UNDRAWN_MAX = 2000;
/** Messages of one answer to /search. */
const FOUND_MAX = 20;
const NAME_RULE = "A name is 1 to 32 letters, numbers, emoji, _ - . and single inner spaces";
/** Shown after the commands in /help. */
const KEYS_HELP = [
  { usage: "//TEXT", description: "send a text that begins with a slash" },
  { usage: "Tab", description: "complete a command, or a name after @" },
  { usage: "Alt-Enter", description: "break the line" },
  { usage: "Up, Down", description: "bring back sent lines" },
  { usage: "Ctrl-L", description: "draw the screen again" },
  { usage: "Ctrl-Z", description: "return to the shell; fg continues" },
  { usage: "Ctrl-C, Ctrl-D", description: "leave, on an empty line" },
];
/** Milliseconds between two redraws while a row shows a time. */
const TICK_MS = 250;
const BELL = "\x07";
/** Milliseconds without another ring: many mentions are one call. */
const BELL_MS = 3000;

/** `problem` is undefined if the user left on purpose. */
export type End = { readonly problem: string | undefined };

export interface PersonWorld {
  readonly url: string;
  /** Undefined asks the user for a name. */
  readonly name: string | undefined;
  readonly size: Size;
  readonly paint: Paint;
  /** Whether mentions and answers ring at first. */
  readonly hasBell: boolean;
  /** Resolves when the terminal has taken it; called again only after that. */
  readonly write: (text: string) => Promise<void>;
}

export class PersonClient {
  readonly ended: Promise<End>;
  /** Resolves at a second wish to leave, which waits neither for the server nor for the terminal. */
  readonly hurried: Promise<void>;
  readonly #end = Promise.withResolvers<End>();
  readonly #hurry = Promise.withResolvers<void>();
  readonly #world: PersonWorld;
  readonly #session: SessionDriver;
  readonly #lines: ChatLines;
  readonly #screen: PromptScreen;
  readonly #editor: LineEditor;
  readonly #sent = new SentMessages();
  readonly #status: StatusRows;
  readonly #names = new FoldedNames();
  #hasBell: boolean;
  #rangMs = -BELL_MS;
  #come: Lines[] = [];
  /** Lines that were dropped since the last drawing. */
  #dropped = 0;
  /** What the next drawing does beside the lines and the prompt. */
  #next: { size?: Size; isWhole?: true; rings?: true; isLast?: true } = {};
  #isStale = false;
  #isClosed = false;
  /** Until all is drawn; undefined while nothing is. */
  #drawing: Promise<void> | undefined;
  #tick: ReturnType<typeof setTimeout> | undefined;
  /** What the line is for: a message, a name, or the new text of a message. */
  #mode: { readonly kind: "say" | "name" } | { readonly kind: "edit"; readonly message: Message } = {
    kind: "say",
  };
  #wasIn = false;
  #isExtended = false;
  #isLeaving = false;
  #wasWarned = false;
  #oldest: string | undefined;
  /** Where the last search goes on; undefined if there was none, or nothing is left. */
  #searchOn: { readonly before: string; readonly words: string } | undefined;

  constructor(world: PersonWorld) {
    const { paint } = world;
    this.#world = world;
    this.ended = this.#end.promise;
    this.hurried = this.#hurry.promise;
    this.#hasBell = world.hasBell;
    this.#status = new StatusRows(world.url);
    this.#session = new SessionDriver({
      url: world.url,
      onEvent: (event) => this.#show(event),
      WebSocket: PacedSocket,
    });
    this.#lines = new ChatLines(paint, wallClock(), {
      own: () => this.#session.username,
      isName: (folded) => this.#names.has(folded, this.#session.users),
    });
    this.#screen = new PromptScreen(world.size, {
      above: (text) => paint("dim", text),
      label: (text) => paint("bold", text),
    });
    this.#editor = new LineEditor((before) => completionOf(before, this.#others()));
  }

  start(): void {
    const { name } = this.#world;
    if (name === undefined) this.#askName("What is your name?", "");
    else this.#session.join(name);
    this.#draw();
  }

  press(keys: readonly Key[]): void {
    for (const key of keys) this.#press(key);
    this.#draw();
  }

  resize(size: Size): void {
    this.#next.size = size;
    this.#draw();
  }

  /** Draws the screen again after another program had it. */
  redraw(): void {
    this.#next.isWhole = true;
    this.#draw();
  }

  /** Leaves, for the user or a signal; a second call does not wait for the server. */
  leave(): void {
    if (this.#isLeaving || this.#isClosed) {
      this.#hurry.resolve();
      return this.#end.resolve({ problem: undefined });
    }
    this.#isLeaving = true;
    this.#status.leaves();
    this.#session.leave();
    this.#draw();
  }

  /** Ends the session and removes the prompt. Resolves when the terminal has taken all. */
  async close(): Promise<void> {
    this.#session.end();
    this.#next.isLast = true;
    this.#draw();
    this.#isClosed = true;
    await this.#drawing;
  }

  // What is typed.

  #press(key: Key): void {
    const pressed = this.#editor.press(key);
    switch (pressed.kind) {
      case "submitted":
        return this.#submit(pressed.text);
      case "changed":
        if (this.#mode.kind === "say" && !/^(?:\/|$)/.test(this.#editor.text)) this.#session.typing();
        return;
      case "redraw":
        return this.redraw();
      case "escape":
        if (this.#mode.kind === "edit") this.#stopEditing();
        return;
      case "interrupt":
        if (this.#isClosed) return this.leave();
        if (this.#mode.kind === "edit") return this.#stopEditing();
        if (this.#editor.text !== "") return this.#editor.replace("");
        return this.#wantsToLeave();
      case "endOfInput":
        return this.#wantsToLeave();
    }
  }

  #submit(line: string): void {
    const mode = this.#mode;
    if (mode.kind === "name") return this.#named(line);
    if (mode.kind === "edit") {
      this.#mode = { kind: "say" };
      if (line.trim() === "") return this.#problem("Nothing was changed; /delete deletes a message");
      if (line !== mode.message.text) {
        this.#session.wish({ kind: "edit", uuid: mode.message.uuid, text: line });
      }
      return;
    }
    this.#obey(line);
  }

  #obey(line: string): void {
    const command = readCommand(line);
    switch (command.kind) {
      case "say":
        return this.#session.send(command.text);
      case "nick": {
        const username = readUsername(command.name);
        if (username === undefined) return this.#problem(`${NAME_RULE}: /nick NAME`);
        return this.#session.wish({ kind: "rename", username });
      }
      case "users":
        return this.#session.wish({ kind: "users" });
      case "edit":
        return this.#edit(command.back, command.text);
      case "delete": {
        if (this.#sent.isAnyUnsent) return this.#problem(NOT_SENT_YET);
        const message = this.#sent.last(command.back);
        if (message === undefined) return this.#problem("You have no message to delete");
        return this.#session.wish({ kind: "delete", uuid: message.uuid });
      }
      case "history":
        return this.#session.wish({ kind: "history", limit: command.count, before: this.#oldest });
      case "search":
        return this.#search(command.words);
      case "reply":
        return this.#reply(command.text);
      case "bell":
        this.#hasBell = command.isOn;
        return this.#say(`The bell is ${command.isOn ? "on" : "off"}`);
      case "resend":
      case "discard": {
        const nonces = this.#sent.takeOffered();
        if (nonces.length === 0) this.#problem("There is no message to send again or to drop");
        for (const nonce of nonces) this.#session.settleDraft(nonce, command.kind === "resend");
        return;
      }
      case "help":
        return this.#print(helpLines([...HELP, ...KEYS_HELP], (text) => this.#world.paint("dim", text)));
      case "quit":
        return this.#wantsToLeave();
      case "unknown": {
        const { word } = command;
        const meant = nearSpelling(word, WORDS);
        const hint = meant === undefined ? "." : `; did you mean /${meant}?`;
        return this.#problem(`There is no /${word}${hint} /help lists all, // sends a slash`);
      }
      case "problem":
        return this.#problem(command.text);
    }
  }

  #search(typed: string): void {
    const next = typed === "" ? this.#searchOn : { before: undefined, words: typed };
    if (next === undefined) return this.#problem("There is nothing to search on: /search WORDS");
    this.#session.wish({ kind: "search", limit: FOUND_MAX, ...next });
  }

  #found({ wish: { words }, messages, searchedTo }: Extract<SessionEvent, { type: "found" }>): void {
    this.#searchOn = searchedTo === undefined ? undefined : { before: searchedTo, words };
    const end = `messages found by ${quoted(words)} end here`;
    if (messages.length > 0) this.#print(this.#lines.older(messages.toReversed(), end));
    if (searchedTo !== undefined) {
      this.#say(messages.length > 0 ? "/search shows older ones" : "Nothing found yet: /search searches on");
    } else this.#say(`There are no ${messages.length > 0 ? "older " : ""}messages with ${quoted(words)}`);
  }

  #reply(typed: string): void {
    const [mention] = withMentions(typed, (folded) => this.#lines.latestOf(folded) !== undefined);
    const named = mention?.kind === "mention" ? mention : undefined;
    const message = this.#lines.latestOf(named?.folded);
    const text = typed.slice(named?.text.length ?? 0).trim();
    if (message === undefined) {
      return this.#problem(
        `There is no message${named === undefined ? "" : ` of ${named.text.slice(1)}`} to answer`,
      );
    }
    if (text === "") return this.#problem("/reply takes your answer");
    this.#session.send(replyLine(message.username, message.text) + text);
  }

  #edit(back: number, text: string | undefined): void {
    if (this.#sent.isAnyUnsent) return this.#problem(NOT_SENT_YET);
    const message = this.#sent.last(back);
    if (message === undefined) return this.#problem("You have no message to change");
    if (text !== undefined) return this.#session.wish({ kind: "edit", uuid: message.uuid, text });
    this.#mode = { kind: "edit", message };
    this.#editor.replace(message.text);
  }

  #stopEditing(): void {
    this.#mode = { kind: "say" };
    this.#editor.replace("");
  }

  #askName(why: string, name: string): void {
    this.#say(why);
    this.#mode = { kind: "name" };
    this.#editor.replace(name);
  }

  #named(line: string): void {
    const name = readUsername(line);
    if (name === undefined) {
      return this.#problem(NAME_RULE);
    }
    this.#mode = { kind: "say" };
    this.#session.join(name);
  }

  /** Leaves; with unsent messages only at the second call. */
  #wantsToLeave(): void {
    const { waiting } = this.#sent;
    if (waiting > 0 && !this.#isLeaving && !this.#wasWarned) {
      this.#wasWarned = true;
      return this.#problem(`${waiting} of your messages are not sent yet; do it again to leave anyway`);
    }
    this.leave();
  }

  // What the session tells.

  #show(event: SessionEvent): void {
    switch (event.type) {
      case "state":
        this.#connectionChanged(event);
        break;
      case "entered":
        this.#entered(event);
        break;
      case "message":
        this.#status.typed(event.message.username);
        this.#sent.received(event.message);
        this.#oldest ??= event.message.uuid;
        this.#print(event.isNew ? this.#lines.message(event.message) : this.#lines.changed(event.message));
        if (event.isNew && this.#lines.calls(event.message)) this.#ring();
        break;
      case "latency":
        this.#status.answered(event.ms);
        break;
      case "history":
        this.#page(event);
        break;
      case "found":
        this.#found(event);
        break;
      case "typing":
        this.#status.types(event.username, steadyClock());
        break;
      case "queued":
        this.#sent.queued(event.draft, steadyClock());
        break;
      case "acknowledged":
        this.#sent.acknowledged(event.draft);
        break;
      case "unsent": {
        this.#sent.offered(event.draft.nonce);
        const fate = event.wasSent ? "may not have arrived" : "is not sent";
        this.#problem(`${quoted(event.draft.text)} ${fate}: /resend or /discard`);
        break;
      }
      case "failed":
        this.#failed(event);
        break;
      case "done":
        if (event.wish.kind === "users") this.#tellRoster();
        break;
      default: {
        if (event.type === "left") this.#status.typed(event.username);
        const line = this.#lines.roster(event);
        if (line !== undefined) this.#print([line]);
      }
    }
    this.#draw();
  }

  #connectionChanged(event: Extract<SessionEvent, { type: "state" }>): void {
    const wasLive = this.#status.isLive;
    this.#status.setState(event);
    switch (event.state) {
      case "waiting": {
        if (this.#isLeaving) return this.#end.resolve({ problem: undefined });
        if (!this.#wasIn) {
          const why = socketReason(this.#session.lastError, event.text);
          return this.#fails(`Cannot reach ${this.#world.url}: ${why}`);
        }
        if (wasLive) {
          this.#problem(`${event.text}. Reconnecting; what you write is sent after that`);
        }
        return;
      }
      case "refused":
        return this.#askName(event.text, this.#session.username);
      case "over":
        if (this.#isLeaving) return this.#end.resolve({ problem: undefined });
        return this.#fails(event.text);
    }
  }

  /** The reason may be the server's own text, and it is printed outside of the screen, which escapes all others. */
  #fails(problem: string): void {
    this.#end.resolve({ problem: printable(problem) });
  }

  #entered({ how, serverName, username, isExtended }: Extract<SessionEvent, { type: "entered" }>): void {
    this.#wasIn = true;
    this.#isExtended = isExtended;
    this.#status.entered(serverName);
    switch (how) {
      case "new":
        this.#say(`You are on ${serverName} as ${username}. /help lists the commands`);
        this.#session.wish({ kind: "users" });
        if (!isExtended) {
          this.#say("This server does not show who joins or types, and cannot resume sessions");
        }
        return;
      case "resumed":
        return this.#say("Reconnected; you missed nothing");
      case "again": {
        const hasWritten = this.#sent.last(0) !== undefined;
        this.#sent.disown();
        const loss = hasWritten ? ", and you can no longer change what you wrote before" : "";
        return this.#say(`Reconnected as a new session; what you missed follows${loss}`);
      }
    }
  }

  #page({ messages, isStart, isReset, isOldest, before }: Extract<SessionEvent, { type: "history" }>): void {
    if (isReset) this.#say("You missed more messages than can be shown");
    if (!isStart) {
      if (messages.length > 0) this.#print(this.#lines.older(messages));
      if (isOldest) this.#say("There are no older messages");
      if (before === this.#oldest) this.#oldest = messages[0]?.uuid ?? this.#oldest;
      return;
    }
    const shown = isReset ? messages : messages.slice(-SHOWN_AT_FIRST);
    for (const message of messages) this.#sent.received(message);
    this.#print(shown.flatMap((message) => this.#lines.message(message)));
    this.#oldest ??= shown[0]?.uuid;
  }

  #failed({ wish, text }: Extract<SessionEvent, { type: "failed" }>): void {
    if (wish.kind === "send") {
      this.#sent.offered(wish.nonce);
      return this.#problem(`Not sent: ${quoted(wish.text)}: ${text}. /resend tries again, /discard drops it`);
    }
    this.#problem(text);
  }

  #tellRoster(): void {
    const words = rosterWords(this.#session.users, this.#session.away);
    this.#say(words.map((word) => typeof word === "string" ? word : word.name).join(""));
  }

  #others(): readonly string[] {
    const { users, username } = this.#session;
    return users.filter((name) => name !== username);
  }

  #ring(): void {
    const nowMs = steadyClock();
    if (!this.#hasBell || nowMs - this.#rangMs < BELL_MS) return;
    this.#rangMs = nowMs;
    this.#next.rings = true;
  }

  // The screen.

  #say(text: string): void {
    this.#print([this.#lines.notice(text)]);
  }

  #problem(text: string): void {
    this.#print([this.#lines.notice(text, "yellow")]);
  }

  #print(lines: readonly Lines[]): void {
    for (const line of lines) this.#come.push(line);
    const over = Math.max(0, this.#come.length - UNDRAWN_MAX);
    this.#come.splice(0, over);
    this.#dropped += over;
  }

  /** Draws now, or once the terminal has taken what was drawn before: one drawing for all that has come until then. */
  #draw(): void {
    if (this.#isClosed) return;
    this.#isStale = true;
    this.#drawing ??= this.#drawAll();
  }

  async #drawAll(): Promise<void> {
    while (this.#isStale) {
      this.#isStale = false;
      await this.#world.write(this.#drawn());
    }
    this.#drawing = undefined;
  }

  /** What brings the terminal up to date. */
  #drawn(): string {
    const { size, isWhole, rings, isLast } = this.#next;
    if (this.#dropped > 0) {
      this.#come.unshift(this.#lines.notice(`Too fast to be shown: ${this.#dropped} lines`, "yellow"));
    }
    const come = this.#come;
    [this.#next, this.#come, this.#dropped] = [{}, [], 0];
    clearTimeout(this.#tick);
    if (!isLast && (this.#status.isTimed || this.#sent.waiting > 0)) {
      this.#tick = setTimeout(() => this.#draw(), TICK_MS);
    }
    return [
      size === undefined ? "" : this.#screen.resize(size, this.#prompt()),
      isWhole ? this.#screen.redraw(this.#prompt()) : "",
      this.#screen.print(come, this.#prompt()),
      rings ? BELL : "",
      isLast ? this.#screen.leave() : "",
    ].join("");
  }

  #people(): PeopleCount {
    const { users, away } = this.#session;
    return this.#isExtended ? { here: users.length, away: away.length } : undefined;
  }

  #prompt(): Prompt {
    const { text, cursor } = this.#editor;
    const above = [...this.#sent.rows(steadyClock()), ...this.#status.rows(steadyClock(), this.#people())];
    return { above, label: this.#label(), text, cursor };
  }

  #label(): string {
    switch (this.#mode.kind) {
      case "name":
        return "name: ";
      case "edit":
        return "change: ";
      case "say":
        return `${this.#session.username}> `;
    }
  }
}

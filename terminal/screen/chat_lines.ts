/**
 * Formats the events of a session as lines for a terminal. Pure. No text from a peer can steer the terminal, and each
 * text is indented, so that no part of it looks like another user's line.
 *
 * @module
 */
import type { Message, SessionEvent } from "../../src/client/session/session_events.ts";
import { foldText } from "../../src/protocol/search_words.ts";
import { calls, type IsName, mayCall } from "../../src/text/mentions.ts";
import type { MessageText } from "../../src/text/message_nodes.ts";
import { messageText } from "../../src/text/message_text.ts";
import { cellsOf, cut } from "./cells.ts";
import { hueLook, type Look, type Paint } from "./colours.ts";
import type { Lines } from "./prompt_screen.ts";
import { CALL, paintedRows, type Span, spansOf } from "./spans.ts";
import { printable, printableLines } from "./table.ts";

/** Messages whose text is kept, to show a change once. */
const REMEMBERED_MAX = 300;
/** UTF-16 units of a text that are shown: several times the default limit of a server. */
export const SHOWN_LENGTH_MAX = 20_000;
/** Cells of a name that are shown: more than a valid name takes. */
const NAME_CELLS_MAX = 64;
const QUOTED_MAX = 40;
/** The indent of a message's further rows: as wide as the time. */
const MARGIN = "      ";

/** The user's own name, and the folded names of all users. */
export interface Names {
  readonly own: () => string;
  readonly isName: IsName;
}

export class ChatLines {
  readonly #paint: Paint;
  readonly #names: Names;
  /** The day of the last message shown; at first today. */
  #day: string;
  readonly #known = new Map<string, Message>();

  constructor(paint: Paint, nowMs: number, names: Names) {
    this.#paint = paint;
    this.#names = names;
    this.#day = dayOf(nowMs);
  }

  notice(text: string, look: Look = "dim"): Lines {
    return this.#rows([{ text: shown(`* ${text}`), looks: [look] }]);
  }

  #rows(spans: readonly Span[]): Lines {
    return (width) =>
      paintedRows(spans, width, Math.max(1, width - 2), this.#paint).map((row, i) =>
        (i === 0 ? "" : "  ".slice(0, width - 1)) + row
      );
  }

  /** A new message, after a rule if its day differs from the last one. */
  message(message: Message): Lines[] {
    const { receivedMs, text } = message;
    this.#remember(message);
    const day = dayOf(receivedMs);
    const lines = day === this.#day ? [] : [this.#rule(day)];
    this.#day = day;
    // Read when it is drawn: the screen keeps hundreds of lines, and formatting may take many times the text.
    return [...lines, text === "" ? this.#deleted(message) : (width) => this.#said(message)(width)];
  }

  /** Whether a message of another user calls this one: by a mention, or as an answer. */
  calls({ isOwn, text }: Message): boolean {
    return !isOwn && mayCall(text) &&
      calls(messageText(text, this.#names.isName).nodes, foldText(this.#names.own()));
  }

  /** The newest message of another user that is not deleted, by its folded name; undefined means any. */
  latestOf(folded: string | undefined): Message | undefined {
    const own = foldText(this.#names.own());
    let latest: Message | undefined;
    for (const message of this.#known.values()) {
      const author = foldText(message.username);
      if (message.isOwn || message.text === "" || author === own) continue;
      if ((folded ?? author) === author && message.uuid > (latest?.uuid ?? "")) latest = message;
    }
    return latest;
  }

  changed(message: Message): Lines[] {
    const before = this.#known.get(message.uuid);
    this.#remember(message);
    if (before !== undefined && before.text === message.text) return [];
    // Not by its text: that is what its author took back.
    const what = `a message from ${clock(message.receivedMs)}`;
    const name = nameOf(message);
    if (message.text === "") return [this.notice(`${name} deleted ${what}`)];
    return [(width) => {
      const { action, spans } = this.#read(message.text);
      const begin = `* ${name} changed ${what} to: ${action === "" ? "" : `* ${name} `}`;
      return this.#rows([{ text: begin, looks: ["dim"] }, ...spans])(width);
    }];
  }

  /** Older messages, oldest first, and a rule after them. */
  older(messages: readonly Message[], end = "older messages end here"): Lines[] {
    const day = this.#day;
    this.#day = "";
    const lines = messages.flatMap((message) => this.message(message));
    this.#day = day;
    return [...lines, this.#rule(end)];
  }

  /** A join, departure or rename; undefined for other events. */
  roster(event: SessionEvent): Lines | undefined {
    switch (event.type) {
      case "came":
        return event.isOwn ? undefined : this.notice(`${event.username} joined`);
      case "renamed":
        return this.notice(event.isOwn ? `you are now ${event.to}` : `${event.from} is now ${event.to}`);
      case "left":
        return this.notice(`${event.isOwn ? "you" : event.username} ${howLeft(event, event.isOwn)}`);
    }
  }

  #deleted(message: Message): Lines {
    return this.#row(message, [{ text: "(deleted)", looks: ["dim"] }], "", false);
  }

  #said(message: Message): Lines {
    const { action, spans, nodes } = this.#read(message.text);
    const mark: Span[] = message.edited ? [{ text: " (edited)", looks: ["dim"] }] : [];
    const isCall = !message.isOwn && calls(nodes, foldText(this.#names.own()));
    return this.#row(message, [...spans, ...mark], action, isCall);
  }

  /** Without looks the text of the spans is what was sent. */
  #read(sent: string): MessageText & { readonly spans: readonly Span[] } {
    const text = spaced(sent);
    const { action, nodes } = messageText(text, this.#names.isName);
    const spans = this.#paint.isPlain
      ? [{ text: printableLines(text.slice(action.length)), looks: [] }]
      : spansOf(nodes, this.#names.own());
    return { action, nodes, spans };
  }

  /** `12:34 bob: text`, and of an action `12:34 * bob text`. */
  #row(
    { receivedMs, username, isOwn }: Message,
    spans: readonly Span[],
    action: string,
    isCall: boolean,
  ): Lines {
    const paint = this.#paint;
    const time = clock(receivedMs);
    const name = nameOf({ username });
    const [before, after] = action === "" ? ["", ":"] : ["* ", ""];
    const head = cellsOf(`${time} ${before}${name}${after} `);
    const paintedName = paint(isOwn ? "bold" : ["bold", hueLook(username)], name);
    const first = `${paint(isCall ? CALL : "dim", time)} ${before}${paintedName}${after}`;
    return (width) => {
      const margin = MARGIN.slice(0, Math.max(0, Math.min(MARGIN.length, width - 8)));
      const rest = width - margin.length;
      // A long name has its own row.
      if (head + 8 > width) {
        const alone = paintedRows(spans, rest, rest, paint);
        return [cut(`${time} ${before}${name}${after}`, width), ...alone.map((row) => margin + row)];
      }
      const [start = "", ...others] = paintedRows(spans, width - head, rest, paint);
      return [start === "" ? first : `${first} ${start}`, ...others.map((row) => margin + row)];
    };
  }

  #rule(text: string): Lines {
    return (width) => [this.#paint("dim", cut(`-- ${text} --`, width))];
  }

  #remember(message: Message): void {
    this.#known.delete(message.uuid);
    this.#known.set(message.uuid, message);
    for (const oldest of this.#known.keys()) {
      if (this.#known.size <= REMEMBERED_MAX) break;
      this.#known.delete(oldest);
    }
  }
}

/** A text with its line breaks, and without anything else that moves the cursor. */
export function shown(text: string): string {
  return printableLines(spaced(text));
}

/** A text of at most the length that is shown, with one kind of line breaks and without tabs. */
function spaced(text: string): string {
  const whole = text.length <= SHOWN_LENGTH_MAX ? text : `${text.slice(0, SHOWN_LENGTH_MAX).toWellFormed()}…`;
  return whole.replace(/\r\n?/g, "\n").replaceAll("\t", "    ");
}

function nameOf({ username }: { readonly username: string }): string {
  return cut(printable(username.slice(0, SHOWN_LENGTH_MAX)), NAME_CELLS_MAX);
}

export function quoted(text: string): string {
  return `"${cut(printable(text.slice(0, SHOWN_LENGTH_MAX).replace(/\s+/g, " ")), QUOTED_MAX)}"`;
}

function howLeft({ kind, message }: Extract<SessionEvent, { type: "left" }>, isOwn: boolean): string {
  switch (kind) {
    case "disconnect":
      return "left";
    case "lost_connection":
      return "lost the connection";
    case "kick":
      return `${isOwn ? "were" : "was"} removed by an operator`;
    case "ban":
      return `${isOwn ? "were" : "was"} banned${
        message === undefined || message === "" ? "" : `: ${message}`
      }`;
  }
}

function clock(ms: number): string {
  return new Date(ms).toTimeString().slice(0, "12:34".length);
}

function dayOf(ms: number): string {
  return new Date(ms).toDateString();
}

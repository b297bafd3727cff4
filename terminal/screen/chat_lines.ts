/**
 * Formats the events of a session as lines for a terminal. Pure. No text from a peer can steer the terminal, and each
 * text is indented, so that no part of it looks like another user's line.
 *
 * @module
 */
import type { Message, SessionEvent } from "../../src/client/session/session_events.ts";
import { cellsOf, cut, wrapWords } from "./cells.ts";
import { type Look, nameColour, type Paint } from "./colours.ts";
import type { Lines } from "./prompt_screen.ts";
import { printable } from "./table.ts";

/** Messages whose text is kept, to show a change once. */
const REMEMBERED_MAX = 300;
/** UTF-16 units of a text that are shown: several times the default limit of a server. */
export const SHOWN_LENGTH_MAX = 20_000;
/** Cells of a name that are shown: more than a valid name takes. */
const NAME_CELLS_MAX = 64;
const QUOTED_MAX = 40;
/** The indent of a message's further rows: as wide as the time. */
const MARGIN = "      ";

export class ChatLines {
  readonly #paint: Paint;
  /** The day of the last message shown; at first today. */
  #day: string;
  readonly #known = new Map<string, Message>();

  constructor(paint: Paint, nowMs: number) {
    this.#paint = paint;
    this.#day = dayOf(nowMs);
  }

  notice(text: string, look: Look = "dim"): Lines {
    return (width) =>
      wrapWords(shown(`* ${text}`), width, Math.max(1, width - 2)).map((row, i) =>
        this.#paint(look, (i === 0 ? "" : "  ".slice(0, width - 1)) + row)
      );
  }

  /** A new message, after a rule if its day differs from the last one. */
  message(message: Message): Lines[] {
    const { receivedMs, text } = message;
    this.#remember(message);
    const day = dayOf(receivedMs);
    const lines = day === this.#day ? [] : [this.#rule(day)];
    this.#day = day;
    if (text === "") return [...lines, this.#said(message, "(deleted)", "dim")];
    return [...lines, this.#said(message, message.edited ? `${text} (edited)` : text, "plain")];
  }

  changed(message: Message): Lines[] {
    const before = this.#known.get(message.uuid);
    this.#remember(message);
    if (before !== undefined && before.text === message.text) return [];
    // Not by its text: that is what its author took back.
    const what = `a message from ${clock(message.receivedMs)}`;
    const name = nameOf(message);
    if (message.text === "") return [this.notice(`${name} deleted ${what}`)];
    return [this.notice(`${name} changed ${what} to: ${message.text}`)];
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

  #said({ receivedMs, username, isOwn }: Message, text: string, look: Look): Lines {
    const time = clock(receivedMs);
    const name = nameOf({ username });
    const head = cellsOf(`${time} ${name}: `);
    return (width) => {
      const margin = MARGIN.slice(0, Math.max(0, Math.min(MARGIN.length, width - 8)));
      // A long name has its own row.
      const isAlone = head + 8 > width;
      const rows = wrapWords(shown(text), isAlone ? 1 : width - head, width - margin.length);
      const paintedName = this.#paint("bold", isOwn ? name : this.#paint(nameColour(username), name));
      const first = `${this.#paint("dim", time)} ${paintedName}:`;
      if (isAlone) {
        const alone = wrapWords(shown(text), width - margin.length, width - margin.length);
        return [cut(`${time} ${name}:`, width), ...alone.map((row) => margin + this.#paint(look, row))];
      }
      return rows.map((row, i) => (i === 0 ? `${first} ` : margin) + this.#paint(look, row));
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
  const whole = text.length <= SHOWN_LENGTH_MAX ? text : `${text.slice(0, SHOWN_LENGTH_MAX).toWellFormed()}…`;
  return whole.replace(/\r\n?/g, "\n").replaceAll("\t", "    ").split("\n").map(printable).join("\n");
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

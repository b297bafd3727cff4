/**
 * What a session tells, as lines for a person: who said what and when, who came and went, what was changed.
 *
 * Pure. Whatever somebody else wrote is shown so that it cannot steer the terminal, and stands under its beginning, so
 * that no part of a text looks like a line of somebody else.
 *
 * @module
 */
import type { Message, SessionEvent } from "../../src/client/session/session_events.ts";
import { cellsOf, cut, wrapWords } from "./cells.ts";
import { type Look, nameColour, type Paint } from "./colours.ts";
import type { Lines } from "./prompt_screen.ts";
import { printable } from "./table.ts";

/** Messages of which the text before a change is remembered. */
const REMEMBERED_MAX = 300;
/** UTF-16 units of a text that are shown: several times what a server with the default limits lets through. */
export const SHOWN_LENGTH_MAX = 20_000;
/** Cells of a name that are shown: no name of a right server takes more. */
const NAME_CELLS_MAX = 64;
/** Cells of a text that is named where it is not shown. */
const QUOTED_MAX = 40;
/** Under the beginning of a text that goes on: as wide as the time. */
const MARGIN = "      ";

export class ChatLines {
  readonly #paint: Paint;
  /** The day of the last line that has a time, as text; at first today. */
  #day: string;
  readonly #known = new Map<string, Message>();

  constructor(paint: Paint, nowMs: number) {
    this.#paint = paint;
    this.#day = dayOf(nowMs);
  }

  /** A word of the program itself. */
  notice(text: string, look: Look = "dim"): Lines {
    return (width) =>
      wrapWords(shown(`* ${text}`), width, Math.max(1, width - 2)).map((row, i) =>
        this.#paint(look, (i === 0 ? "" : "  ".slice(0, width - 1)) + row)
      );
  }

  /** A message that is new to the one who reads; where it is of another day than the one before, that comes first. */
  message(message: Message): Lines[] {
    const { timestamp, text } = message;
    this.#remember(message);
    const day = dayOf(timestamp);
    const lines = day === this.#day ? [] : [this.#rule(day)];
    this.#day = day;
    if (text === "") return [...lines, this.#said(message, "(deleted)", "dim")];
    return [...lines, this.#said(message, message.edited ? `${text} (edited)` : text, "plain")];
  }

  /** A message that was there before, and is another now. */
  changed(message: Message): Lines[] {
    const before = this.#known.get(message.uuid);
    this.#remember(message);
    if (before !== undefined && before.text === message.text) return [];
    const what = before === undefined || before.text === ""
      ? `a message from ${clock(message.timestamp)}`
      : quoted(before.text);
    const name = nameOf(message);
    if (message.text === "") return [this.notice(`${name} deleted ${what}`)];
    return [this.notice(`${name} changed ${what} to: ${message.text}`)];
  }

  /** Older messages, oldest first, between two rules. */
  older(messages: readonly Message[]): Lines[] {
    const day = this.#day;
    this.#day = "";
    const lines = messages.flatMap((message) => this.message(message));
    this.#day = day;
    return [...lines, this.#rule("older messages end here")];
  }

  /** Who came, went, or has another name; undefined for events of other kinds. */
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

  #said({ timestamp, username, isOwn }: Message, text: string, look: Look): Lines {
    const time = clock(timestamp);
    const name = nameOf({ username });
    const head = cellsOf(`${time} ${name}: `);
    return (width) => {
      const margin = MARGIN.slice(0, Math.max(0, Math.min(MARGIN.length, width - 8)));
      // A name that fills the row has it to itself.
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

/** What somebody wrote, with its line breaks and nothing else that would move the cursor. */
export function shown(text: string): string {
  const whole = text.length <= SHOWN_LENGTH_MAX ? text : `${text.slice(0, SHOWN_LENGTH_MAX).toWellFormed()}…`;
  return whole.replace(/\r\n?/g, "\n").replaceAll("\t", "    ").split("\n").map(printable).join("\n");
}

function nameOf({ username }: { readonly username: string }): string {
  return cut(printable(username.slice(0, SHOWN_LENGTH_MAX)), NAME_CELLS_MAX);
}

/** A text in one row, short, in quotes. */
export function quoted(text: string): string {
  return `"${cut(printable(text.slice(0, SHOWN_LENGTH_MAX).replace(/\s+/g, " ")), QUOTED_MAX)}"`;
}

function howLeft({ kind, message }: Extract<SessionEvent, { type: "left" }>, isOwn: boolean): string {
  switch (kind) {
    case "disconnect":
      return "left";
    case "lost_connection":
      return "lost the connection";
    case "ban":
      return `${isOwn ? "were" : "was"} banned${
        message === undefined || message === "" ? "" : `: ${message}`
      }`;
  }
}

/** A message's timestamp is its author's: any number. */
function clock(timestampMs: number): string {
  const date = new Date(timestampMs);
  return Number.isNaN(date.getTime()) ? "--:--" : date.toTimeString().slice(0, "12:34".length);
}

function dayOf(timestampMs: number): string {
  const date = new Date(timestampMs);
  return Number.isNaN(date.getTime()) ? "an unknown day" : date.toDateString();
}

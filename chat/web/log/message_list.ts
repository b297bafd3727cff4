/**
 * The rows of the conversation: only the visible part of the log has rows. The view follows the newest message if the
 * user is at the end, and otherwise keeps its place. Only the user leaves the end: the style of the scroller counts
 * `scrollTop` from there, as 0 and below, so that no change of heights moves it.
 *
 * @module
 */
/// <reference lib="dom" />
import type { Entry, MessageEntry, MessageLog } from "./message_log.ts";
import { isAction } from "../../../src/text/message_text.ts";
import { drawnSoon } from "../../../src/web/draw_soon.ts";
import { dayKey, onNewDay, shortTime } from "../page/local_time.ts";
import { dayRow, fillDay, fillNotice, fillRow, makeRow, type RowContext, sinceRow } from "./message_row.ts";

/** Rows at most, rows to begin with, and rows added at a time while the user scrolls: few, so that no frame is long. */
export const ROWS_MAX = 160;
const ROWS_FIRST = 60;
const ROWS_AT_ONCE = 12;
/** Pixels from an end at which rows are added, and from the newest message that count as the end. */
const NEAR_PX = 800;
const BOTTOM_PX = 16;
/** Rows that come at once and appear by a motion; more are there at once. */
const FRESH_MAX = 3;
/** Milliseconds after which a message of the same author shows the name again. */
const GROUP_MS = 300_000;

export class MessageList {
  isAtEnd = true;
  #log: MessageLog;
  readonly #scroller: HTMLElement;
  readonly #list: HTMLElement;
  readonly #context: RowContext;
  readonly #onMove: () => void;
  /** The numbers of the first entry with a row, and of the one after the last. */
  #from = 0;
  #to = 0;
  readonly #rows = new Map<number, HTMLLIElement>();
  /** The messages after this id have the line of what is new above them, with these words. */
  #newAfter: string | undefined;
  #newWords = "";
  /** Pixels by which `keepPlace` missed, less than one, because the browser scrolls by whole pixels. */
  #missedPx = 0;

  constructor(
    { log, scroller, list, context, onMove }: {
      readonly log: MessageLog;
      readonly scroller: HTMLElement;
      readonly list: HTMLElement;
      readonly context: RowContext;
      /** Called after the user scrolled or the view moved. */
      readonly onMove: () => void;
    },
  ) {
    this.#log = log;
    this.#scroller = scroller;
    this.#list = list;
    this.#context = context;
    this.#onMove = onMove;
    scroller.addEventListener("scroll", () => this.#moved(), { passive: true });
    // A move to the end may rest some pixels before it, as the button for the newest goes meanwhile.
    scroller.addEventListener("scrollend", () => {
      if (this.isAtEnd) scroller.scrollTop = 0;
    }, { passive: true });
    // Lines above the field come and go, and the field grows: what a reader reads keeps its place below the header.
    let height = scroller.clientHeight;
    new ResizeObserver(() => {
      // The field below is as far from the sides as the rows, which a scroll bar may push.
      const scrollbarPx = (scroller.offsetWidth - scroller.clientWidth) / 2;
      scroller.parentElement?.style.setProperty("--scrollbar", `${scrollbarPx}px`);
      if (!this.isAtEnd) scroller.scrollTop += scroller.clientHeight - height;
      height = scroller.clientHeight;
    }).observe(scroller);
    onNewDay(() => {
      for (const row of list.querySelectorAll<HTMLLIElement>(".day")) fillDay(row);
    });
    list.addEventListener("click", ({ target }) => this.#unfold(target));
  }

  get isAtStart(): boolean {
    return this.#from <= this.#log.start && this.#abovePx() < NEAR_PX;
  }

  /** The last entry of the log has a row near the view. */
  get isNearEnd(): boolean {
    return this.#to >= this.#log.end && -this.#scroller.scrollTop < NEAR_PX;
  }

  readonly drawSoon = drawnSoon(() => {
    this.#draw();
    this.#onMove();
  });

  #draw(): void {
    if (this.#from < this.#log.start) this.#rebuild();
    else if (this.isAtEnd) {
      if (this.#log.end - this.#to > ROWS_FIRST) return this.#rebuild();
      const added = this.#log.end - this.#to;
      this.#add(this.#to, this.#log.end);
      if (added <= FRESH_MAX && this.#rows.size > added) this.#markFresh(added);
      this.#dropFirst(this.#rows.size - ROWS_MAX);
    } else if (this.#rows.size < ROWS_MAX && this.#to < this.#log.end) {
      this.keepPlace(() => this.#add(this.#to, Math.min(this.#log.end, this.#from + ROWS_MAX)));
      // At the last row there is nothing to scroll to, and no other event to add the next ones at.
    } else this.#drawNewer();
  }

  /** Lets the newest rows appear. */
  #markFresh(count: number): void {
    for (let number = this.#to - count; number < this.#to; number++) {
      this.#rows.get(number)?.classList.add("fresh");
    }
  }

  /** Adds rows below if the view is near the last one. */
  #drawNewer(): void {
    if (-this.#scroller.scrollTop >= NEAR_PX || this.#to >= this.#log.end) return;
    this.keepPlace(() => {
      this.#add(this.#to, Math.min(this.#log.end, this.#to + ROWS_AT_ONCE));
      this.#dropFirst(this.#rows.size - ROWS_MAX);
    });
  }

  drawOlder(): void {
    this.keepPlace(() => {
      // At the end no newer row makes room for an older one.
      const from = Math.max(
        this.#log.start,
        this.#from - ROWS_AT_ONCE,
        this.isAtEnd ? this.#to - ROWS_MAX : -Infinity,
      );
      this.#addBefore(from);
      this.#dropLast(this.#rows.size - ROWS_MAX);
    });
  }

  restart(): void {
    this.#rebuild();
    this.toEnd();
  }

  toEnd(): void {
    this.isAtEnd = this.#log.isLive;
    if (this.#to < this.#log.end || this.#from < this.#log.start) this.#rebuild();
    this.#scroller.scrollTop = 0;
    this.#onMove();
  }

  /** Shows another log: at an entry of it, in the middle of the view, or at its end. */
  show(log: MessageLog, entry?: MessageEntry): void {
    this.#log = log;
    if (entry === undefined) return this.restart();
    this.#rebuild(entry.number);
    this.#center(entry);
  }

  /** Shows an entry in the middle of the view. */
  showEntry(entry: MessageEntry): void {
    if (this.rowOf(entry) === undefined) this.#rebuild(entry.number);
    this.#center(entry);
  }

  /** Shows a log that has all messages of the one before, and moves nothing in the view. */
  extendTo(log: MessageLog): void {
    const { top } = this.#scroller.getBoundingClientRect();
    const first = this.#firstBelow(top);
    const entry = first?.kind === "message" ? log.find(first.message.uuid) : undefined;
    if (first === undefined || entry === undefined) return this.show(log);
    const wanted = this.rowOf(first)?.getBoundingClientRect().top ?? top;
    this.#log = log;
    this.#rebuild(entry.number);
    this.#scroller.scrollTop += (this.rowOf(entry)?.getBoundingClientRect().top ?? wanted) - wanted;
    this.#moved();
  }

  /** The first message whose row ends below a height of the window. */
  #firstBelow(top: number): Entry | undefined {
    for (let number = this.#from; number < this.#to; number++) {
      const entry = this.#log.at(number);
      const bottom = this.#rows.get(number)?.getBoundingClientRect().bottom ?? -Infinity;
      if (entry?.kind === "message" && bottom > top) return entry;
    }
    return undefined;
  }

  #center(entry: MessageEntry): void {
    const row = this.rowOf(entry);
    if (row === undefined) return;
    row.scrollIntoView({ block: "center" });
    // The focus is where the user reads on, and a screen reader reads the row.
    row.focus({ preventScroll: true });
    row.classList.remove("found");
    // Begins again where the same row was found before.
    void row.offsetWidth;
    row.classList.add("found");
    this.#moved();
  }

  changed(entry: Entry): void {
    const row = this.rowOf(entry);
    if (row !== undefined) this.keepPlace(() => refill(row, entry, this.#context.names));
  }

  /** Puts a line with these words above the first message after an id, or takes it away. */
  markNew(after: string | undefined, words: string): void {
    if (after === this.#newAfter && words === this.#newWords) return;
    this.#newWords = words;
    const lines = this.#list.querySelectorAll<HTMLLIElement>(".since");
    if (after === this.#newAfter && lines.length > 0) {
      for (const line of lines) line.textContent = words;
      return;
    }
    this.keepPlace(() => {
      for (const line of lines) line.remove();
      this.#newAfter = after;
      const entry = after === undefined ? undefined : this.#log.firstAfter(after);
      if (entry !== undefined) this.rowOf(entry)?.before(sinceRow(words));
    });
  }

  /** Where the line of what is new is from the view; undefined if there is none. */
  get newLineIs(): "above" | "in view" | "below" | undefined {
    const after = this.#newAfter;
    if (after === undefined) return undefined;
    const line = this.#list.querySelector(".since")?.getBoundingClientRect();
    const { top, bottom } = this.#scroller.getBoundingClientRect();
    if (line !== undefined) return line.top < top ? "above" : line.bottom > bottom ? "below" : "in view";
    const first = this.#firstBelow(-Infinity);
    return first?.kind === "message" && first.message.uuid <= after ? "below" : "above";
  }

  /** The id of the last message in view; undefined if there is none. */
  get lastInView(): string | undefined {
    const { bottom } = this.#scroller.getBoundingClientRect();
    for (let number = this.#to - 1; number >= this.#from; number--) {
      const entry = this.#log.at(number);
      const top = this.#rows.get(number)?.getBoundingClientRect().top ?? Infinity;
      if (entry?.kind === "message" && top < bottom) return entry.message.uuid;
    }
    return undefined;
  }

  /** Lets the line of what is new fade. */
  fadeNewLine(): void {
    for (const line of this.#list.querySelectorAll(".since")) line.classList.add("going");
  }

  refresh(isConcerned: (entry: Entry) => boolean = () => true): void {
    this.keepPlace(() => {
      for (const [number, row] of this.#rows) {
        const entry = this.#log.at(number);
        if (entry !== undefined && isConcerned(entry)) refill(row, entry, this.#context.names);
      }
    });
  }

  /** Writes the times of all rows again, by another clock. */
  rewriteTimes(): void {
    this.keepPlace(() => {
      for (const time of this.#list.querySelectorAll("time")) time.textContent = shortTime(time.dateTime);
    });
  }

  /** Returns the row of an entry; undefined if it has none. */
  rowOf(entry: Entry): HTMLLIElement | undefined {
    return this.#log.at(entry.number) === entry ? this.#rows.get(entry.number) : undefined;
  }

  /** Makes the rows again: the last ones, or those around a number. */
  #rebuild(around: number = this.#log.end): void {
    // What is written in a message that is open for a change is in no other place.
    const edited = [...this.#rows].find(([, row]) => isEdited(row));
    this.#list.replaceChildren();
    this.#rows.clear();
    const to = Math.min(this.#log.end, around + ROWS_FIRST);
    const from = Math.max(this.#log.start, Math.min(around, to) - ROWS_FIRST);
    this.#from = this.#to = Math.max(this.#log.start, Math.min(from, edited?.[0] ?? from));
    this.#add(this.#to, Math.max(to, edited === undefined ? to : Math.min(this.#log.end, edited[0] + 1)));
    if (edited === undefined) return;
    this.#rows.get(edited[0])?.replaceWith(edited[1]);
    if (this.#rows.has(edited[0])) this.#rows.set(...edited);
  }

  #abovePx(): number {
    const { scrollTop, scrollHeight, clientHeight } = this.#scroller;
    return scrollHeight - clientHeight + scrollTop;
  }

  #moved(): void {
    const below = -this.#scroller.scrollTop;
    if (below >= BOTTOM_PX) this.isAtEnd = false;
    else if (this.#to >= this.#log.end) this.isAtEnd = this.#log.isLive;
    if (this.#abovePx() < NEAR_PX && this.#from > this.#log.start) this.drawOlder();
    else if (!this.isAtEnd) this.#drawNewer();
    this.#onMove();
  }

  #add(from: number, to: number): void {
    const rows = document.createDocumentFragment();
    for (let number = from; number < to; number++) this.#append(rows, number);
    this.#to = Math.max(this.#to, to);
    this.#list.append(rows);
  }

  #addBefore(from: number): void {
    const rows = document.createDocumentFragment();
    for (let number = from; number < this.#from; number++) this.#append(rows, number);
    // The day of the former first row may begin in the rows before it now.
    this.#dropLines(this.#from);
    const first = this.#rows.get(this.#from);
    if (first !== undefined) rows.append(...this.#head(this.#from, first));
    this.#from = from;
    this.#list.prepend(rows);
  }

  #append(rows: DocumentFragment, number: number): void {
    const entry = this.#log.at(number);
    if (entry === undefined) return;
    const row = makeRow(entry, this.#context);
    this.#rows.set(number, row);
    rows.append(...this.#head(number, row), row);
  }

  /**
   * Marks the first message of a group, which has at most `GROUP_MS`. Returns the lines above it: of its day if it is
   * the first of one, and of what is new.
   */
  #head(number: number, row: HTMLLIElement): HTMLLIElement[] {
    const entry = this.#log.at(number);
    if (entry?.kind !== "message") return [];
    const before = this.#log.at(number - 1);
    const ms = entry.message.receivedMs;
    let last = before;
    for (let n = number - 2; last?.kind === "notice"; n--) last = this.#log.at(n);
    const lastMs = last?.kind === "message" ? last.message.receivedMs : undefined;
    const isNewDay = lastMs === undefined || dayKey(lastMs) !== dayKey(ms);
    const isNewSince = this.#newAfter !== undefined && entry.message.uuid > this.#newAfter &&
      (last?.kind === "message" ? last.message.uuid <= this.#newAfter : this.#log.isOldest);
    const groupMs = before?.kind === "message" ? before.groupMs ?? before.message.receivedMs : ms;
    const goesOn = !isNewDay && !isNewSince && before?.kind === "message" &&
      before.message.username === entry.message.username &&
      !isAction(entry.message.text) && !isAction(before.message.text) &&
      !this.#context.isServer(entry.message.username) && Math.abs(ms - groupMs) < GROUP_MS;
    entry.groupMs = goesOn ? groupMs : ms;
    row.classList.toggle("first", !goesOn);
    return [...isNewDay ? [dayRow(ms)] : [], ...isNewSince ? [sinceRow(this.#newWords)] : []];
  }

  /** Shows all names of a notice whose button was pressed. */
  #unfold(target: EventTarget | null): void {
    const row = target instanceof Element ? target.closest(".more")?.closest("li") : undefined;
    const [number] = [...this.#rows].find(([, other]) => other === row) ?? [];
    const entry = number === undefined ? undefined : this.#log.at(number);
    if (entry?.kind !== "notice") return;
    entry.isWhole = true;
    this.changed(entry);
  }

  /** Drops the lines above a row. */
  #dropLines(number: number): void {
    for (let before = this.#rows.get(number)?.previousElementSibling; before?.matches(".day, .since");) {
      const line = before;
      before = before.previousElementSibling;
      line.remove();
    }
  }

  #dropFirst(count: number): void {
    for (; count > 0 && !isEdited(this.#rows.get(this.#from)); count--) {
      this.#dropLines(this.#from);
      this.#rows.get(this.#from)?.remove();
      this.#rows.delete(this.#from++);
    }
  }

  #dropLast(count: number): void {
    for (; count > 0 && !isEdited(this.#rows.get(this.#to - 1)); count--) {
      this.#to--;
      this.#dropLines(this.#to);
      this.#rows.get(this.#to)?.remove();
      this.#rows.delete(this.#to);
    }
  }

  /** Applies a change of rows without moving the row at the top of the view, or the view from the end. */
  keepPlace(change: () => void): void {
    if (this.isAtEnd) return change();
    const { top } = this.#scroller.getBoundingClientRect();
    // The map is in order of creation, not of numbers.
    let number = this.#from;
    while (number < this.#to && (this.#rows.get(number)?.getBoundingClientRect().bottom ?? 0) <= top) {
      number++;
    }
    const anchor = this.#rows.get(number);
    const wanted = (anchor?.getBoundingClientRect().top ?? 0) - this.#missedPx;
    change();
    if (!anchor?.isConnected) return;
    this.#scroller.scrollTop += anchor.getBoundingClientRect().top - wanted;
    const missed = anchor.getBoundingClientRect().top - wanted;
    this.#missedPx = Math.abs(missed) < 1 ? missed : 0;
  }
}

function isEdited(row: HTMLLIElement | undefined): boolean {
  return row?.classList.contains("in-edit") ?? false;
}

function refill(row: HTMLLIElement, entry: Entry, names: RowContext["names"]): void {
  if (entry.kind === "message") fillRow(row, entry, names);
  else fillNotice(row, entry);
}

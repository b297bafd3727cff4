/**
 * The rows of the conversation: only the visible part of the log has rows, and a few of them are made at once. The view
 * follows the newest message if the user is at the end, and otherwise keeps its place. Only the user leaves the end: the
 * style of the scroller counts `scrollTop` from there, as 0 and below, so that no change of heights moves it.
 *
 * @module
 */
/// <reference lib="dom" />
import { KeptPlace } from "./kept_place.ts";
import type { Entry, MessageEntry, MessageLog } from "./message_log.ts";
import { drawnSoon } from "../../../src/web/draw_soon.ts";
import { onNewDay, shortTime, wholeTime } from "../page/local_time.ts";
import { placeOf } from "./message_place.ts";
import { dayRow, fillDay, fillNotice, fillRow, makeRow, type RowContext, sinceRow } from "./message_row.ts";

export const ROWS_MAX = 160;
/** Rows that are made at once, and milliseconds after which no other one is begun: a slow machine makes fewer. */
export const ROWS_AT_ONCE = 8;
const MAKING_MS = 3;
/** Rows that are made at once where messages arrive faster than rows are made: they fill the view. */
const ROWS_IN_FLOOD = 48;
/** Pixels from the view within which rows are made, and beyond which they are dropped. */
const NEAR_PX = 500;
const FAR_PX = 800;
/** Pixels from the newest message that count as the end. */
const BOTTOM_PX = 16;
/** Messages before a reply among which the quoted one is looked for: more take a frame's time. */
export const ANSWERED_MAX = 2000;
/** Rows that come at once and appear by a motion, and milliseconds after which the next do; others are there at once. */
const FRESH_MAX = 3;
const FRESH_MS = 500;

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
  readonly #place: KeptPlace;
  /** Entries whose rows are out of date. */
  readonly #changed = new Set<Entry>();
  /** It stays in the middle of the view until the rows around it are made. */
  #centered: MessageEntry | undefined;
  /** When rows appeared by a motion: it costs each frame, and is seen only if it is rare. */
  #freshAtMs = -Infinity;

  constructor(
    { log, scroller, list, context, onMove }: {
      readonly log: MessageLog;
      readonly scroller: HTMLElement;
      readonly list: HTMLElement;
      readonly context: Omit<RowContext, "isSaid">;
      /** Called after the user scrolled or the view moved. */
      readonly onMove: () => void;
    },
  ) {
    this.#log = log;
    this.#scroller = scroller;
    this.#list = list;
    this.#context = {
      ...context,
      isSaid: (reply, before) => this.#log.answered(reply, before, ANSWERED_MAX) !== undefined,
    };
    this.#onMove = onMove;
    this.#place = new KeptPlace(scroller);
    scroller.addEventListener("scroll", () => {
      this.#lookForEnd();
      this.drawSoon();
    }, { passive: true });
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
    // The words of a whole time are of no use to a row that no pointer visits, and take as long as the rest of it.
    list.addEventListener("pointerover", ({ target }) => {
      if (target instanceof HTMLTimeElement) target.title = wholeTime(target.dateTime);
    });
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
    const isFarBehind = this.isAtEnd && this.#log.end - this.#to > ROWS_MAX;
    // In a flood that no frame keeps up with, the view is filled at once, so that the user can scroll.
    if (isFarBehind && this.#edited === undefined) this.#rebuild(this.#log.end, ROWS_IN_FLOOD);
    else if (this.#from < this.#log.start) this.#rebuild();
    else this.#step();
    if (this.#centered !== undefined) this.rowOf(this.#centered)?.scrollIntoView({ block: "center" });
  }

  /** Makes rows where the view is near an end of them, and drops those that are far away. */
  #step(): void {
    const { isAtEnd } = this;
    const waiting = this.#log.end - this.#to;
    const older = Math.min(this.#from - this.#log.start, ROWS_AT_ONCE);
    const newer = Math.min(waiting, ROWS_AT_ONCE);
    const below = -this.#scroller.scrollTop;
    const above = older > 0 ? this.#abovePx() : Infinity;
    const isDown = newer > 0 && (isAtEnd || below < Math.min(NEAR_PX, above));
    const isUp = !isDown && older > 0 && above < NEAR_PX;
    // The rows around it fill the view.
    if ((older === 0 || above > 0) && (newer === 0 || below > 0)) this.#centered = undefined;
    if (!isDown && !isUp && this.#changed.size === 0) return;
    const dropped = isDown ? this.#farFirst() : isUp ? this.#farLast() : 0;
    // Where messages arrive faster than rows are made, they do not wait for long.
    const until = isAtEnd && waiting > ROWS_AT_ONCE ? Infinity : performance.now() + MAKING_MS;
    this.keepPlace(() => {
      this.#refillChanged(until);
      if (isDown) {
        this.#add(this.#to + newer, until);
        this.#dropFirst(Math.max(dropped, this.#rows.size - ROWS_MAX));
      } else if (isUp) {
        this.#addBefore(this.#from - older, until);
        // At the end no newer row makes room for an older one.
        this.#dropLast(Math.max(dropped, isAtEnd ? 0 : this.#rows.size - ROWS_MAX));
      }
    });
    if (isDown && isAtEnd && waiting <= FRESH_MAX && this.#rows.size > newer) this.#markFresh(newer);
    // Laid out here, and not in the frame that paints it.
    void this.#scroller.scrollTop;
    this.drawSoon();
  }

  /** Lets the newest rows appear. */
  #markFresh(count: number): void {
    const nowMs = performance.now();
    if (nowMs - this.#freshAtMs < FRESH_MS) return;
    this.#freshAtMs = nowMs;
    for (let number = this.#to - count; number < this.#to; number++) {
      this.#rows.get(number)?.classList.add("fresh");
    }
  }

  restart(): void {
    this.#rebuild();
    this.toEnd();
  }

  toEnd(): void {
    this.isAtEnd = this.#log.isLive;
    this.#centered = undefined;
    // What is written in an open message is in no other place: the rows between are made in slices.
    if (this.#log.end - this.#to > ROWS_AT_ONCE && this.#edited === undefined) this.#rebuild();
    this.#scroller.scrollTop = 0;
    this.drawSoon();
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

  /** Shows a log that has all messages of the one before in the same order, and keeps their rows. */
  extendTo(log: MessageLog): void {
    const before = this.#log;
    const first = before.at(this.#from);
    const shift = first?.kind === "message"
      ? (log.find(first.message.uuid)?.number ?? NaN) - first.number
      : NaN;
    const rows = [...this.#rows];
    const pairs = rows.flatMap(([number]) => {
      const [entry, same] = [before.at(number), log.at(number + shift)];
      if (entry?.kind !== "message" || same?.kind !== "message") return [];
      return entry.message.uuid === same.message.uuid ? [{ entry, same }] : [];
    });
    if (pairs.length < rows.length) return this.show(log);
    for (const { entry, same } of pairs) {
      if (entry.groupMs !== undefined) same.groupMs = entry.groupMs;
      same.change = entry.change;
      if (this.#changed.delete(entry)) this.#changed.add(same);
    }
    this.#log = log;
    this.#rows.clear();
    for (const [number, row] of rows) this.#rows.set(number + shift, row);
    this.#from += shift;
    this.#to += shift;
    this.#lookForEnd();
    this.drawSoon();
  }

  #center(entry: MessageEntry): void {
    const row = this.rowOf(entry);
    if (row === undefined) return;
    row.scrollIntoView({ block: "center" });
    // The focus is where the user reads on, and a screen reader reads the row.
    row.focus({ preventScroll: true });
    if (row.classList.contains("found")) {
      // Begins again where the same row was found before.
      row.classList.remove("found");
      void row.offsetWidth;
    }
    row.classList.add("found");
    this.#centered = entry;
    if (this.#to < this.#log.end) this.isAtEnd = false;
    this.#lookForEnd();
    this.drawSoon();
  }

  changed(entry: Entry): void {
    if (this.rowOf(entry) === undefined) return;
    this.#changed.add(entry);
    this.drawSoon();
  }

  #refillChanged(until: number): void {
    let left = ROWS_AT_ONCE;
    for (const entry of this.#changed) {
      this.#changed.delete(entry);
      const row = this.rowOf(entry);
      if (row === undefined) continue;
      if (entry.kind === "message") fillRow(row, entry, this.#context);
      else fillNotice(row, entry);
      if (--left === 0 || performance.now() > until) return;
    }
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
      const former = this.#firstNew();
      this.#newAfter = after;
      const first = this.#firstNew();
      if (first !== undefined) this.rowOf(first)?.before(sinceRow(words));
      // A group ends at the line.
      for (const entry of [former, first]) {
        if (entry === undefined) continue;
        const row = this.rowOf(entry);
        if (row !== undefined) this.#head(entry.number, row);
      }
    });
  }

  #firstNew(): MessageEntry | undefined {
    return this.#newAfter === undefined ? undefined : this.#log.firstAfter(this.#newAfter);
  }

  /** Where the line of what is new is from the view; undefined if there is none. */
  get newLineIs(): "above" | "in view" | "below" | undefined {
    const after = this.#newAfter;
    if (after === undefined) return undefined;
    const line = this.#list.querySelector(".since")?.getBoundingClientRect();
    const { top, bottom } = this.#scroller.getBoundingClientRect();
    if (line !== undefined) return line.top < top ? "above" : line.bottom > bottom ? "below" : "in view";
    for (let number = this.#from; number < this.#to; number++) {
      const entry = this.#log.at(number);
      if (entry?.kind === "message") return entry.message.uuid <= after ? "below" : "above";
    }
    return "above";
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
    for (const number of this.#rows.keys()) {
      const entry = this.#log.at(number);
      if (entry !== undefined && isConcerned(entry)) this.#changed.add(entry);
    }
    this.drawSoon();
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

  /** Makes some rows again, the last ones or those around a number; what follows makes the rest. */
  #rebuild(around: number = this.#log.end, count = ROWS_AT_ONCE): void {
    const edited = this.#edited;
    this.#list.replaceChildren();
    this.#rows.clear();
    this.#changed.clear();
    this.#centered = undefined;
    const to = Math.min(this.#log.end, around + count / 2);
    const from = Math.max(this.#log.start, to - count);
    const open = edited === undefined ? undefined : this.#log.find(edited.dataset["uuid"] ?? "");
    const kept = open?.number;
    this.#from = this.#to = Math.min(from, kept ?? from);
    this.#add(Math.max(to, kept === undefined ? to : kept + 1), Infinity);
    this.drawSoon();
    if (edited === undefined || open === undefined) return;
    this.#rows.get(open.number)?.replaceWith(edited);
    this.#rows.set(open.number, edited);
    // The log may have another text of it now, or none.
    this.#changed.add(open);
  }

  /** The row of the message that is open for a change. */
  get #edited(): HTMLLIElement | undefined {
    return this.#list.querySelector<HTMLLIElement>(".in-edit") ?? undefined;
  }

  #abovePx(): number {
    const { scrollTop, scrollHeight, clientHeight } = this.#scroller;
    return scrollHeight - clientHeight + scrollTop;
  }

  /** How many of the first rows are far above the view. */
  #farFirst(): number {
    const top = this.#scroller.getBoundingClientRect().top - FAR_PX;
    let number = this.#from;
    while (number < this.#to && isPast(this.#rows.get(number), ({ bottom }) => bottom < top)) number++;
    return number - this.#from;
  }

  /** How many of the last rows are far below the view. */
  #farLast(): number {
    const bottom = this.#scroller.getBoundingClientRect().bottom + FAR_PX;
    let number = this.#to;
    while (number > this.#from && isPast(this.#rows.get(number - 1), ({ top }) => top > bottom)) number--;
    return this.#to - number;
  }

  #lookForEnd(): void {
    if (-this.#scroller.scrollTop >= BOTTOM_PX) this.isAtEnd = false;
    else if (this.#to >= this.#log.end) this.isAtEnd = this.#log.isLive;
  }

  /** Makes rows after the last one: one at least, and up to a number if there is time. */
  #add(to: number, until: number): void {
    const rows = document.createDocumentFragment();
    for (let isTime = true; isTime && this.#to < to; isTime = performance.now() < until) {
      const row = this.#make(this.#to);
      if (row !== undefined) rows.append(...this.#head(this.#to, row), row);
      this.#to++;
    }
    this.#list.append(rows);
  }

  /** Makes rows before the first one: one at least, and down to a number if there is time. */
  #addBefore(least: number, until: number): void {
    let from = this.#from;
    do this.#make(--from); while (from > least && performance.now() < until);
    const rows = document.createDocumentFragment();
    // From the first on, since a group depends on the messages before.
    for (let number = from; number < this.#from; number++) {
      const row = this.#rows.get(number);
      if (row !== undefined) rows.append(...this.#head(number, row), row);
    }
    // The day of the former first row may begin in the rows before it now.
    this.#dropLines(this.#from);
    const first = this.#rows.get(this.#from);
    if (first !== undefined) rows.append(...this.#head(this.#from, first));
    this.#from = from;
    this.#list.prepend(rows);
  }

  #make(number: number): HTMLLIElement | undefined {
    const entry = this.#log.at(number);
    if (entry === undefined) return undefined;
    const row = makeRow(entry, this.#context);
    this.#rows.set(number, row);
    return row;
  }

  /** Marks the first message of a group. Returns the lines above it: of a day that begins, and of what is new. */
  #head(number: number, row: HTMLLIElement): HTMLLIElement[] {
    const entry = this.#log.at(number);
    if (entry?.kind !== "message") return [];
    const place = placeOf(entry, this.#log, this.#newAfter, this.#context.isServer);
    row.classList.toggle("first", !place.goesOn);
    return [
      ...place.isNewDay ? [dayRow(entry.message.receivedMs)] : [],
      ...place.isNewSince ? [sinceRow(this.#newWords)] : [],
    ];
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
    this.#place.keep(this.#rows.get(number), change);
  }
}

function isEdited(row: HTMLLIElement | undefined): boolean {
  return row?.classList.contains("in-edit") ?? false;
}

/** A row without a height is where its neighbours are. */
function isPast(row: HTMLLIElement | undefined, isBeyond: (rect: DOMRect) => boolean): boolean {
  return row !== undefined && (row.hidden !== false || isBeyond(row.getBoundingClientRect()));
}

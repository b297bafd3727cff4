/**
 * The rows of the table of servers, made from the page's template and moved as the list changes. It does not decide
 * which servers are shown, or in what order.
 *
 * @module
 */
/// <reference lib="dom" />
/// <reference lib="dom.iterable" />
import { isSelfDescribed, languageName, mainLanguage } from "./facets.ts";
import type { Graph } from "./people_graphs.ts";
import {
  copyLabel,
  duration,
  fill,
  hueOf,
  initialOf,
  isFull,
  joinLabel,
  peakText,
  percent,
  type Server,
  webAddress,
} from "./wording.ts";

interface Shown {
  readonly row: HTMLElement;
  /** Undefined for a row that the listing wrote, until the list is known. */
  server: Server | undefined;
}

/** What the rows show beside a server's own properties. */
export interface Measured {
  readonly graphOf: (id: number) => Graph | undefined;
  /** What this browser measured, in words; undefined while it is not known. */
  readonly tripOf: (id: number) => string | undefined;
}

export class ServerRows {
  readonly #body: HTMLElement;
  readonly #template: HTMLTemplateElement;
  readonly #measured: Measured;
  readonly #shown = new Map<number, Shown>();

  constructor(body: HTMLElement, template: HTMLTemplateElement, measured: Measured) {
    this.#body = body;
    this.#template = template;
    this.#measured = measured;
    // The rows that the listing wrote stay, as most of them are right.
    for (const row of body.querySelectorAll("tr")) {
      this.#shown.set(Number(row.dataset["id"]), { row, server: undefined });
    }
    body.addEventListener("pointerover", ({ target }) => {
      const time = target instanceof Element ? target.closest("time") : null;
      if (time !== null) time.title = new Date(time.dateTime).toLocaleString();
    });
  }

  /** The graphs that the listing wrote. A listing that has just started may have none. */
  *writtenGraphs(): Iterable<[id: number, graph: Graph]> {
    for (const [id, { row }] of this.#shown) {
      const path = row.querySelector(".graph path")?.getAttribute("d") ?? "";
      if (path !== "") yield [id, { path, label: row.querySelector(".graph")?.ariaLabel ?? "" }];
    }
  }

  /** Writes what was measured of a server. */
  measure(id: number): void {
    const shown = this.#shown.get(id);
    if (shown !== undefined) writeMeasured(shown.row, id, this.#measured);
  }

  update(server: Server): void {
    const shown = this.#shown.get(server.id);
    if (shown === undefined) return;
    shown.server = server;
    write(shown.row, server);
  }

  grow(): void {
    for (const { row, server } of this.#shown.values()) if (server !== undefined) writeAge(row, server);
  }

  /** Shows these servers in this order, and keeps the focus. The first is the table's row `from`, counted from 0. */
  show(servers: readonly Server[], from: number): void {
    const focused = document.activeElement;
    const hadFocus = focused !== null && this.#body.contains(focused);
    this.#drop(servers);
    let place = this.#body.firstElementChild;
    for (const [n, server] of servers.entries()) {
      const row = this.#rowOf(server);
      // Row 1 is the head.
      row.ariaRowIndex = String(from + n + 2);
      // A row that moves down is removed here and inserted again later.
      if (place !== null && place !== row && place.nextElementSibling === row) {
        place.remove();
        place = row;
      }
      if (place === row) place = place.nextElementSibling;
      else this.#body.insertBefore(row, place);
    }
    if (!hadFocus || !(focused instanceof HTMLElement) || document.activeElement === focused) return;
    if (focused.isConnected) focused.focus({ preventScroll: true });
    else this.#body.querySelector("a")?.focus({ preventScroll: true });
  }

  #drop(servers: readonly Server[]): void {
    const ids = new Set(servers.map(({ id }) => id));
    for (const [id, { row }] of this.#shown) {
      if (ids.has(id)) continue;
      row.remove();
      this.#shown.delete(id);
    }
  }

  #rowOf(server: Server): HTMLElement {
    const known = this.#shown.get(server.id);
    if (known !== undefined) {
      if (known.server !== server) this.update(server);
      return known.row;
    }
    const copy = this.#template.content.cloneNode(true) as DocumentFragment;
    const row = copy.firstElementChild as HTMLElement;
    write(row, server);
    writeMeasured(row, server.id, this.#measured);
    this.#shown.set(server.id, { row, server });
    return row;
  }
}

function write(row: HTMLElement, server: Server): void {
  const url = webAddress(server.address);
  row.classList.toggle("full", isFull(server));
  row.classList.toggle("plain", !isSelfDescribed(server));
  setText(row.querySelector(".displayname"), server.displayName);
  setText(row.querySelector(".address"), server.address);
  setAttribute(row.querySelector(".copy"), "aria-label", copyLabel(server.displayName));
  setAttribute(row.querySelector(".name"), "title", server.displayName);
  setAttribute(row.querySelector(".name"), "href", `servers/${server.id}`);
  const icon = row.querySelector(".icon");
  setAttribute(icon, "class", `icon ${hueOf(server.id)}`);
  setText(icon, initialOf(server.displayName));
  const join = row.querySelector(".join");
  if (url === undefined) { for (const name of ["href", "aria-label"]) join?.removeAttribute(name); }
  else {
    setAttribute(join, "href", url);
    setAttribute(join, "aria-label", joinLabel(server));
  }
  writeAbout(row, server);
  setText(row.querySelector(".fill"), fill(server));
  setText(row.querySelector(".peak"), peakText(server));
  setText(row.querySelector(".roundtrip"), `${server.roundTripMs} ms`);
  setText(row.querySelector(".uptime"), percent(server.uptime));
  writeAge(row, server);
}

function writeMeasured(row: HTMLElement, id: number, { graphOf, tripOf }: Measured): void {
  const graph = graphOf(id);
  if (graph !== undefined) {
    setAttribute(row.querySelector(".graph"), "aria-label", graph.label);
    setAttribute(row.querySelector(".graph path"), "d", graph.path);
  }
  const trip = tripOf(id);
  if (trip === undefined) return;
  let here = row.querySelector(".here");
  if (here === null) {
    here = document.createElement("span");
    here.className = "here";
    row.querySelector(".ping")?.append(here);
  }
  setText(here, trip);
}

function writeAbout(row: HTMLElement, { description = "", tags = [], language }: Server): void {
  const line = row.querySelector<HTMLElement>(".description");
  setText(line, description);
  // The line may be cut.
  setAttribute(line, "title", description);
  const main = language === undefined ? [] : [mainLanguage(language)];
  const links = [
    ...main.map((value) => ({ name: "language", value, text: languageName(value) })),
    ...tags.map((value) => ({ name: "tag", value, text: value })),
  ];
  const place = row.querySelector<HTMLElement>(".tags");
  // Only a change, so that a link keeps its focus.
  const now = links.map(({ name, value }) => `${name}=${value}`).join();
  if (place === null || linksIn(place) === now) return;
  place.replaceChildren(...links.map(({ name, value, text }) => {
    const link = document.createElement("a");
    link.href = `./?${new URLSearchParams({ [name]: value })}`;
    link.dataset[name] = value;
    link.textContent = text;
    return link;
  }));
}

function linksIn({ children }: HTMLElement): string {
  return Array.from(children as Iterable<HTMLElement>, ({ dataset: { language, tag } }) => {
    return language === undefined ? `tag=${tag}` : `language=${language}`;
  }).join();
}

function writeAge(row: HTMLElement, { onlineSince }: Server): void {
  const time = row.querySelector("time");
  if (time === null) return;
  setText(time, duration(Date.now() - onlineSince));
  const since = new Date(onlineSince).toISOString();
  if (time.dateTime !== since) time.dateTime = since;
}

function setAttribute(element: Element | null, name: string, value: string): void {
  if (element !== null && element.getAttribute(name) !== value) element.setAttribute(name, value);
}

/** Writes only a change, so that a selection or a screen reader is not disturbed. */
function setText(element: Element | null, text: string): void {
  if (element !== null && element.textContent !== text) element.textContent = text;
}

/**
 * The rows of the table of servers, made from the page's template and moved as the list changes. It does not decide
 * which servers are shown, or in what order.
 *
 * @module
 */
/// <reference lib="dom" />
/// <reference lib="dom.iterable" />
import { languageName, mainLanguage } from "./facets.ts";
import { duration, fill, fillWidth, isFull, percent, type Server, webAddress } from "./wording.ts";

interface Shown {
  readonly row: HTMLElement;
  server: Server;
}

export class ServerRows {
  readonly #body: HTMLElement;
  readonly #template: HTMLTemplateElement;
  readonly #shown = new Map<number, Shown>();

  constructor(body: HTMLElement, template: HTMLTemplateElement) {
    this.#body = body;
    this.#template = template;
  }

  has(id: number): boolean {
    return this.#shown.has(id);
  }

  update(server: Server): void {
    const shown = this.#shown.get(server.id);
    if (shown === undefined) return;
    shown.server = server;
    write(shown.row, server);
  }

  grow(): void {
    for (const { row, server } of this.#shown.values()) writeAge(row, server);
  }

  /** Shows these servers in this order, and keeps the focus. The first is the table's row `from`, counted from 0. */
  show(servers: readonly Server[], from: number): void {
    const focused = document.activeElement;
    const hadFocus = focused !== null && this.#body.contains(focused);
    // The script's rows replace those that the server rendered.
    if (this.#shown.size === 0) this.#body.replaceChildren();
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
    this.#shown.set(server.id, { row, server });
    return row;
  }
}

function write(row: HTMLElement, server: Server): void {
  const url = webAddress(server.address);
  row.classList.toggle("full", isFull(server));
  for (const name of row.querySelectorAll(".displayname")) setText(name, server.displayName);
  for (const address of row.querySelectorAll(".address")) setText(address, server.address);
  for (const link of row.querySelectorAll<HTMLAnchorElement>(".who a, .join")) {
    if (url === undefined) link.removeAttribute("href");
    else if (link.getAttribute("href") !== url) link.href = url;
  }
  writeAbout(row, server);
  setText(row.querySelector(".fill"), fill(server));
  row.querySelector(".bar rect")?.setAttribute("width", fillWidth(server));
  setText(row.querySelector(".roundtrip"), `${server.roundTripMs} ms`);
  setText(row.querySelector(".uptime"), percent(server.uptime));
  writeAge(row, server);
}

function writeAbout(row: HTMLElement, { description = "", tags = [], language }: Server): void {
  const line = row.querySelector<HTMLElement>(".description");
  setText(line, description);
  // The line may be cut.
  if (line !== null && line.title !== description) line.title = description;
  const main = language === undefined ? [] : [mainLanguage(language)];
  const links = [
    ...main.map((value) => ({ name: "language", value, text: languageName(value) })),
    ...tags.map((value) => ({ name: "tag", value, text: value })),
  ];
  const place = row.querySelector<HTMLElement>(".tags");
  const now = JSON.stringify(links);
  // Only a change, so that a link keeps its focus.
  if (place === null || (place.dataset["links"] ?? "[]") === now) return;
  place.dataset["links"] = now;
  place.replaceChildren(...links.map(({ name, value, text }) => {
    const link = document.createElement("a");
    link.href = `./?${new URLSearchParams({ [name]: value })}`;
    link.dataset[name] = value;
    link.textContent = text;
    return link;
  }));
}

function writeAge(row: HTMLElement, { onlineSince }: Server): void {
  const time = row.querySelector("time");
  if (time === null) return;
  setText(time, duration(Date.now() - onlineSince));
  time.dateTime = new Date(onlineSince).toISOString();
  time.title = new Date(onlineSince).toLocaleString();
}

/** Writes only a change, so that a selection or a screen reader is not disturbed. */
function setText(element: Element | null, text: string): void {
  if (element !== null && element.textContent !== text) element.textContent = text;
}

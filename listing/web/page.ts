/**
 * The script of the listing's page, docs/listing_api.md §9.12: keeps the table up to date, and searches and sorts it.
 * Without the script, links and a form do the same with one request each.
 *
 * @module
 */
/// <reference lib="dom" />
/// <reference lib="dom.iterable" />
import { copyByButton } from "../../src/web/clipboard.ts";
import { drawnSoon } from "../../src/web/draw_soon.ts";
import { choices, choiceText, type Facet, facetsOf, learnLanguages } from "./facets.ts";
import { ListFeed } from "./list_feed.ts";
import { isAscending, isNarrowed, readChoice, shown, writeChoice } from "./order.ts";
import { PeopleGraphs } from "./people_graphs.ts";
import { PingsFromHere } from "./ping_from_here.ts";
import { rowWindow } from "./row_window.ts";
import { ServerRows } from "./server_rows.ts";
import { counted, type Server, summary } from "./wording.ts";

/** Pixels of a row until one is measured. */
const ROW_HEIGHT = 64;
/** Milliseconds after the last pointer move in which rows keep their places under it. */
const CALM_MS = 3000;
/** Milliseconds between two checks for held-back rows, and between two updates of the ages. */
const LOOK_MS = 1000;
const AGES_MS = 30_000;
/** Milliseconds from a change to the new counts of servers, people, tags and languages. */
const COUNTS_MS = 100;

const STATES = { live: "Live", connecting: "Reconnecting…", polling: "Updated now and then" };

const servers = new Map<number, Server>();
let choice = readChoice(new URLSearchParams(location.search));
/** The servers to show, in order; undefined after a change. */
let wanted: readonly Server[] | undefined;
let drawn = { from: 0, to: 0 };
let rowHeight: number | undefined;
let isHeldBack = false;
let movedMs = -Infinity;
let agesMs = 0;

function element<T extends HTMLElement>(id: string, type: new () => T): T {
  const found = document.getElementById(id);
  if (!(found instanceof type)) throw new Error(`The page has no ${id}`);
  return found;
}

const form = element("wish", HTMLFormElement);
const search = element("q", HTMLInputElement);
const sort = element("sort", HTMLSelectElement);
const tag = element("tag", HTMLSelectElement);
const language = element("language", HTMLSelectElement);
const hideFull = element("hide-full", HTMLInputElement);
const hideEmpty = element("hide-empty", HTMLInputElement);
const table = element("servers", HTMLTableElement);
const body = element("rows", HTMLTableSectionElement);
const said = element("said", HTMLElement);
const state = element("state", HTMLElement);
const pingLink = element("ping", HTMLAnchorElement);
const graphs = new PeopleGraphs((id) => rows.measure(id));
const pings = new PingsFromHere((id) => rows.measure(id));
const rows = new ServerRows(body, element("row", HTMLTemplateElement), {
  graphOf: (id) => graphs.of(id),
  tripOf: (id) => pings.of(id),
});
graphs.have(rows.writtenGraphs());

document.documentElement.classList.add("scripted");
learnLanguages(language.options);
// A proxy may serve the listing under a path, which the listing does not see.
const root = new URL(".", location.href).href.replace(/\/$/, "");
for (const place of document.querySelectorAll(".origin")) place.textContent = root;

const drawSoon = drawnSoon(() => {
  isHeldBack = performance.now() - movedMs < CALM_MS;
  if (!isHeldBack) drawNow();
});

function drawNow(): void {
  isHeldBack = false;
  wanted = shown(servers.values(), choice);
  table.hidden = wanted.length === 0;
  drawRows(wanted);
  element("no-match", HTMLElement).hidden = servers.size === 0 || wanted.length > 0;
  element("no-servers", HTMLElement).hidden = servers.size > 0;
  drawCountsSoon();
}

let isCounting = false;

/** In a task of their own, so that rows do not wait for the counts, and once for many changes. */
function drawCountsSoon(): void {
  if (isCounting) return;
  isCounting = true;
  setTimeout(() => {
    isCounting = false;
    drawFacets();
    const isAll = !isNarrowed(choice) || wanted === undefined;
    element("summary", HTMLElement).textContent = summary(isAll ? servers.values() : wanted!, servers.size);
  }, COUNTS_MS);
}

function drawFacets(): void {
  const { tags, languages, isDescribed } = facetsOf(servers.values());
  offer(tag, choices(tags, choice.tag), choice.tag);
  offer(language, choices(languages, choice.language), choice.language);
  if (table.classList.contains("described") === isDescribed) return;
  table.classList.toggle("described", isDescribed);
  rowHeight = undefined;
}

/** Writes only a change, and none into a list that may be open. */
function offer(select: HTMLSelectElement, offered: readonly Facet[], chosen: string): void {
  const options = [
    new Option("any", ""),
    ...offered.map((facet) => new Option(choiceText(facet), facet.value)),
  ];
  const texts = (of: Iterable<HTMLOptionElement>) => [...of].map(({ text }) => text).join("\n");
  const isOpen = document.activeElement === select;
  if (!isOpen && texts(select.options) !== texts(options)) select.replaceChildren(...options);
  if (select.value !== chosen) select.value = chosen;
  select.parentElement!.hidden = offered.length === 0;
}

/** Narrows the list to the tag or language of a link in a row. */
function chooseFacet({ dataset }: HTMLElement): void {
  choice = { ...choice, tag: dataset["tag"] ?? choice.tag, language: dataset["language"] ?? choice.language };
  drawFacets();
  choose();
}

/** Draws the rows near the view, with padding in place of the others. */
function drawRows(all: readonly Server[]): void {
  drawn = inView(all.length);
  rows.show(all.slice(drawn.from, drawn.to), drawn.from);
  table.ariaRowCount = String(all.length + 1);
  rowHeight ??= measuredHeight();
  const height = rowHeight ?? ROW_HEIGHT;
  body.style.paddingBlock = `${drawn.from * height}px ${(all.length - drawn.to) * height}px`;
  measureRows();
}

/** Asks for the graphs of the rows, and for pings if the page was opened for them. */
function measureRows(): void {
  if (document.hidden) return;
  const near = wanted?.slice(drawn.from, drawn.to) ?? [];
  graphs.want(near.map(({ id }) => id));
  if (choice.ping) pings.want(near);
}

function inView(count: number): { from: number; to: number } {
  const top = -body.getBoundingClientRect().top;
  return rowWindow(count, { top, height: innerHeight, rowHeight: rowHeight ?? ROW_HEIGHT });
}

/** The mean height of the rows now drawn. */
function measuredHeight(): number | undefined {
  const { firstElementChild: first, lastElementChild: last, childElementCount: count } = body;
  if (first === null || last === null) return undefined;
  const height = (last.getBoundingClientRect().bottom - first.getBoundingClientRect().top) / count;
  return height > 0 ? height : undefined;
}

/** The view moved: draws if other rows are near it now. A scroll sorts nothing again. */
const lookSoon = drawnSoon(() => {
  if (wanted === undefined) return;
  const { from, to } = inView(wanted.length);
  if (from !== drawn.from || to !== drawn.to) drawRows(wanted);
});

function choose(): void {
  choice = {
    ...choice,
    sort: sort.value as typeof choice.sort,
    q: search.value.trim(),
    tag: tag.value,
    language: language.value,
    full: !hideFull.checked,
    empty: !hideEmpty.checked,
  };
  history.replaceState(null, "", location.pathname + writeChoice(choice));
  for (const heading of table.querySelectorAll("th")) {
    const link = heading.querySelector("a");
    if (link === null) continue;
    const name = link.dataset["sort"];
    link.href = location.pathname + writeChoice({ ...choice, sort: name as typeof choice.sort });
    if (name === choice.sort) heading.ariaSort = isAscending(choice.sort) ? "ascending" : "descending";
    else heading.removeAttribute("aria-sort");
  }
  pingLink.href = location.pathname + writeChoice({ ...choice, ping: !choice.ping });
  drawNow();
  say(counted(wanted?.length ?? 0, "server", "servers"));
}

function say(text: string): void {
  said.textContent = text;
}

form.addEventListener("submit", (event) => {
  event.preventDefault();
  choose();
});
form.addEventListener("input", choose);
table.addEventListener("click", async (event) => {
  if (!(event.target instanceof Element)) return;
  const link = event.target.closest("a[data-sort]");
  if (link instanceof HTMLAnchorElement && !event.ctrlKey && !event.metaKey && !event.shiftKey) {
    event.preventDefault();
    sort.value = link.dataset["sort"] ?? choice.sort;
    choose();
  }
  const facet = event.target.closest<HTMLElement>("a[data-tag], a[data-language]");
  if (facet !== null && !event.ctrlKey && !event.metaKey && !event.shiftKey) {
    event.preventDefault();
    chooseFacet(facet);
  }
  const button = event.target.closest("button.copy");
  const address = button?.closest("tr")?.querySelector(".address")?.textContent;
  if (!(button instanceof HTMLElement) || !address) return;
  const isCopied = await copyByButton(button, address);
  say(isCopied ? `Copied ${address}` : "The browser does not allow this page to copy");
});
addEventListener("scroll", lookSoon, { passive: true });
addEventListener("resize", () => {
  rowHeight = undefined;
  lookSoon();
});
body.addEventListener("pointermove", () => {
  movedMs = performance.now();
});
body.addEventListener("pointerleave", () => {
  movedMs = -Infinity;
  if (isHeldBack) drawNow();
});

setInterval(() => {
  if (isHeldBack && performance.now() - movedMs >= CALM_MS) drawNow();
  if (performance.now() - agesMs < AGES_MS) return;
  agesMs = performance.now();
  rows.grow();
  measureRows();
}, LOOK_MS);

new ListFeed({
  onList(list) {
    servers.clear();
    for (const server of list) servers.set(server.id, server);
    drawNow();
  },
  onServer(server) {
    servers.set(server.id, server);
    rows.update(server);
    drawSoon();
  },
  onGone(id) {
    servers.delete(id);
    drawSoon();
  },
  onState(name) {
    state.dataset["state"] = name;
    if (state.textContent !== STATES[name]) state.textContent = STATES[name];
  },
}).start();

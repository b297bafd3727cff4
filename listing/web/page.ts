/**
 * The script of the listing's page, docs/listing_api.md §9.12: keeps the table up to date, and searches and sorts it.
 * Without the script, links and a form do the same with one request each.
 *
 * @module
 */
/// <reference lib="dom" />
/// <reference lib="dom.iterable" />
import { copyText } from "./clipboard.ts";
import { ListFeed } from "./list_feed.ts";
import { readWish, shown, writeWish } from "./order.ts";
import { ServerRows } from "./server_rows.ts";
import { counted, type Server, summary } from "./wording.ts";

/** Rows at first, and added with each press of the button: a browser lays them out without a delay. */
const ROWS = 1000;
/** Milliseconds after the last pointer move in which rows keep their places under it. */
const CALM_MS = 3000;
/** Milliseconds between two checks for held-back rows, and between two updates of the ages. */
const LOOK_MS = 1000;
const AGES_MS = 30_000;

const STATES = { live: "Live", connecting: "Reconnecting…", polling: "Updated now and then" };

const servers = new Map<number, Server>();
let wish = readWish(new URLSearchParams(location.search));
let rowsMax = ROWS;
let isDrawing = false;
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
const hideFull = element("hide-full", HTMLInputElement);
const hideEmpty = element("hide-empty", HTMLInputElement);
const table = element("servers", HTMLTableElement);
const body = element("rows", HTMLTableSectionElement);
const said = element("said", HTMLElement);
const state = element("state", HTMLElement);
const more = element("more", HTMLButtonElement);
const rows = new ServerRows(body, element("row", HTMLTemplateElement));

document.documentElement.classList.add("scripted");
for (const place of document.querySelectorAll(".origin")) place.textContent = location.origin;

/** Draws once per animation frame; a background tab has none, hence the timer. */
function drawSoon(): void {
  if (isDrawing) return;
  isDrawing = true;
  const draw = () => {
    isDrawing = false;
    const isCalm = performance.now() - movedMs < CALM_MS;
    if (isCalm) isHeldBack = true;
    else drawNow();
  };
  if (document.hidden) setTimeout(draw);
  else requestAnimationFrame(draw);
}

function drawNow(): void {
  isHeldBack = false;
  const wanted = shown(servers.values(), wish);
  rows.show(wanted.slice(0, rowsMax));
  const left = wanted.length - rowsMax;
  more.hidden = left <= 0;
  more.textContent = `Show ${counted(Math.min(left, ROWS), "more server", "more servers")} of ${left}`;
  table.hidden = wanted.length === 0;
  element("no-match", HTMLElement).hidden = servers.size === 0 || wanted.length > 0;
  element("no-servers", HTMLElement).hidden = servers.size > 0;
  element("summary", HTMLElement).textContent = summary(servers.values());
}

function choose(): void {
  wish = {
    sort: sort.value as typeof wish.sort,
    q: search.value.trim(),
    full: !hideFull.checked,
    empty: !hideEmpty.checked,
  };
  rowsMax = ROWS;
  history.replaceState(null, "", location.pathname + writeWish(wish));
  for (const heading of table.querySelectorAll("th")) {
    const link = heading.querySelector("a");
    if (link === null) continue;
    const name = link.dataset["sort"];
    link.href = location.pathname + writeWish({ ...wish, sort: name as typeof wish.sort });
    if (name === wish.sort) heading.ariaSort = name === "name" ? "ascending" : "descending";
    else heading.removeAttribute("aria-sort");
  }
  drawNow();
  say(counted(shown(servers.values(), wish).length, "server", "servers"));
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
    sort.value = link.dataset["sort"] ?? wish.sort;
    choose();
  }
  const button = event.target.closest("button.copy");
  const address = button?.closest("tr")?.querySelector(".address")?.textContent;
  if (button instanceof HTMLElement && address) await copyFrom(button, address);
});
more.addEventListener("click", () => {
  rowsMax += ROWS;
  drawNow();
});
body.addEventListener("pointermove", () => {
  movedMs = performance.now();
});
body.addEventListener("pointerleave", () => {
  movedMs = -Infinity;
  if (isHeldBack) drawNow();
});

async function copyFrom(button: HTMLElement, address: string): Promise<void> {
  const isCopied = await copyText(address);
  const label = button.querySelector(".verb") as HTMLElement;
  label.textContent = isCopied ? "Copied" : "Not copied";
  button.classList.toggle("done", isCopied);
  say(isCopied ? `Copied ${address}` : "The browser does not allow this page to copy");
  setTimeout(() => {
    label.textContent = "Copy";
    button.classList.remove("done");
  }, 2000);
}

setInterval(() => {
  if (isHeldBack && performance.now() - movedMs >= CALM_MS) drawNow();
  if (performance.now() - agesMs < AGES_MS) return;
  agesMs = performance.now();
  rows.grow();
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

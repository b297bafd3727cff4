/**
 * The listing's HTML page for browsers, PROTOCOL.md §9.12: a table that works without script; listing/web/page.ts
 * keeps it current. Pure: it shows what it is given. hono's `html` escapes the servers' texts, and `bdi` isolates
 * their direction.
 *
 * @module
 */
import { html } from "hono/html";
import { PAGE_HEADERS } from "../../src/serving/web_assets.ts";
import type { ListedServer, Page, Sort } from "../list/page.ts";
import type { People } from "../list/people.ts";
import {
  choices,
  choiceText,
  type Facet,
  type Facets,
  isSelfDescribed,
  languageName,
  mainLanguage,
} from "../web/facets.ts";
import { isAscending, type ListChoice, writeChoice } from "../web/order.ts";
import {
  copyLabel,
  duration,
  fill,
  isFull,
  joinLabel,
  peakText,
  percent,
  webAddress,
} from "../web/wording.ts";
import { graph, icon } from "./figures.ts";
import { type Html, htmlPage } from "./html_page.ts";

/** Servers per page without script; the next page is a link. */
export const PAGE_ROWS = 30;

/** The policy also allows the form, which asks this listing, and no policy of Trusted Types. */
export const LIST_PAGE_HEADERS: Readonly<Record<string, string>> = {
  ...PAGE_HEADERS,
  "content-security-policy": PAGE_HEADERS["content-security-policy"]!
    .replace("form-action 'none'", "form-action 'self'")
    .replace("trusted-types service-worker", "trusted-types 'none'"),
  "content-type": "text/html; charset=utf-8",
  "vary": "Accept",
};

/** Of a page that its reader asked to ping the servers. No other page may connect elsewhere. */
export const PINGING_PAGE_HEADERS: Readonly<Record<string, string>> = {
  ...LIST_PAGE_HEADERS,
  "content-security-policy": LIST_PAGE_HEADERS["content-security-policy"]!
    .replace("connect-src 'self'", "connect-src 'self' ws: wss:"),
};

export interface ListPage {
  readonly choice: ListChoice;
  readonly page: Page;
  /** The samples of the page's servers. */
  readonly people: ReadonlyMap<number, People>;
  /** How many servers and users there are in what was asked for. */
  readonly summary: string;
  readonly facets: Facets;
  readonly isEmpty: boolean;
  /** This listing's URL, as the client sees it. */
  readonly origin: string;
  readonly nowMs: number;
  readonly modules: readonly string[];
}

export const PAGE_SCRIPT = "/listing/web/page.ts";

const SORTS: readonly (readonly [sort: Sort, label: string])[] = [
  ["users", "Most people"],
  ["name", "Name"],
  ["peak", "Highest peak"],
  ["ping", "Shortest ping"],
  ["uptime", "Best uptime"],
  ["age", "Longest online"],
  ["id", "Id"],
];

export function listPage(shown: ListPage): Promise<string> {
  const { choice, page, summary, facets, isEmpty, nowMs, modules } = shown;
  const noMatch = page.servers.length === 0 && !isEmpty;
  return htmlPage({
    title: "Chat servers",
    description: "Chat servers that anyone can join, with the number of people on each.",
    style: "listing/web/page.css",
    script: PAGE_SCRIPT.slice(1),
    modules,
    skipTo: ["rows", "servers"],
    facts: html`<span id="summary">${summary}</span> <span id="state" role="status"></span>`,
    main: html`
      ${choiceForm(choice, facets)}
      <p id="said" class="off-screen" role="status"></p>
      ${table(shown)}
      <p id="no-match" class="note" ${hidden(
        !noMatch,
      )}>No server matches. <a href="./">Show all servers</a></p>
      ${howToAdd(shown)}
      ${nextPage(shown)}
      <template id="row">${row(undefined, undefined, nowMs)}</template>
    `,
    footer: html`
      Pings and uptime are measured from this listing, each server says how many people it has. For programs: <a
        href="servers">/servers</a>,
            <a href="events">/events</a>, and <a href="docs">their documentation</a>.
    `,
  });
}

function hidden(isHidden: boolean): Html {
  return isHidden
    ? html`
      hidden
    `
    : html``;
}

function choiceForm(choice: ListChoice, facets: Facets): Html {
  const { sort, q, tag, language, full, empty } = choice;
  return html`
    <form id="wish" method="get" action="./" role="search">
      <label class="search"><span class="off-screen">Search for a name or an address</span>
    <input id="q" type="search" name="q" value="${q}" maxlength="270" placeholder="Search for a name or an address"
    autocomplete="off" spellcheck="false"></label>
      <div class="filters">
        ${select("tag", "Tag", tag, facets.tags)}
        ${select("language", "Language", language, facets.languages)}
        <label class="sort">Sort by <select id="sort" name="sort">${SORTS.map(([value, label]) =>
          html`
            <option value="${value}" ${value === sort
              ? html`
                selected
              `
              : html``}>${label}</option>
          `
        )}</select></label>
        <div class="choices">
          <label
            class="choice"><input id="hide-full" type="checkbox" name="full" value="false"${checked(
              !full,
            )}> Hide full</label>
          <label
            class="choice"><input id="hide-empty" type="checkbox" name="empty" value="false"${checked(
              !empty,
            )}> Hide empty</label>
        </div>
        <button type="submit" class="unscripted">Show</button>
        ${pingChoice(choice)}
      </div>
    </form>
  `;
}

/** A page of its own, because the usual one may not connect to servers. */
function pingChoice({ ping, ...choice }: ListChoice): Html {
  const href = `./${writeChoice({ ...choice, ping: !ping })}`;
  const label = ping ? "Stop pinging" : "Ping from here";
  const title = ping
    ? ""
    : "Your browser connects to each server that is shown, which then sees your address";
  return html`<a id="ping" class="button" href="${href}" title="${title}">${label}</a>`;
}

function select(name: "tag" | "language", label: string, chosen: string, facets: readonly Facet[]): Html {
  const offered = choices(facets, chosen);
  return html`
    <label class="facet" ${hidden(offered.length === 0)}>${label} <select id="${name}" name="${name}">
      <option value="">any</option>${offered.map((facet) =>
        html`
          <option value="${facet.value}" ${facet.value === chosen
            ? html`
              selected
            `
            : html``}>${choiceText(facet)}</option>
        `
      )}</select></label>
  `;
}

function checked(isChecked: boolean): Html {
  return isChecked
    ? html`
      checked
    `
    : html``;
}

/** Explicit roles, because some browsers drop a table's own roles when CSS lays it out as a grid. */
function table({ choice, page, people, facets, nowMs }: ListPage): Html {
  const heading = (sort: Sort, label: string) =>
    html`
      <th role="columnheader" scope="col" ${sort === "age" ? html`class="age"` : ""}
        ${ariaSort(sort, choice)}><a data-sort="${sort}" href="./${writeChoice({
          ...choice,
          sort,
        })}">${label}</a></th>
    `;
  return html`
    <table id="servers" role="table" aria-label="Servers" ${facets.isDescribed
      ? html`
        class="described"
      `
      : html``} ${hidden(page.servers.length === 0)}>
      <thead role="rowgroup">
        <tr role="row">
    ${heading("name", "Server")}
    <th role="columnheader" scope="col" class="off-screen">About</th>
    ${heading("users", "People")}
    ${heading("peak", "24 h, peak")}
    ${heading("ping", "Ping")}
    ${heading("uptime", "Uptime")}
    ${heading("age", "Online for")}
    <th role="columnheader" scope="col"><span class="off-screen">Actions</span></th>
        </tr>
      </thead>
      <tbody id="rows" role="rowgroup" tabindex="-1">${page.servers.map((server) =>
        row(server, people.get(server.id), nowMs)
      )}</tbody>
    </table>
  `;
}

function ariaSort(sort: Sort, choice: ListChoice): Html {
  if (sort !== choice.sort) return html``;
  return html`
    aria-sort="${isAscending(sort) ? "ascending" : "descending"}"
  `;
}

/**
 * One row; without a server it is the template for the script. It has few elements and no blanks between them: the
 * layout of the rows is most of what a phone does when the page opens.
 */
function row(server: ListedServer | undefined, people: People | undefined, nowMs: number): readonly Html[] {
  const { displayName = "", address = "", description = "" } = server ?? {};
  return [
    rowStart(server),
    html`<td role="cell" class="who">${
      server === undefined ? html`<span class="icon" aria-hidden="true"></span>` : icon(server)
    }`,
    html`<a class="name" ${
      server === undefined ? "" : html`href="servers/${server.id}"`
    } title="${displayName}"><bdi class="displayname">${displayName}</bdi></a>`,
    html`<bdi class="address" dir="ltr">${address}</bdi></td>`,
    html`<td role="cell" class="about"><bdi class="description" title="${description}">${description}</bdi>`,
    html`<span class="tags">${server ? tagLinks(server) : ""}</span></td>`,
    html`<td role="cell" class="people"><span class="fill">${server ? fill(server) : ""}</span></td>`,
    html`<td role="cell" class="day">${graph(people, nowMs)}<span class="peak">${
      server ? peakText(server) : ""
    }</span></td>`,
    html`<td role="cell" class="ping"><span class="roundtrip">${
      server ? `${server.roundTripMs} ms` : ""
    }</span></td>`,
    html`<td role="cell" class="uptime">${server ? percent(server.uptime) : ""}</td>`,
    html`<td role="cell" class="age">${age(server, nowMs)}</td>`,
    actions(server),
  ];
}

function rowStart(server: ListedServer | undefined): Html {
  if (server === undefined) return html`<tr role="row">`;
  const kinds = [isFull(server) ? "full" : "", isSelfDescribed(server) ? "" : "plain"].join(" ").trim();
  return html`<tr role="row" data-id="${server.id}" class="${kinds}">`;
}

/** The template has the address of no server, and a link without one has no label. */
function actions(server: ListedServer | undefined): Html {
  const url = server && webAddress(server.address);
  const copy = server === undefined ? "" : copyLabel(server.displayName);
  const join = server === undefined || url === undefined
    ? html`<a class="join">Join</a>`
    : html`<a class="join" href="${url}" aria-label="${joinLabel(server)}">Join</a>`;
  return html`
    <td role="cell"
      class="acts"><button type="button" class="copy" aria-label="${copy}">Copy</button>${join}</td>
    </tr>
  `;
}

/** Links to the lists of the server's language and tags. */
function tagLinks({ tags = [], language }: ListedServer): Html {
  const main = language === undefined ? undefined : mainLanguage(language);
  return html`${
    main === undefined
      ? ""
      : html`<a href="./?language=${main}" data-language="${main}">${languageName(main)}</a>`
  }${tags.map((tag) => html`<a href="./?tag=${tag}" data-tag="${tag}">${tag}</a>`)}`;
}

function age(server: ListedServer | undefined, nowMs: number): Html {
  if (server === undefined) return html`<time datetime="PT0S"></time>`;
  const since = new Date(server.onlineSince).toISOString();
  return html`<time datetime="${since}">${duration(nowMs - server.onlineSince)}</time>`;
}

function howToAdd({ isEmpty, origin }: ListPage): Html {
  const place = html`<span class="origin">${origin}</span>`;
  return html`
    <section id="no-servers" class="note" ${hidden(!isEmpty)}>
      <h2>There are no servers yet</h2>
      <p>A chat server that registers with this listing appears here. To run one:</p>
      <pre><code>chatter chat --name "My server" --listing ${place}</code></pre>
      <p>This listing must be able to reach the server: it pings each server at its registration and regularly after that.
    Other programs register with <code>POST ${place}/servers/&lt;id&gt;</code>.</p>
    </section>
  `;
}

/** Link to the next page for browsers without script; the script loads all rows. */
function nextPage({ choice, page }: ListPage): Html {
  if (page.nextCursor === undefined) return html``;
  const query = writeChoice(choice);
  const href = `./${query}${query === "" ? "?" : "&"}cursor=${page.nextCursor}`;
  return html`<p class="unscripted"><a rel="next" href="${href}">The next ${PAGE_ROWS} servers</a></p>`;
}

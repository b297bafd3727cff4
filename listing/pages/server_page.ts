/**
 * The HTML page of one server, PROTOCOL.md §9.12: what it says that it is, its people in the last 24 hours, and the
 * way in. It has no script. Pure: it shows what it is given, and hono's `html` escapes the server's texts.
 *
 * @module
 */
import { html } from "hono/html";
import type { ListedServer } from "../list/page.ts";
import type { People } from "../list/people.ts";
import { languageName, mainLanguage } from "../web/facets.ts";
import { graphLabel, mostIn } from "../web/people_graph.ts";
import { duration, fill, grouped, isFull, joinLabel, percent, webAddress } from "../web/wording.ts";
import { API_PAGE_HEADERS } from "./api_page.ts";
import { graph, icon } from "./figures.ts";
import { type Html, htmlPage } from "./html_page.ts";

/** The page has no script and connects to nothing, as the page of the API. */
export const SERVER_PAGE_HEADERS: Readonly<Record<string, string>> = { ...API_PAGE_HEADERS, vary: "Accept" };

/** Steps of the large graph: one a quarter of an hour. */
const GRAPH_PARTS = 96;
const HOURS = 24;
const HOUR_MS = 3_600_000;

export interface ServerPage {
  readonly server: ListedServer;
  readonly people: People | undefined;
  readonly nowMs: number;
}

export function serverPage(shown: ServerPage): Promise<string> {
  const { server } = shown;
  return htmlPage({
    title: server.displayName,
    description: server.description ?? `The chat server ${server.displayName}.`,
    style: "listing/web/server_page.css",
    root: "../",
    icon: icon(server),
    skipTo: ["server", "server"],
    facts: html`<span><a href="../">All servers</a></span>`,
    main: html`
      <div id="server" tabindex="-1">
        ${about(server)}
        ${entrance(server)}
        ${peopleOf(shown)}
        ${facts(shown)}
      </div>
    `,
    footer:
      html`Pings and uptime are measured from this listing, and the server says how many people it has. For
      programs: <a href="../servers/${server.id}/people">the samples</a>, and <a href="../docs">the API</a>.`,
  });
}

/** What a browser gets under the id of no listed server, so that an old link is no dead end. */
export function notListedPage(): Promise<string> {
  return htmlPage({
    title: "No such server",
    description: "No server is listed under this id.",
    style: "listing/web/server_page.css",
    root: "../",
    skipTo: ["server", "words"],
    facts: html`<span><a href="../">All servers</a></span>`,
    main: html`
      <div id="server" tabindex="-1">
        <p class="note">No server is listed under this id. A server that does not answer is taken off the list.
          When it registers again, it has its page again.</p>
      </div>
    `,
    footer: html`For programs: <a href="../docs">the API</a>.`,
  });
}

function about({ description, tags = [], language }: ListedServer): Html {
  const main = language === undefined ? undefined : mainLanguage(language);
  const links = [
    ...main === undefined ? [] : [html`<a href="../?language=${main}">${languageName(main)}</a>`],
    ...tags.map((tag) => html`<a href="../?tag=${tag}">${tag}</a>`),
  ];
  return html`
    ${description === undefined ? "" : html`<p class="description"><bdi>${description}</bdi></p>`}
    ${links.length === 0 ? "" : html`<p class="tags">${links}</p>`}
  `;
}

function entrance(server: ListedServer): Html {
  const url = webAddress(server.address);
  return html`
    <p class="entrance">
      ${url === undefined
        ? ""
        : html`<a class="join${isFull(server) ? " full" : ""}" href="${url}" aria-label="${
          joinLabel(server)
        }">Join</a>`}
      <span><strong class="fill">${fill(server)}</strong> people</span>
      <code dir="ltr">${server.address}</code>
    </p>
  `;
}

function peopleOf({ people, nowMs }: ServerPage): Html {
  if (people === undefined || people.users.length === 0) {
    return html`
      <section class="note">
        <h2>People</h2>
        <p>A sample is taken every 5 minutes: none yet.</p>
      </section>
    `;
  }
  const hours = mostIn(HOURS, people, nowMs);
  // As in the graph, up to the end of the last sample's 5 minutes.
  const endMs = Math.floor(nowMs / people.intervalMs + 1) * people.intervalMs;
  return html`
    <section class="note" aria-labelledby="people">
      <h2 id="people">People</h2>
      <figure>
        ${graph(people, nowMs, GRAPH_PARTS)}
        <figcaption><span>24 hours ago</span><span>${graphLabel(people)}</span><span>now</span></figcaption>
      </figure>
      ${people.peak.users === 0
        ? ""
        : html`<p>The peak is ${grouped(people.peak.users)}, first on ${time(people.peak.at)}.</p>`}
      <details>
        <summary>The numbers</summary>
        <table>
          <thead>
            <tr>
              <th scope="col">Hour from, UTC</th>
              <th scope="col">At most</th>
            </tr>
          </thead>
          <tbody>${hours.map((most, i) =>
            html`
              <tr>
                <td>${time(endMs - (HOURS - i) * HOUR_MS)}</td>
                <td>${most === null ? "no sample" : grouped(most)}</td>
              </tr>
            `
          )}
          </tbody>
        </table>
      </details>
    </section>
  `;
}

function facts({ server, nowMs }: ServerPage): Html {
  const rows: readonly (readonly [name: string, value: string | Html])[] = [
    ["Ping", `${server.roundTripMs} ms`],
    ["Uptime", percent(server.uptime)],
    ["Online for", duration(nowMs - server.onlineSince)],
    ["Online since", time(server.onlineSince)],
    ["Id", String(server.id)],
  ];
  return html`<dl class="note">${
    rows.map(([name, value]) =>
      html`
        <div>
          <dt>${name}</dt>
          <dd>${value}</dd>
        </div>
      `
    )
  }</dl>`;
}

/** As `2026-11-30 08:15 UTC`: without a script the reader's time zone is not known. */
function time(ms: number): Html {
  const iso = new Date(ms).toISOString();
  return html`<time datetime="${iso}">${iso.slice(0, 16).replace("T", " ")} UTC</time>`;
}

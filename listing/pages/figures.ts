/**
 * The pictures of a server in HTML: its icon and the graph of its people. Pure. Both pages of servers use them; the
 * browser draws the same by listing/web/server_rows.ts.
 *
 * @module
 */
import { html } from "hono/html";
import type { ListedServer } from "../list/page.ts";
import type { People } from "../list/people.ts";
import { GRAPH, graphLabel, graphPath } from "../web/people_graph.ts";
import { hueOf, initialOf } from "../web/wording.ts";
import type { Html } from "./html_page.ts";

/** A letter in the colour of the server's id. */
export function icon({ id, displayName }: ListedServer): Html {
  return html`<span class="icon ${hueOf(id)}" aria-hidden="true">${initialOf(displayName)}</span>`;
}

/** People in the last 24 hours in `parts` steps; an empty graph without samples. */
export function graph(people: People | undefined, nowMs: number, parts?: number): Html {
  const path = people === undefined ? "" : graphPath(people, nowMs, parts);
  const label = people === undefined ? "No samples yet" : graphLabel(people);
  return html`
    <svg class="graph" viewBox="0 0 ${GRAPH.width} ${GRAPH.height}" preserveAspectRatio="none" role="img"
      aria-label="${label}">
      <path d="${path}" />
    </svg>
  `;
}

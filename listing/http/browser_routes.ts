/**
 * The routes for browsers, PROTOCOL.md §9.12: the page of the list, the page of a server, and their files. Making a
 * page counts as a list with parameters.
 *
 * @module
 */
import type { NowMs } from "../../src/clock.ts";
import { prefersHtml } from "../../src/serving/negotiation.ts";
import type { WebAssets } from "../../src/serving/web_assets.ts";
import { VERSION } from "../../src/version.ts";
import { type ListedServer, type Page, readCursor } from "../list/page.ts";
import type { People, PeopleOverTime } from "../list/people.ts";
import type { ServerIndex } from "../list/server_index.ts";
import type { Snapshot } from "../list/snapshot.ts";
import type { OriginRate } from "../origin_rate.ts";
import { refuse } from "../refusals.ts";
import {
  LIST_PAGE_HEADERS,
  listPage,
  PAGE_ROWS,
  PAGE_SCRIPT,
  PINGING_PAGE_HEADERS,
} from "../pages/list_page.ts";
import { notListedPage, SERVER_PAGE_HEADERS, serverPage } from "../pages/server_page.ts";
import { facetsOf } from "../web/facets.ts";
import { isNarrowed, type ListChoice, readChoice } from "../web/order.ts";
import { summary } from "../web/wording.ts";
import { answerQuery, answerRefusal, type AppContext, type QueryParts } from "./answers.ts";
import type { ListingApp } from "./routes.ts";

const ABOUT = `Chatter listing ${VERSION}: a directory of chat servers.
GET /servers       the listed servers
GET /events        changes of the list, as they happen
GET /openapi.json  the whole API, for programs
GET /docs          the whole API, for people
`;

export interface BrowserParts extends QueryParts {
  readonly index: ServerIndex;
  readonly snapshot: Snapshot;
  readonly people: PeopleOverTime;
  readonly assets: WebAssets;
  readonly wallClock: NowMs;
}

/** `/` is a page for browsers and a text for all others. */
export function addBrowserRoutes(app: ListingApp, parts: BrowserParts, queryRate: OriginRate): void {
  const { index, snapshot, assets, wallClock } = parts;
  app.get("/", async (c) => {
    c.header("Vary", "Accept", { append: true });
    if (!prefersHtml(c.req.raw)) return c.text(ABOUT);
    return await answerQuery(c, parts, queryRate, async (origin) => {
      await index.refresh();
      if (snapshot.isStaleFor(origin)) snapshot.discard();
      const { searchParams, origin: place } = new URL(c.req.url);
      const choice = readChoice(searchParams);
      const cursor = readCursor(searchParams.get("cursor") ?? "");
      const after = cursor?.sort === choice.sort ? cursor : undefined;
      const page = snapshot.page({ ...choice, limit: PAGE_ROWS, after });
      const text = await listPage({
        choice,
        page,
        people: peopleOn(page, parts),
        summary: summaryOf(choice, parts),
        facets: snapshot.derive(facetsOf),
        isEmpty: index.size === 0,
        origin: place,
        nowMs: wallClock(),
        modules: (await assets.modulesOf(PAGE_SCRIPT)).map((path) => path.slice(1)),
      });
      return { text, headers: choice.ping ? PINGING_PAGE_HEADERS : LIST_PAGE_HEADERS };
    });
  });
  for (const path of assets.paths) app.get(path, (c) => assets.answer(c.req.raw) ?? c.notFound());
}

/** The page of a server, for browsers that ask for it. */
export async function answerServerPage(
  c: AppContext,
  parts: BrowserParts,
  queryRate: OriginRate,
  server: ListedServer,
): Promise<Response> {
  // The addresses on the page are relative to its own.
  if (new URL(c.req.url).pathname.endsWith("/")) return c.redirect(`../${server.id}`, 301);
  return await answerQuery(c, parts, queryRate, async () => {
    const people = peopleOn({ servers: [server] }, parts).get(server.id);
    const text = await serverPage({ server, people, nowMs: parts.wallClock() });
    return { text, headers: SERVER_PAGE_HEADERS };
  });
}

/** The refusal of an id that no server has, as a page for browsers. */
export async function answerNotListed(c: AppContext): Promise<Response> {
  const refusal = answerRefusal(c, refuse("NOT_FOUND"));
  // The addresses on the page are relative to one without a slash at its end.
  if (!prefersHtml(c.req.raw) || new URL(c.req.url).pathname.endsWith("/")) return refusal;
  for (const [name, value] of Object.entries(SERVER_PAGE_HEADERS)) c.header(name, value);
  return c.body(await notListedPage(), refusal.status as 404);
}

function peopleOn(
  { servers }: Page,
  { index, people, wallClock }: BrowserParts,
): ReadonlyMap<number, People> {
  const nowMs = wallClock();
  const shown = servers.flatMap(({ id }) => {
    const record = index.record(id);
    return record === undefined ? [] : [[id, people.of(record, nowMs)] as const];
  });
  return new Map(shown);
}

/** How many servers and people there are in what is asked for. */
function summaryOf(choice: ListChoice, { snapshot, index }: BrowserParts): string {
  if (!isNarrowed(choice)) return snapshot.derive(summary);
  const { servers } = snapshot.page({ ...choice, limit: undefined, after: undefined });
  return summary(servers, index.size);
}

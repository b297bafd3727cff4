/**
 * The listing's routes as data, PROTOCOL.md §9.1: `/openapi.json` and the checks of requests use the same schemas.
 * Handlers, not the framework, check bodies with these schemas, because programs may send no Content-Type and PUT
 * checks the key before the body.
 *
 * @module
 */
import { createRoute, type OpenAPIHono, z } from "@hono/zod-openapi";
import {
  ADDRESS_LENGTH_MAX,
  canonicalLanguage,
  LANGUAGE_RULE,
  SERVER_ID_MAX,
  TAG,
} from "../../src/announcement/announcement.ts";
import { PROOF_HEADER, PROOF_RULE } from "../../src/announcement/proof.ts";
import { announcementSchema } from "../../src/announcement/schema.ts";
import { type Cursor, type PageQuery, readCursor, SORTS } from "../list/page.ts";
import { type RefusalName, REFUSALS } from "../refusals.ts";
import { SAMPLES_KEPT } from "../store/sample_store.ts";

/** What the server passes along with a request. */
export interface Bindings {
  readonly peer: string;
  /** The IP address at which the request arrived, as in `RequestConnection` of http_server.ts. */
  readonly arrivedAt: string;
}

export type ListingApp = OpenAPIHono<{ Bindings: Bindings }>;

/** Servers on one page; beyond that the whole list is cheaper, because it is cached. */
export const PAGE_LIMIT_MAX = 10_000;
/** Servers in one answer of GET /people: more than are on a screen, and 230 KB at most. */
export const IDS_MAX = 100;
/** Characters of a cursor: the longest name in JSON and base64. */
const CURSOR_LENGTH_MAX = 1024;

const DECIMAL = /^(?:0|[1-9][0-9]{0,15})$/;

const idSchema = z.string().regex(DECIMAL).transform(Number).pipe(z.number().max(SERVER_ID_MAX));

/** Reads an id from a path: canonical decimal, 0 to 2^53-1; undefined for anything else. */
export function readServerId(text: string): number | undefined {
  return idSchema.safeParse(text).data;
}

const params = z.object({
  id: idSchema.openapi({
    param: { name: "id", in: "path" },
    type: "integer",
    minimum: 0,
    maximum: SERVER_ID_MAX,
    example: 42,
  }),
});

const flag = z.enum(["true", "false"]).default("true");

/** The parameters of GET /servers, each checked alone; `listQuerySchema` checks them together. */
export const listParameters = z.object({
  sort: z.enum(SORTS).default("id").openapi({
    description: "users, peak, age, ping and uptime: the most, longest or best first",
  }),
  q: z.string().max(ADDRESS_LENGTH_MAX).default("").openapi({
    description: "a part of the name or the address",
  }),
  tag: z.string().refine((text) => text === "" || TAG.test(text), "one tag is allowed").default("").openapi({
    description: "only servers with this tag",
  }),
  language: z.string().transform((text, context): string => {
    const language = text === "" ? "" : canonicalLanguage(text);
    if (language !== undefined) return language;
    context.addIssue({ code: "custom", message: `${LANGUAGE_RULE}, is allowed` });
    return z.NEVER;
  }).default("").openapi({
    type: "string",
    description: "only servers in this language or a variety of it: pt includes pt-BR",
  }),
  full: flag.openapi({ description: "false omits full servers" }),
  empty: flag.openapi({ description: "false omits servers without users" }),
  limit: z.string().regex(/^[0-9]{1,5}$/, `an integer from 1 to ${PAGE_LIMIT_MAX} is allowed`).transform(
    Number,
  )
    .pipe(z.number().min(1).max(PAGE_LIMIT_MAX)).optional()
    .openapi({ type: "integer", minimum: 1, maximum: PAGE_LIMIT_MAX, description: "servers in one page" }),
  cursor: z.string().max(CURSOR_LENGTH_MAX).transform((text, context): Cursor => {
    const cursor = readCursor(text);
    if (cursor !== undefined) return cursor;
    context.addIssue({ code: "custom", message: "take nextCursor from the page before, as it is" });
    return z.NEVER;
  }).optional().openapi({ type: "string", description: "nextCursor of the page before, with the same sort" }),
});

export const listQuerySchema = listParameters.refine(
  ({ sort, cursor }) => cursor === undefined || cursor.sort === sort,
  {
    path: ["cursor"],
    message: "the cursor belongs to another sort",
  },
).transform(({ full, empty, cursor, ...rest }): PageQuery => ({
  ...rest,
  limit: rest.limit,
  full: full === "true",
  empty: empty === "true",
  after: cursor,
}));

const serverSchema = z.object({
  id: z.number().int().openapi({ description: "the server's id" }),
  displayName: z.string().openapi({ description: "the server's serverName" }),
  address: z.string().openapi({
    description: "host:port, with wss:// in front for TLS on a port other than 443",
  }),
  connectedUsers: z.number().int().openapi({ description: "as the server last reported" }),
  peakUsers: z.number().int().openapi({ description: "the most that it has reported, over its restarts" }),
  maxUsers: z.number().int().openapi({ description: "as the server last reported" }),
  onlineSince: z.number().int().openapi({ description: "time of registration, milliseconds since 1970 UTC" }),
  roundTripMs: z.number().int().openapi({
    description: "round trip of the last answered ping, rounded up",
  }),
  uptime: z.number().min(0).max(1).openapi({ description: "share of answered checks" }),
  description: z.string().optional().openapi({ description: "what the server says that it is, if it does" }),
  tags: z.array(z.string()).optional().openapi({ description: "the same in single words" }),
  language: z.string().optional().openapi({ description: "the server's language, as BCP 47 writes it" }),
}).openapi("Server");

const pageSchema = z.object({
  servers: z.array(serverSchema),
  nextCursor: z.string().optional().openapi({
    description: "the cursor of the next page; absent on the last page",
  }),
}).openapi("ServerList");

const peopleSchema = z.object({
  id: z.number().int().openapi({ description: "the server's id" }),
  peak: z.object({
    users: z.number().int().openapi({ description: "the most users that the server has reported" }),
    at: z.number().int().openapi({ description: "when first, milliseconds since 1970 UTC" }),
  }).openapi("Peak"),
  intervalMs: z.number().int().openapi({ description: "milliseconds between two samples" }),
  firstAt: z.number().int().openapi({ description: "time of the first sample, milliseconds since 1970 UTC" }),
  users: z.array(z.number().int().nullable()).max(SAMPLES_KEPT).openapi({
    description: "users at each sample, the oldest first; null where there is none",
  }),
}).openapi("People");

const idListSchema = z.string().max(IDS_MAX * 17).transform((text, context): number[] => {
  const ids = text.split(",").map(readServerId);
  if (ids.length <= IDS_MAX && ids.every((id) => id !== undefined)) return ids;
  context.addIssue({ code: "custom", message: `1 to ${IDS_MAX} ids with commas in between are allowed` });
  return z.NEVER;
});

/** The query of GET /people. */
export const peopleQuerySchema = z.object({
  ids: idListSchema.openapi({
    type: "string",
    description: `at most ${IDS_MAX} ids, with commas in between`,
  }),
});

const announcement = {
  content: { "application/json": { schema: announcementSchema } },
};
const key = [{ C2Listing: [] }];
/** The security of a read: it needs no key. */
const OPEN: Record<string, string[]>[] = [];

/** Documents the refusals of one status, each text as an example under its name. */
function refused(description: string, ...names: RefusalName[]) {
  const examples = Object.fromEntries(names.map((name) => [name, { value: REFUSALS[name].text }]));
  return { description, content: { "text/plain": { schema: z.string(), examples } } };
}

/** What a ping of the address shall show, docs/listing_api.md §9.4. */
const headers = z.object({
  [PROOF_HEADER]: z.string().optional().openapi({
    description: `a secret that the server at the address has too; ${PROOF_RULE}`,
  }),
});

const BODY_UNREAD = {
  408: refused("The body arrived too slowly", "BODY_TOO_SLOW"),
  413: refused("The body is too large", "BODY_TOO_LARGE"),
};
const FOREIGN_PAGE = { 403: refused("A web page of another site", "ORIGIN_REFUSED", "HOST_REFUSED") };
const WRONG_TYPE = { 415: refused("The body has another type", "TYPE_REFUSED") };
const TOO_MANY = ["TOO_MANY_WRITES", "TOO_MANY_UPDATES", "TOO_MANY_AT_ONCE"] as const;

export const registerRoute = createRoute({
  method: "post",
  path: "/servers/{id}",
  operationId: "registerServer",
  tags: ["servers"],
  summary: "List a server that answers a ping",
  security: [{}, ...key],
  request: { params, headers, body: announcement },
  responses: {
    201: {
      description: "The key of the server, shown only once",
      content: { "text/plain": { schema: z.string() } },
    },
    400: refused(
      "No answer to the ping, or a malformed request",
      "PING_FAILED",
      "PROOF_MALFORMED",
      "ADDRESS_MALFORMED",
      "ID_MALFORMED",
      "BODY_NOT_JSON",
      "BODY_MALFORMED",
    ),
    ...FOREIGN_PAGE,
    ...BODY_UNREAD,
    ...WRONG_TYPE,
    409: refused("Another server has this id", "ID_TAKEN", "ID_KEPT"),
    429: refused("Too many servers, pings or requests", "TOO_MANY_SERVERS", "TOO_MANY_PINGS", ...TOO_MANY),
    503: refused("Nothing was changed: try again", "LISTING_FULL", "BUSY"),
  },
});

export const updateRoute = createRoute({
  method: "put",
  path: "/servers/{id}",
  operationId: "updateServer",
  tags: ["servers"],
  summary: "Change the properties in the body; a new address must answer a ping",
  security: key,
  request: { params, headers, body: { ...announcement, required: true } },
  responses: {
    200: { description: "Changed" },
    400: refused(
      "Unknown server, malformed body, or no answer from the new address",
      "NOT_LISTED",
      "BODY_NOT_JSON",
      "BODY_MALFORMED",
      "PROOF_MALFORMED",
      "ADDRESS_MALFORMED",
      "PING_FAILED",
    ),
    401: refused("The key is missing or is not this server's", "KEY_REFUSED"),
    ...FOREIGN_PAGE,
    ...BODY_UNREAD,
    ...WRONG_TYPE,
    429: refused("Too many servers, pings or requests", "TOO_MANY_SERVERS", "TOO_MANY_PINGS", ...TOO_MANY),
    503: refused("Nothing was changed: try again", "BUSY"),
  },
});

export const removeRoute = createRoute({
  method: "delete",
  path: "/servers/{id}",
  operationId: "removeServer",
  tags: ["servers"],
  summary: "Take a server off the list",
  security: key,
  request: { params },
  responses: {
    200: { description: "Removed" },
    400: refused("No such server", "NOT_LISTED"),
    401: refused("The key is missing or is not this server's", "KEY_REFUSED"),
    ...FOREIGN_PAGE,
    429: refused("Too many requests", ...TOO_MANY),
    503: refused("Nothing was changed: try again", "BUSY"),
  },
});

export const listRoute = createRoute({
  method: "get",
  path: "/servers",
  operationId: "listServers",
  tags: ["servers"],
  summary: "The listed servers",
  security: OPEN,
  request: { query: listParameters },
  responses: {
    200: { description: "The list", content: { "application/json": { schema: pageSchema } } },
    304: { description: "Unchanged since the ETag in If-None-Match" },
    400: refused("The query is malformed", "QUERY_MALFORMED"),
    ...FOREIGN_PAGE,
    429: refused("Too many lists with parameters from this address", "TOO_MANY_QUERIES"),
    503: refused("Too many unfinished answers", "BUSY"),
  },
});

export const serverRoute = createRoute({
  method: "get",
  path: "/servers/{id}",
  operationId: "readServer",
  tags: ["servers"],
  summary: "One server",
  security: OPEN,
  request: { params },
  responses: {
    200: { description: "The server", content: { "application/json": { schema: serverSchema } } },
    304: { description: "Unchanged since the ETag in If-None-Match" },
    ...FOREIGN_PAGE,
    404: refused("No such server", "NOT_FOUND"),
  },
});

export const peopleRoute = createRoute({
  method: "get",
  path: "/servers/{id}/people",
  operationId: "readPeople",
  tags: ["servers"],
  summary: "The users of a server in the last 24 hours",
  security: OPEN,
  request: { params },
  responses: {
    200: { description: "The samples", content: { "application/json": { schema: peopleSchema } } },
    304: { description: "Unchanged since the ETag in If-None-Match" },
    ...FOREIGN_PAGE,
    404: refused("No such server", "NOT_FOUND"),
  },
});

export const peopleOfManyRoute = createRoute({
  method: "get",
  path: "/people",
  operationId: "readPeopleOfMany",
  tags: ["servers"],
  summary: "The same of many servers; those that are not listed are left out",
  security: OPEN,
  request: { query: peopleQuerySchema },
  responses: {
    200: {
      description: "The samples of each",
      content: { "application/json": { schema: z.object({ people: z.array(peopleSchema) }) } },
    },
    304: { description: "Unchanged since the ETag in If-None-Match" },
    400: refused("The query is malformed", "QUERY_MALFORMED"),
    ...FOREIGN_PAGE,
    429: refused("Too many lists with parameters from this address", "TOO_MANY_QUERIES"),
    503: refused("Too many unfinished answers", "BUSY"),
  },
});

export const eventsRoute = createRoute({
  method: "get",
  path: "/events",
  operationId: "followChanges",
  tags: ["servers"],
  security: OPEN,
  summary: "Changes of the list, as server-sent events",
  request: {
    query: z.object({
      lastEventID: z.string().optional().openapi({
        description: "continue after this event, from the header Last-Event-ID of GET /servers",
      }),
    }),
    headers: z.object({
      "Last-Event-ID": z.string().optional().openapi({
        description: "the same, sent by a browser that reconnects",
      }),
    }),
  },
  responses: {
    200: {
      description: "added and changed, each with a server; removed, with an id; reset: fetch the list again",
      content: { "text/event-stream": { schema: z.string() } },
    },
    ...FOREIGN_PAGE,
    429: refused("Too many streams from this address", "TOO_MANY_STREAMS"),
    503: refused("Too many streams", "STREAMS_FULL"),
  },
});

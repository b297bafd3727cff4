/**
 * Forwards requests for the admin API and the metrics from a gateway's thread to the sequencer's thread, as plain
 * values, PROTOCOL.md §11. The sequencer's thread checks tokens and answers.
 *
 * @module
 */
import { type Context, Hono } from "hono";
import { STATUS_CODE } from "@std/http/status";
import { bodyLimit } from "hono/body-limit";
import type { AnswerMetrics } from "../../../src/metrics/route.ts";
import { type AdminApp, type AdminBindings, adminBodyBytesMax, adminIsOff } from "../../admin/mount.ts";
import { markRoute } from "../../../src/metrics/http_meters.ts";
import type { Limits } from "../../../src/protocol/limits.ts";
import type { PlainRequest, PlainResponse } from "./messages.ts";

/** The routes of chat/admin/admin_api.ts, so that each has its own count. */
const ADMIN_ROUTES: readonly (readonly [method: string, path: string])[] = [
  ["GET", "/users"],
  ["GET", "/bans"],
  ["POST", "/bans"],
  ["DELETE", "/bans/:id"],
  ["DELETE", "/bans"],
  ["POST", "/kick"],
  ["POST", "/announce"],
  ["GET", "/store"],
  ["GET", "/export"],
];

/** Statuses for a missing token and for too many tries. */
const UNPROVEN: ReadonlySet<number> = new Set([STATUS_CODE.Unauthorized, STATUS_CODE.TooManyRequests]);

export interface HandedOnOptions {
  /** True if there is an admin API. */
  readonly isAdministered: boolean;
  /** The limits in force; a larger body is not read to its end. */
  readonly limits: Limits;
  readonly answer: (request: PlainRequest) => Promise<PlainResponse>;
}

/** Serves `/admin` on a gateway. */
export function handedOn({ isAdministered, limits, answer }: HandedOnOptions): AdminApp {
  if (!isAdministered) return adminIsOff();
  const app: AdminApp = new Hono<{ Bindings: AdminBindings }>();
  app.post("*", (c, next) => {
    const maxSize = adminBodyBytesMax(limits);
    // The other thread checks the token first and then refuses a body of this length.
    const onError = () => handOn(answer, c.req.raw, c.env.remoteAddress, new Uint8Array(maxSize + 1));
    return bodyLimit({ maxSize, onError })(c, next);
  });
  const handler = async (c: Context<{ Bindings: AdminBindings }>) => {
    // An incomplete body counts as empty.
    const bytes = await c.req.arrayBuffer().catch(() => new ArrayBuffer(0));
    const body = bytes.byteLength === 0 ? undefined : new Uint8Array(bytes);
    const response = await handOn(answer, c.req.raw, c.env.remoteAddress, body);
    // A client without a valid token counts for no route.
    if (UNPROVEN.has(response.status)) markRoute(c, "/admin");
    return response;
  };
  for (const [method, path] of ADMIN_ROUTES) app.on(method, path, handler);
  app.all("*", handler);
  return app;
}

/** Forwards a request and returns the answer. */
export async function handOn(
  answer: HandedOnOptions["answer"],
  { url, method, headers }: Request,
  remoteAddress: string,
  body?: Uint8Array<ArrayBuffer>,
): Promise<Response> {
  const { status, ...rest } = await answer({ url, method, headers: [...headers], body, remoteAddress });
  return new Response(rest.body, { status, headers: rest.headers });
}

/** Answers forwarded requests on the sequencer's thread. */
export function answerHandedOn(
  { admin, metrics, onError }: {
    readonly admin: AdminApp;
    readonly metrics: AnswerMetrics;
    readonly onError: Parameters<AdminApp["onError"]>[0];
  },
): (request: PlainRequest) => Promise<PlainResponse> {
  const app: AdminApp = new Hono<{ Bindings: AdminBindings }>();
  app.route("/admin", admin);
  app.get("/metrics", (c) => metrics(c.req.raw, c.env.remoteAddress));
  app.onError(onError);
  return async ({ url, method, headers, body, remoteAddress }) => {
    const request = new Request(url, {
      method,
      headers: headers.filter(([name]) => name !== "content-length" && name !== "transfer-encoding"),
      body: body ?? null,
    });
    const response = await app.fetch(request, { remoteAddress });
    return { status: response.status, headers: [...response.headers], body: await response.text() };
  };
}

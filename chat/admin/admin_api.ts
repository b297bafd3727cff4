/**
 * The admin API on the chat server's port, docs/admin_api.md §11: checks the token and the form of a request, then calls
 * moderation, which decides how a ban takes effect.
 *
 * @module
 */
import { steadyClock } from "../../src/clock.ts";
import { type Logger, logger } from "../../src/logging/log.ts";
import type { ExportSource } from "../../src/kv/transfer.ts";
import { type AdminApp, type AdminBindings, adminBodyBytesMax } from "./mount.ts";
import { type AdminRefusal, isAdminRefusal, refuseAdmin } from "./refusals.ts";
import type { Journal } from "../store/journal.ts";
import type { SettingsInForce } from "../settings.ts";
import { ChatExport, type ChatExportOptions } from "./export.ts";
import { STATUS_CODE } from "@std/http/status";
import { type Context, Hono } from "hono";
import { bodyLimit } from "hono/body-limit";
import { z } from "zod";
import { addressBlock } from "../../src/address.ts";
import { BearerToken, TRIES_PER_MINUTE } from "../../src/serving/bearer_token.ts";
import type { EventValues } from "../../src/logging/log_events.ts";
import type { Limits } from "../../src/protocol/limits.ts";
import { formatIssues } from "../../src/schema_issues.ts";
import type { ClusterStatus } from "./cluster_status.ts";
import { exportRoutes } from "./export_routes.ts";
import { type AdminBodies, adminBodies, liftQuerySchema } from "./schemas.ts";
import { shownBan } from "../room/bans.ts";
import type { ModerationPort } from "./moderation.ts";

export interface AdminOptions {
  readonly token: string;
  readonly moderation: ModerationPort;
  /** Undefined for a server that is no node. */
  readonly cluster?: (() => ClusterStatus) | undefined;
  readonly source: ExportSource;
  readonly limits: Limits;
  readonly steadyMs: () => number;
  readonly log: Logger;
}

type AdminEvent = "admin.banned" | "admin.lifted" | "admin.kicked" | "admin.announced";

type AdminContext = Context<{ Bindings: AdminBindings }>;

export function adminApp(options: AdminOptions): AdminApp {
  const app: AdminApp = new Hono<{ Bindings: AdminBindings }>();
  const { token, source, limits, log } = options;
  app.use(authenticated(token, options));
  app.post("*", (c, next) => {
    const maxSize = adminBodyBytesMax(limits);
    const onError = (c: Context) => answerRefusal(c, refuseAdmin("BODY_TOO_LARGE", maxSize));
    return bodyLimit({ maxSize, onError })(c, next);
  });
  addRoutes(app, options);
  app.route("/", exportRoutes({ source, refuse: answerRefusal, log }));
  app.all("*", (c) => answerRefusal(c, refuseAdmin("NOTHING_HERE")));
  return app;
}

function authenticated(token: string, { steadyMs, log }: AdminOptions) {
  const bearer = new BearerToken(token);
  return async (c: AdminContext, next: () => Promise<void>): Promise<Response | void> => {
    c.header("Cache-Control", "no-store");
    const { remoteAddress } = c.env;
    switch (bearer.judge(c.req.header("Authorization") ?? null, remoteAddress, steadyMs())) {
      case "right":
        return await next();
      case "too many tries":
        return answerRefusal(c, refuseAdmin("TOO_MANY_TRIES", TRIES_PER_MINUTE));
      case "missing":
        return answerRefusal(c, refuseAdmin("TOKEN_MISSING"));
      case "wrong":
        log.warn("admin.refused", { address: addressBlock(remoteAddress) });
        return answerRefusal(c, refuseAdmin("TOKEN_REFUSED"));
    }
  };
}

function addRoutes(app: AdminApp, { moderation, cluster, limits, log }: AdminOptions): void {
  const did = <Name extends AdminEvent>(c: AdminContext, event: Name, values: EventValues<Name>) =>
    log.info<AdminEvent>(event, { by: c.env.remoteAddress, ...values });

  app.get("/users", (c) =>
    c.json({
      users: moderation.users().map(({ connectedAtMs, ...user }) => ({
        ...user,
        connectedSince: connectedAtMs,
      })),
    }));

  app.get(
    "/cluster",
    (c) => cluster === undefined ? answerRefusal(c, refuseAdmin("NO_CLUSTER")) : c.json(cluster()),
  );

  app.get("/bans", (c) => c.json({ bans: moderation.bans().map(shownBan) }));

  app.post("/bans", async (c) => {
    const body = await readBody(c, limits, "ban");
    if (isAdminRefusal(body)) return answerRefusal(c, body);
    const banned = await moderation.ban(body);
    if (isAdminRefusal(banned)) return answerRefusal(c, banned);
    const { ban, disconnected } = banned;
    did(c, "admin.banned", { ban: ban.id, disconnected: disconnected.length });
    return c.json({ ban: shownBan(ban), disconnected }, STATUS_CODE.Created);
  });

  const lift = async (c: AdminContext, which: Parameters<ModerationPort["lift"]>[0]) => {
    const lifted = await moderation.lift(which);
    if (isAdminRefusal(lifted)) return answerRefusal(c, lifted);
    did(c, "admin.lifted", { bans: lifted.map(({ id }) => id) });
    return c.json({ lifted: lifted.map(shownBan) });
  };
  app.delete("/bans/:id", (c) => lift(c, { id: c.req.param("id") }));
  app.delete("/bans", (c) => {
    const query = liftQuerySchema.safeParse(c.req.query());
    if (!query.success) return answerRefusal(c, refuseAdmin("QUERY_MALFORMED", formatIssues(query.error)));
    return lift(c, query.data);
  });

  app.post("/kick", async (c) => {
    const body = await readBody(c, limits, "kick");
    if (isAdminRefusal(body)) return answerRefusal(c, body);
    const kicked = await moderation.kick(body.name);
    if (isAdminRefusal(kicked)) return answerRefusal(c, kicked);
    did(c, "admin.kicked", {});
    return c.json(kicked);
  });

  app.post("/announce", async (c) => {
    const body = await readBody(c, limits, "announce");
    if (isAdminRefusal(body)) return answerRefusal(c, body);
    const refused = await moderation.announce(body.text);
    if (refused !== undefined) return answerRefusal(c, refused);
    did(c, "admin.announced", {});
    return c.json({ announced: true });
  });
}

/** Reads a body as JSON, whatever its Content-Type, and checks it against its schema. */
async function readBody<Name extends keyof AdminBodies>(
  c: Context,
  limits: Limits,
  name: Name,
): Promise<z.infer<AdminBodies[Name]> | AdminRefusal> {
  // An aborted body is the sender's fault. Each runtime reports it by another error.
  const bytes = await c.req.arrayBuffer().catch(() => undefined);
  if (bytes === undefined) return refuseAdmin("BODY_NOT_JSON");
  let json: unknown;
  try {
    json = JSON.parse(new TextDecoder("utf-8", { fatal: true }).decode(bytes));
  } catch (error) {
    // The decoder throws TypeError for bytes that are not UTF-8.
    if (!(error instanceof SyntaxError || error instanceof TypeError)) throw error;
    return refuseAdmin("BODY_NOT_JSON");
  }
  const read = adminBodies(limits)[name].safeParse(json);
  return read.success
    ? read.data as z.infer<AdminBodies[Name]>
    : refuseAdmin("BODY_MALFORMED", formatIssues(read.error));
}

function answerRefusal(c: Context, { refusal, status, text }: AdminRefusal): Response {
  c.header("Chatter-Refusal", refusal);
  if (status === STATUS_CODE.Unauthorized) c.header("WWW-Authenticate", "Bearer");
  if (status === STATUS_CODE.TooManyRequests) c.header("Retry-After", String(60 / TRIES_PER_MINUTE));
  if (status === STATUS_CODE.ServiceUnavailable) c.header("Retry-After", "5");
  return c.text(`${text}\n`, status);
}

export interface Administered {
  readonly token: string;
  readonly id: number;
  readonly settings: SettingsInForce;
  readonly node: { readonly moderation: ModerationPort; readonly cluster?: () => ClusterStatus };
  readonly stores: { readonly retained: Pick<Journal, "after">; readonly keys: ChatExportOptions["keys"] };
}

export function administration({ token, id, settings, node, stores }: Administered): AdminApp {
  const { moderation } = node;
  return adminApp({
    token,
    moderation,
    cluster: node.cluster && (() => node.cluster!()),
    source: new ChatExport({
      serverId: id,
      messages: stores.retained,
      bans: () => Promise.resolve(moderation.bans()),
      keys: stores.keys,
    }),
    limits: settings.limits,
    steadyMs: steadyClock,
    log: logger("admin"),
  });
}
